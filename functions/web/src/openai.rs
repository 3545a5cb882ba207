//! The part of OpenAI's protocol that clients need to talk to the assistant.
//! <https://platform.openai.com/docs/api-reference/chat/create>

mod answer;
mod pieces;

use channel::MAX_TEXT_BYTES;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::upload;
pub use answer::{Fault, Head, error, event, models, named, usage, words};
pub use pieces::{Next, Pieces};

/// What the assistant is called as a model.
pub const MODEL: &str = "crabhook";
/// OpenAI's code of a question that is too long.
pub const TOO_LONG: &str = "context_length_exceeded";
/// What the headings of a question's parts take at most, bytes.
const HEADINGS: usize = 128;
const MAX_USER: usize = 64;

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    messages: Vec<Said>,
    #[serde(default)]
    user: Option<String>,
    /// What takes the place of `user` in newer clients.
    #[serde(default)]
    safety_identifier: Option<String>,
    #[serde(default)]
    model: Option<String>,
    #[serde(default)]
    stream: Option<bool>,
    #[serde(default)]
    stream_options: Option<StreamOptions>,
    #[serde(default)]
    n: Option<u32>,
    #[serde(default)]
    tool_choice: Value,
    #[serde(default)]
    response_format: Value,
}

#[derive(Deserialize)]
struct StreamOptions {
    #[serde(default)]
    include_usage: Option<bool>,
}

#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    role: String,
    #[serde(default)]
    content: Value,
}

/// A request for a completion as one message for the assistant.
#[derive(Debug, PartialEq, Eq)]
pub struct Question {
    pub text: String,
    pub images: Vec<Image>,
    /// Whom the program asks for.
    pub user: String,
}

/// A picture of a question: its address on the web, or what it is called in the stack's bucket.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct Image {
    pub url: String,
    pub file: String,
}

/// A request whose pictures are taken out.
#[derive(Debug, PartialEq, Eq)]
pub struct Unpacked {
    /// The request, with names in the pictures' places.
    pub body: Vec<u8>,
    pub pictures: Vec<Picture>,
}

/// A picture that stood in the request itself.
#[derive(Debug, PartialEq, Eq)]
pub struct Picture {
    /// Made of its bytes: the same picture has the same name.
    pub id: String,
    pub media_type: String,
    pub bytes: Vec<u8>,
}

/// How the program wants its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manner {
    pub model: String,
    pub stream: bool,
    /// A stream is to end with the tokens that the answer took.
    pub usage: bool,
}

/// What is asked.
///
/// # Errors
/// What is wrong with the request, for its author.
pub fn question(body: &[u8]) -> Result<Question, Fault> {
    let asked = asked(body)?;
    if let Some(fault) = unsupported(&asked) {
        return Err(fault);
    }
    let last = asked.messages.iter().rposition(|said| said.role == "user");
    let last = last.ok_or_else(|| Fault::new(400, "messages must hold one of the role user"))?;
    let now = asked.messages.get(last).map(|said| text(&said.content)).unwrap_or_default();
    let images = asked.messages.get(last).map(|said| images(&said.content)).unwrap_or_default();
    if now.trim().is_empty() && images.is_empty() {
        return Err(Fault::new(400, "the last message of the role user is empty"));
    }
    // Those of the request itself are taken out before; a key that was just changed is not known there yet.
    if images.iter().any(|image| image.file.is_empty() && !image.url.starts_with("https://")) {
        let why = "image_url must be an https address, or data: in base64; a new key takes pictures after ten minutes";
        return Err(Fault::new(400, why));
    }
    let before = asked.messages.get(..last).unwrap_or_default();
    let of = |role: &Said| matches!(role.role.as_str(), "system" | "developer");
    let rules: Vec<String> = before.iter().filter(|said| of(said)).map(|said| text(&said.content)).collect();
    let rules = rules.join("\n");
    let left = MAX_TEXT_BYTES.checked_sub(rules.len() + now.len() + HEADINGS);
    let left = left.ok_or_else(|| too_long(rules.len() + now.len()))?;
    let earlier = newest(before.iter().filter(|said| !of(said)), left);
    let mut parts = Vec::new();
    if !rules.is_empty() {
        parts.push(format!("[Please follow this:]\n{rules}"));
    }
    if !earlier.is_empty() {
        parts.push(format!("[What was said before:]\n{}", earlier.join("\n")));
    }
    if !parts.is_empty() {
        parts.push(format!("[Now:]\n{now}"));
    }
    let text = if parts.is_empty() { now } else { parts.join("\n\n") };
    let user = asked.user.or(asked.safety_identifier).filter(|user| !user.is_empty());
    let user: String = user.unwrap_or_else(|| "client".to_owned()).chars().take(MAX_USER).collect();
    Ok(Question { text, images, user })
}

