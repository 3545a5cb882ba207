//! Putting values from payloads into URLs, and bounding what is parsed.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything but the unreserved characters of RFC 3986: no slash, no brace, no dot-dot survives.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'~').remove(b'.');

/// Deeper JSON is refused before it is parsed.
pub const MAX_JSON_DEPTH: usize = 64;

/// A value as one segment of a path. `.` and `..` do not keep their meaning.
pub fn segment(value: &str) -> String {
    match value {
        "." => "%2E".to_owned(),
        ".." => "%2E%2E".to_owned(),
        _ => utf8_percent_encode(value, SEGMENT).to_string(),
    }
}

/// The value that [`segment`] was given: what a stand-in reads from a path.
pub fn decode(segment: &str) -> String {
    percent_encoding::percent_decode_str(segment).decode_utf8_lossy().into_owned()
}

/// The fields of a form, percent-decoded.
pub fn form(body: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(body).into_owned().collect()
}

/// Fields as a form.
pub fn to_form(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// The deepest nesting of objects and arrays, counted without parsing.
pub fn json_depth(json: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_text, mut escaped) = (0usize, 0usize, false, false);
    for byte in json {
        match (in_text, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (true, b'"') => in_text = false,
            (false, b'"') => in_text = true,
            (false, b'{' | b'[') => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            (false, b'}' | b']') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_cannot_leave_their_place() {
        assert_eq!(segment("a/b{bot_token}?#"), "a%2Fb%7Bbot_token%7D%3F%23");
        assert_eq!(segment(".."), "%2E%2E");
        assert_eq!(segment("1300.x_-~"), "1300.x_-~");
        assert_eq!(decode(&segment("19:é@x;messageid=1")), "19:é@x;messageid=1");
    }

    #[test]
    fn depth_ignores_text() {
        assert_eq!(json_depth(br#"{"a":[{"b":"]]}}[[[\"{"}]}"#), 3);
        assert_eq!(json_depth(b"[".repeat(100).as_slice()), 100);
    }
}
