//! What a message holds: its content is JSON in a text, of another form for every kind.
//! <https://open.feishu.cn/document/server-docs/im-v1/message-content-description/message_content>

use serde::Deserialize;
use serde_json::Value;

/// What a message says, and its files.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Said {
    pub text: String,
    pub files: Vec<File>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct File {
    /// What it is fetched as: `image` or `file`.
    pub kind: &'static str,
    pub key: String,
    pub name: String,
    pub media_type: &'static str,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Content {
    text: String,
    title: String,
    /// Paragraphs of elements.
    content: Vec<Vec<Element>>,
    image_key: String,
    file_key: String,
    file_name: String,
    name: String,
    latitude: Value,
    longitude: Value,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Element {
    tag: String,
    text: String,
    href: String,
    user_id: String,
    emoji_type: String,
    image_key: String,
    file_key: String,
}

/// `None` where it is of a kind that is not known.
pub fn read(kind: &str, content: &str) -> Option<Said> {
    let content: Content = serde_json::from_str(content).ok()?;
    let words = |text: String| Some(Said { text, files: Vec::new() });
    match kind {
        "text" => words(content.text),
        "post" => Some(rich(content)),
        "image" => only(image(content.image_key)),
        "file" => only(file(content.file_key, content.file_name, "")),
        "audio" => only(file(content.file_key, "audio.opus".to_owned(), "audio/ogg")),
        "media" => only(file(content.file_key, content.file_name, "video/mp4")),
        // Its picture cannot be fetched.
        "sticker" => words("[sticker]".to_owned()),
        "location" => {
            let at = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            words(format!(
                "[location: {}, {}, {}]",
                content.name,
                at(&content.latitude),
                at(&content.longitude)
            ))
        }
        _ => None,
    }
}

fn only(file: Option<File>) -> Option<Said> {
    file.map(|file| Said { text: String::new(), files: vec![file] })
}

fn image(key: String) -> Option<File> {
    let name = "image.png".to_owned();
    (!key.is_empty()).then_some(File { kind: "image", key, name, media_type: "image/png" })
}

fn file(key: String, name: String, media_type: &'static str) -> Option<File> {
    let name = if name.is_empty() { "file".to_owned() } else { name };
    (!key.is_empty()).then_some(File { kind: "file", key, name, media_type })
}

/// Rich text: a title, and paragraphs of words, links, mentions and pictures.
fn rich(content: Content) -> Said {
    let mut files = Vec::new();
    let mut lines = vec![content.title];
    for paragraph in content.content {
        let mut line = String::new();
        for element in paragraph {
            match element.tag.as_str() {
                "a" if element.href != element.text => {
                    line.push_str(&format!("{} ({})", element.text, element.href));
                }
                "at" => line.push_str(&element.user_id),
                "emotion" => line.push_str(&format!(":{}:", element.emoji_type)),
                "img" => files.extend(image(element.image_key)),
                "media" => files.extend(file(element.file_key, "video.mp4".to_owned(), "video/mp4")),
                "hr" => line.push_str("———"),
                _ => line.push_str(&element.text),
            }
        }
        lines.push(line);
    }
    lines.retain(|line| !line.trim().is_empty());
    Said { text: lines.join("\n"), files }
}
