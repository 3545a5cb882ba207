//! Forms with files, as a platform reads them: <https://www.rfc-editor.org/rfc/rfc7578>.

use crate::Request;

/// One field of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    pub name: String,
    /// Of a file.
    pub file: Option<String>,
    pub content: Vec<u8>,
}

impl Field {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.content).into_owned()
    }
}

/// The fields of a `multipart/form-data` body, in order; none where it is something else, or broken.
pub fn fields(request: &Request) -> Vec<Field> {
    let kind = request.headers.get("content-type").unwrap_or("");
    let Some(boundary) = kind.strip_prefix("multipart/form-data; boundary=") else { return Vec::new() };
    let (mark, end) = (format!("--{boundary}\r\n").into_bytes(), format!("\r\n--{boundary}").into_bytes());
    let mut found = Vec::new();
    let mut rest = request.body.as_slice();
    while let Some(part) = rest.strip_prefix(mark.as_slice()) {
        let Some(at) = position(part, &end) else { return Vec::new() };
        let (part, after) = part.split_at(at);
        let Some(field) = field(part) else { return Vec::new() };
        found.push(field);
        rest = after.get(2..).unwrap_or_default();
    }
    found
}

fn field(part: &[u8]) -> Option<Field> {
    let at = position(part, b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(part.get(..at)?).into_owned();
    let value = |name: &str| {
        let (_, value) = head.split_once(&format!("; {name}=\""))?;
        value.split('"').next().map(str::to_owned)
    };
    Some(Field { name: value("name")?, file: value("filename"), content: part.get(at + 4..)?.to_vec() })
}

fn position(within: &[u8], what: &[u8]) -> Option<usize> {
    within.windows(what.len()).position(|window| window == what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Headers;

    #[test]
    fn fields_and_files_are_told_apart() {
        let check = |body: &str, expected: &[(&str, Option<&str>, &str)]| {
            let headers: Headers =
                [("content-type", "multipart/form-data; boundary=b")].into_iter().collect();
            let found = fields(&Request::new("POST", "https://x.example/", headers, body));
            let found: Vec<_> = found
                .iter()
                .map(|field| (field.name.as_str(), field.file.as_deref(), field.text()))
                .collect();
            let found: Vec<_> =
                found.iter().map(|(name, file, text)| (*name, *file, text.as_str())).collect();
            assert_eq!(found, expected, "{body}");
        };
        let text = "--b\r\ncontent-disposition: form-data; name=\"a\"\r\n\r\n1\r\n2\r\n";
        let file = "--b\r\ncontent-disposition: form-data; name=\"f\"; filename=\"x.png\"\r\ncontent-type: image/png\r\n\r\n\r\n";
        check(&format!("{text}{file}--b--\r\n"), &[("a", None, "1\r\n2"), ("f", Some("x.png"), "")]);
        check(text, &[]);
        check("", &[]);
    }
}
