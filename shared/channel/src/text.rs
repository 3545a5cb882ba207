//! Measuring and cutting text in the units that platforms count.

use crate::{Limit, Unit};

/// What stands at the end of a text that was cut.
const CUT_MARK: &str = "… [cut]";

/// The text's length in the platform's unit.
pub fn length(text: &str, unit: Unit) -> usize {
    match unit {
        Unit::Bytes => text.len(),
        Unit::Chars => text.chars().count(),
        Unit::Utf16 => text.encode_utf16().count(),
    }
}

/// Whether the text is within the limit.
pub fn fits(text: &str, limit: Limit) -> bool {
    text.len() <= limit.max || length(text, limit.unit) <= limit.max
}

/// The text itself up to `max_bytes`; beyond, as much of it as fits with a mark at its end, cut between graphemes.
pub fn cut(text: String, max_bytes: usize) -> String {
    use unicode_segmentation::UnicodeSegmentation as _;
    if text.len() <= max_bytes {
        return text;
    }
    let room = max_bytes.saturating_sub(CUT_MARK.len());
    let end = text
        .grapheme_indices(true)
        .map(|(at, grapheme)| at + grapheme.len())
        .take_while(|end| *end <= room)
        .last();
    format!("{}{CUT_MARK}", text.get(..end.unwrap_or(0)).unwrap_or(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_differ() {
        for (text, bytes, chars, utf16) in [("abc", 3, 3, 3), ("é", 2, 1, 1), ("👋", 4, 1, 2)] {
            assert_eq!(
                (length(text, Unit::Bytes), length(text, Unit::Chars), length(text, Unit::Utf16)),
                (bytes, chars, utf16)
            );
        }
    }

    #[test]
    fn cuts_between_graphemes_and_marks() {
        assert_eq!(cut("short".into(), 10), "short");
        let cut = cut("👨‍👩‍👧".repeat(10), 60);
        assert!(cut.len() <= 60 && cut.ends_with(CUT_MARK), "{cut}");
        assert_eq!(cut.trim_end_matches(CUT_MARK).len() % "👨‍👩‍👧".len(), 0);
    }
}
