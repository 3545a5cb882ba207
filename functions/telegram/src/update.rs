//! What of an `Update` matters here. Everything else is left unread, so that it may change.
//! <https://core.telegram.org/bots/api#update>

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

#[derive(Deserialize)]
pub struct Update {
    pub update_id: i64,
    pub message: Option<Message>,
    pub callback_query: Option<CallbackQuery>,
    pub edited_message: Option<IgnoredAny>,
}

#[derive(Deserialize)]
pub struct CallbackQuery {
    pub id: String,
    pub from: User,
    /// The message with the button; at least its chat and id.
    pub message: Option<Message>,
    pub data: Option<String>,
}

#[derive(Deserialize)]
pub struct Message {
    pub message_id: i64,
    pub from: Option<User>,
    pub chat: Chat,
    #[serde(default)]
    pub date: i64,
    pub message_thread_id: Option<i64>,
    /// Replies in ordinary groups have a thread id too; only with this it is a topic.
    #[serde(default)]
    pub is_topic_message: bool,
    /// A post of the channel that the group belongs to.
    #[serde(default)]
    pub is_automatic_forward: bool,
    pub reply_to_message: Option<RepliedTo>,
    pub text: Option<String>,
    #[serde(default)]
    pub entities: Vec<Entity>,
    pub caption: Option<String>,
    #[serde(default)]
    pub caption_entities: Vec<Entity>,
    pub rich_message: Option<Value>,
    /// The same picture in several sizes, the largest last.
    #[serde(default)]
    pub photo: Vec<File>,
    /// Animations come as documents too.
    pub document: Option<File>,
    pub voice: Option<File>,
    pub audio: Option<File>,
    pub video: Option<File>,
    pub video_note: Option<File>,
    pub sticker: Option<Sticker>,
    pub location: Option<Location>,
    pub contact: Option<Contact>,
}

#[derive(Deserialize)]
pub struct User {
    pub id: i64,
    #[serde(default)]
    pub is_bot: bool,
    #[serde(default)]
    pub first_name: String,
    #[serde(default)]
    pub last_name: String,
    pub username: Option<String>,
}

#[derive(Deserialize)]
pub struct Chat {
    pub id: i64,
    #[serde(rename = "type", default)]
    pub kind: String,
}

#[derive(Deserialize)]
pub struct RepliedTo {
    pub from: Option<User>,
    /// Whatever is written in a topic replies to its beginning, unless it replies to something else.
    pub forum_topic_created: Option<IgnoredAny>,
}

#[derive(Deserialize)]
pub struct Entity {
    #[serde(rename = "type")]
    pub kind: String,
    /// UTF-16 units, as the length.
    pub offset: usize,
    pub length: usize,
    pub user: Option<User>,
}

#[derive(Deserialize)]
pub struct File {
    pub file_id: String,
    pub file_name: Option<String>,
    pub mime_type: Option<String>,
    pub file_size: Option<u64>,
}

#[derive(Deserialize)]
pub struct Sticker {
    pub emoji: Option<String>,
}

#[derive(Deserialize)]
pub struct Location {
    pub latitude: f64,
    pub longitude: f64,
}

#[derive(Deserialize)]
pub struct Contact {
    #[serde(default)]
    pub phone_number: String,
    #[serde(default)]
    pub first_name: String,
}

impl User {
    pub fn name(&self) -> String {
        let name = format!("{} {}", self.first_name, self.last_name);
        match name.trim() {
            "" => self.username.clone().unwrap_or_default(),
            name => name.to_owned(),
        }
    }
}

/// The text of a rich message, a line for each block.
/// <https://core.telegram.org/bots/api#richmessage>
pub fn rich_text(rich: &Value) -> String {
    let mut out = String::new();
    walk(rich, &mut out);
    out.trim().to_owned()
}

fn walk(value: &Value, out: &mut String) {
    match value {
        Value::String(text) => out.push_str(text),
        Value::Array(pieces) => pieces.iter().for_each(|piece| walk(piece, out)),
        Value::Object(fields) => {
            for name in ["summary", "text", "expression", "alternative_text", "caption"] {
                fields.get(name).into_iter().for_each(|field| walk(field, out));
            }
            for lines in ["blocks", "items", "cells"].iter().filter_map(|name| fields.get(*name)?.as_array())
            {
                for line in lines {
                    end_line(out);
                    walk(line, out);
                }
                end_line(out);
            }
            // Alone of all that has text, a table's cell has no type.
            if !fields.contains_key("type") && fields.contains_key("text") {
                out.push('\t');
            }
        }
        _ => {}
    }
}

fn end_line(out: &mut String) {
    if !out.is_empty() && !out.ends_with('\n') {
        out.push('\n');
    }
}
