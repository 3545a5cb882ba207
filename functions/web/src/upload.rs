//! Files that people attach. The page asks for an offer: an address in the stack's bucket, signed for one file of this size
//! and kind, which takes it for some minutes. The page puts the file there and names it with its message.

use channel::{Context, Request, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::session::Session;
use crate::spec::UPLOADS;

/// The largest picture that models take, bytes: the invoker's own bound.
pub const LARGEST_PICTURE: u64 = 3_750_000;
/// The largest file that the invoker reads, bytes.
const LARGEST: u64 = 20 << 20;
/// What a page sends to ask is small, bytes.
const MAX_ASKED: usize = 4 * 1024;
/// Below it lies all that comes by this channel. The function may write here and nowhere else.
const FOLDER: &str = "media/web/";
/// The owner of files that programs send.
pub const OF_PROGRAMS: &str = "api";

/// Kinds of pictures that models take.
pub const PICTURES: [&str; 4] = ["image/png", "image/jpeg", "image/gif", "image/webp"];
/// Kinds that are read as text, beside `text/…`.
const TEXTS: [&str; 6] = [
    "application/json",
    "application/xml",
    "application/yaml",
    "application/x-yaml",
    "application/toml",
    "application/pdf",
];
/// Browsers do not know these: they say nothing of the file's kind.
const ENDINGS: [(&str, &str); 15] = [
    ("pdf", "application/pdf"),
    ("txt", "text/plain"),
    ("md", "text/markdown"),
    ("csv", "text/csv"),
    ("tsv", "text/tab-separated-values"),
    ("json", "application/json"),
    ("xml", "application/xml"),
    ("yaml", "application/yaml"),
    ("yml", "application/yaml"),
    ("toml", "application/toml"),
    ("log", "text/plain"),
    ("ogg", "audio/ogg"),
    ("opus", "audio/ogg"),
    ("m4a", "audio/mp4"),
    ("amr", "audio/amr"),
];

/// What a page says of a file.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Asked {
    name: String,
    mime: String,
    size: u64,
}

/// A file that may be put into the bucket.
#[derive(Debug, PartialEq, Eq)]
pub struct Offer {
    /// What the message calls it.
    pub id: String,
    pub key: String,
    pub media_type: String,
    /// Bytes, exactly.
    pub size: u64,
}

impl Offer {
    /// What the page is told; `url` takes the file by a PUT.
    pub fn json(&self, url: &str) -> Value {
        json!({"file": self.id, "url": url, "mime": self.media_type, "size": self.size})
    }
}

/// Judges what a visitor wants to attach. `id` is new and random, of 32 hexadecimal characters.
///
/// # Errors
/// The answer that says why not.
pub fn offer(request: &Request, session: &Session, id: &str, ctx: &Context<'_>) -> Result<Offer, Response> {
    let may = match ctx.settings.get(UPLOADS).unwrap_or(&Value::Null) {
        Value::Null => true,
        Value::String(who) => who == "everybody" || (who == "known" && session.known),
        // YAML's `off` is no text.
        _ => false,
    };
    if !may {
        return Err(refused(403, "files are not taken here"));
    }
    let small = request.body.len() <= MAX_ASKED;
    let asked = small.then(|| serde_json::from_slice::<Asked>(&request.body).ok()).flatten();
    let asked = asked.filter(|asked| asked.size > 0);
    let asked = asked.ok_or_else(|| refused(400, "a file has name, mime and size, and is not empty"))?;
    let kind = kind(&asked.mime, &asked.name);
    let media_type =
        kind.ok_or_else(|| refused(415, "only pictures (PNG, JPEG, GIF, WebP), recordings, PDF and text"))?;
    match media_type.starts_with("image/") {
        true if asked.size > LARGEST_PICTURE => return Err(refused(413, "a picture may have 3.75 MB")),
        false if asked.size > LARGEST => return Err(refused(413, "a file may have 20 MB")),
        _ => {}
    }
    let key = key(ctx.account, &session.id, id).ok_or_else(|| refused(503, "not available"))?;
    Ok(Offer { id: id.to_owned(), key, media_type, size: asked.size })
}

/// The media type of what can be read, in a form that a header takes. What the file really is, the invoker sees by its bytes.
fn kind(mime: &str, name: &str) -> Option<String> {
    let mime = mime.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    if mime.is_empty() || mime == "application/octet-stream" {
        let end = name.rsplit_once('.')?.1.to_ascii_lowercase();
        return ENDINGS.iter().find(|(known, _)| *known == end).map(|(_, mime)| (*mime).to_owned());
    }
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"/.+-".contains(&byte);
    let is_read = PICTURES.contains(&mime.as_str())
        || TEXTS.contains(&mime.as_str())
        || mime.starts_with("audio/")
        || mime.starts_with("text/");
    (is_read && mime.len() <= 64 && mime.bytes().all(is_token)).then_some(mime)
}

/// Where a file of this owner lies; `None` where that is no id of ours.
pub fn key(account: &str, owner: &str, id: &str) -> Option<String> {
    let is_id =
        id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    is_id.then(|| format!("{FOLDER}{account}/{owner}/{id}"))
}

/// Whether an attachment lies in the bucket: addresses on the web begin with `https://`.
pub fn is_key(id: &str) -> bool {
    id.starts_with(FOLDER)
}

fn refused(status: u16, why: &str) -> Response {
    Response::json(status, &json!({"error": why}))
}
