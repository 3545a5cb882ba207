//! What people sent and tools made, kept in the stack's bucket below `media/` until its lifecycle forgets it.

use std::time::{Duration, SystemTime};

use channel::{encode, sign};

use egress::Method;

use crate::cloud::Request;
use crate::error::successful;
use crate::{Error, Tools};

/// A file is there, or is not waited for.
const TIME_OUT: Duration = Duration::from_secs(10);

/// For so long a link to a file works, where our own credentials live that long: platforms fetch at once, people open mail later.
const LINK: Duration = Duration::from_secs(12 * 3_600);

/// Largest file of a tool's that is sent, bytes: what all platforms show as a picture.
pub const MAX_MADE: usize = 4 << 20;

/// Characters of a file's name.
const MAX_NAME: usize = 80;

/// A file that a tool made.
#[derive(Clone, PartialEq, Eq)]
pub struct File {
    /// As people see it.
    pub name: String,
    pub media_type: String,
    pub bytes: Vec<u8>,
}

impl File {
    /// Name and type are the tool's; where it says none, or none that can be one, they are made up.
    pub fn new(name: &str, media_type: &str, bytes: Vec<u8>) -> File {
        let plain = |c: char| c.is_ascii_alphanumeric() || "/.+-".contains(c);
        let is_type =
            media_type.split_once('/').is_some_and(|(kind, rest)| !kind.is_empty() && !rest.is_empty());
        let media_type = match media_type.split(';').next().unwrap_or_default().trim() {
            known if is_type && known.len() <= MAX_NAME && known.chars().all(plain) => {
                known.to_ascii_lowercase()
            }
            _ => sniffed(&bytes).unwrap_or("application/octet-stream").to_owned(),
        };
        let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
        let kept = |c: &char| c.is_alphanumeric() || " ._-()".contains(*c);
        let name: String = name.chars().filter(kept).take(MAX_NAME).collect();
        let name = match name.trim_matches([' ', '.']) {
            "" => format!("{}.{}", kind_of(&media_type), ending(&media_type)),
            name => name.to_owned(),
        };
        File { name, media_type, bytes }
    }

    /// What a body is that is nothing but a picture or a PDF. Text that begins like one is text.
    pub(crate) fn of_body(body: &[u8]) -> Option<File> {
        if std::str::from_utf8(body).is_ok() && !body.starts_with(b"%PDF-") {
            return None;
        }
        Some(File::new("", sniffed(body)?, body.to_vec()))
    }
}

/// By the first bytes.
fn sniffed(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', 0x0D, 0x0A, ..] => Some("image/png"),
        [0xFF, 0xD8, 0xFF, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        [b'%', b'P', b'D', b'F', b'-', ..] => Some("application/pdf"),
        _ => None,
    }
}

fn kind_of(media_type: &str) -> &'static str {
    match media_type.split('/').next().unwrap_or_default() {
        "image" => "picture",
        "audio" => "recording",
        "video" => "video",
        _ => "file",
    }
}

fn ending(media_type: &str) -> &str {
    match media_type {
        "image/jpeg" => "jpg",
        "image/svg+xml" => "svg",
        "audio/mpeg" => "mp3",
        "text/plain" => "txt",
        "text/markdown" => "md",
        "application/octet-stream" => "bin",
        other => other.rsplit(['/', '.', '+']).next().unwrap_or("bin"),
    }
}

/// Whoever has the bytes has the key: the same file of a conversation is kept once.
pub(crate) fn key(conversation: &str, bytes: &[u8]) -> String {
    let hash = sign::sha256_hex(bytes);
    format!("media/{conversation}/{}", hash.get(..32).unwrap_or(&hash))
}

impl Tools {
    /// Keeps a file. `key` begins with `media/`.
    ///
    /// # Errors
    /// It may be kept or not; keeping it again is safe.
    pub async fn keep_file(&self, key: &str, media_type: &str, bytes: Vec<u8>) -> Result<(), Error> {
        let headers = vec![("content-type", media_type.to_owned())];
        let answer =
            self.cloud.send(&self.egress, self.request(Method::PUT, key, headers, bytes, 64 << 10)).await?;
        successful(answer).map(|_| ())
    }

    /// A file that was kept, at most so many bytes; `None` where it is forgotten.
    ///
    /// # Errors
    /// It cannot be read now, or is larger.
    pub async fn kept_file(&self, key: &str, max_bytes: usize) -> Result<Option<Vec<u8>>, Error> {
        let request = self.request(Method::GET, key, Vec::new(), Vec::new(), max_bytes);
        let answer = self.cloud.send(&self.egress, request).await?;
        match answer.status {
            // Without the right to list, S3 says of what is not there that it is forbidden.
            403 | 404 => Ok(None),
            _ => successful(answer).map(|answer| Some(answer.body)),
        }
    }

    /// An address at which whoever has it can read a file that was kept, for some hours. What is no picture is saved under its name.
    ///
    /// # Errors
    /// The credentials cannot sign.
    pub fn link(&self, kept: &turn::Kept) -> Result<String, Error> {
        let mut url = self.cloud.object(&kept.key);
        if !kept.media_type.starts_with("image/") {
            let ascii: String =
                kept.name.chars().map(|c| if c.is_ascii() && c != '"' { c } else { '_' }).collect();
            let saved = encode::segment(&format!("attachment; filename=\"{ascii}\""));
            url.push_str(&format!("?response-content-disposition={saved}"));
        }
        self.cloud.link(&url, LINK, SystemTime::now())
    }

    /// What addresses of kept files begin with.
    pub fn files_base(&self) -> String {
        self.cloud.object("media")
    }

    fn request(
        &self,
        method: Method,
        key: &str,
        headers: Vec<(&'static str, String)>,
        body: Vec<u8>,
        max_bytes: usize,
    ) -> Request<'_> {
        Request {
            service: "s3",
            method,
            url: self.cloud.object(key),
            headers,
            body,
            time_out: TIME_OUT,
            max_bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, media_type: &str, bytes: &[u8], expected: (&str, &str)) {
        let file = File::new(name, media_type, bytes.to_vec());
        assert_eq!((file.name.as_str(), file.media_type.as_str()), expected, "{name} {media_type}");
    }

    #[test]
    fn names_and_types_are_harmless() {
        check("chart.png", "image/png", b"", ("chart.png", "image/png"));
        check("../../etc/pass\r\nwd", "Text/Plain; charset=utf-8", b"", ("passwd", "text/plain"));
        check("", "image/jpeg", b"", ("picture.jpg", "image/jpeg"));
        check("..", "", b"%PDF-1.4", ("file.pdf", "application/pdf"));
        check("Bericht für \"Ana\".csv", "text/csv", b"", ("Bericht für Ana.csv", "text/csv"));
        check("", "text/html\r\nx-evil: 1", b"", ("file.bin", "application/octet-stream"));
        check("", "audio/mpeg", b"", ("recording.mp3", "audio/mpeg"));
        assert_eq!(File::new(&"x".repeat(200), "", vec![]).name.len(), MAX_NAME);
    }

    #[test]
    fn a_body_that_is_a_picture_is_one() {
        let png = File::of_body(b"\x89PNG\r\n\x1a\n...").unwrap();
        assert_eq!((png.name.as_str(), png.media_type.as_str()), ("picture.png", "image/png"));
        assert_eq!(File::of_body(b"%PDF-1.7 ...").map(|file| file.name), Some("file.pdf".to_owned()));
        for text in ["three are left", "GIF89a is a format of pictures"] {
            assert_eq!(File::of_body(text.as_bytes()).map(|file| file.name), None);
        }
    }
}