/// What an assistant cannot do for a program that counts on it. Wishes that change little are not heard.
fn unsupported(asked: &Asked) -> Option<Fault> {
    if asked.n.is_some_and(|n| n > 1) {
        return Some(Fault::unsupported("n", "There is one answer to a question: leave n out."));
    }
    if asked.tool_choice == "required" || asked.tool_choice.is_object() {
        let why = "The assistant calls its operator's tools and no others: leave tool_choice out, or set it to auto or none.";
        return Some(Fault::unsupported("tool_choice", why));
    }
    let format = asked.response_format.get("type").and_then(Value::as_str);
    let why = "No schema can be promised: leave response_format out, and ask for JSON in words.";
    (format == Some("json_schema")).then(|| Fault::unsupported("response_format", why))
}

fn too_long(bytes: usize) -> Fault {
    let why = format!(
        "The last message and the system messages have {bytes} bytes together, and {MAX_TEXT_BYTES} are passed on at most: send less."
    );
    Fault { code: Some(TOO_LONG), param: Some("messages"), ..Fault::new(400, &why) }
}

/// How it is to be answered; as a whole where the request cannot be read.
pub fn manner(body: &[u8]) -> Manner {
    let asked = asked(body).ok();
    let stream = asked.as_ref().and_then(|asked| asked.stream).unwrap_or(false);
    let options = asked.as_ref().and_then(|asked| asked.stream_options.as_ref());
    let usage = options.and_then(|options| options.include_usage).unwrap_or(false);
    let model = asked.and_then(|asked| asked.model).filter(|model| !model.is_empty());
    Manner { model: model.unwrap_or_else(|| MODEL.to_owned()), stream, usage }
}

fn asked(body: &[u8]) -> Result<Asked, String> {
    if channel::encode::json_depth(body) > channel::encode::MAX_JSON_DEPTH {
        return Err("the body is nested too deep".to_owned());
    }
    serde_json::from_slice(body)
        .map_err(|error| format!("the body is no chat completion request: line {}", error.line()))
}

/// The newest lines of what was said before, in their order, as many as so many bytes take.
fn newest<'a>(said: impl DoubleEndedIterator<Item = &'a Said>, most: usize) -> Vec<String> {
    let mut bytes = 0;
    let lines = said.rev().map(|said| format!("{}: {}", said.role, text(&said.content)));
    let mut lines: Vec<String> = lines
        .take_while(|line| {
            bytes += line.len() + 1;
            bytes <= most
        })
        .collect();
    lines.reverse();
    lines
}

fn text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let texts = parts.iter().filter_map(|part| part.get("text").and_then(Value::as_str));
            texts.collect::<Vec<_>>().join("\n")
        }
        _ => String::new(),
    }
}

fn images(content: &Value) -> Vec<Image> {
    let parts = content.as_array().map(Vec::as_slice).unwrap_or_default();
    let image = |part: &Value| serde_json::from_value(part.get("image_url")?.clone()).ok();
    parts.iter().filter_map(image).collect()
}

/// Takes the pictures of the last user message out of the request, where they stand in it: a message on the queue is small.
/// `None` where there are none.
///
/// # Errors
/// What is wrong with one of them, for the request's author.
pub fn unpack(body: &[u8]) -> Result<Option<Unpacked>, String> {
    // Whatever else is wrong with the request is said when its question is read.
    let is_sane = channel::encode::json_depth(body) <= channel::encode::MAX_JSON_DEPTH;
    let read = || serde_json::from_slice::<Value>(body).ok();
    let Some(mut request) = is_sane.then(read).flatten() else { return Ok(None) };
    let messages = request.get_mut("messages").and_then(Value::as_array_mut);
    let is_users = |said: &&mut Value| said.get("role").and_then(Value::as_str) == Some("user");
    let last = messages.and_then(|all| all.iter_mut().rfind(is_users));
    let parts = last.and_then(|said| said.get_mut("content")).and_then(Value::as_array_mut);
    let mut pictures = Vec::new();
    for place in parts.into_iter().flatten().filter_map(|part| part.get_mut("image_url")) {
        let url = place.get("url").and_then(Value::as_str);
        let Some(data) = url.and_then(|url| url.strip_prefix("data:")) else { continue };
        let picture = picture(data)?;
        *place = json!({"file": picture.id});
        pictures.push(picture);
    }
    let taken = !pictures.is_empty();
    Ok(taken.then(|| Unpacked { body: request.to_string().into_bytes(), pictures }))
}

/// <https://www.rfc-editor.org/rfc/rfc2397>
fn picture(data: &str) -> Result<Picture, String> {
    let (head, text) = data.split_once(',').unwrap_or((data, ""));
    let media_type = head.strip_suffix(";base64").unwrap_or("").to_ascii_lowercase();
    if !upload::PICTURES.contains(&media_type.as_str()) {
        return Err("a picture in the request is data:image/png, jpeg, gif or webp, in base64".to_owned());
    }
    let bytes = channel::sign::from_base64(text).filter(|bytes| !bytes.is_empty());
    let bytes = bytes.ok_or("the base64 of a picture cannot be read")?;
    if bytes.len() as u64 > upload::LARGEST_PICTURE {
        return Err("a picture may have 3.75 MB".to_owned());
    }
    let id = channel::sign::sha256_hex(&bytes).chars().take(32).collect();
    Ok(Picture { id, media_type, bytes })
}
