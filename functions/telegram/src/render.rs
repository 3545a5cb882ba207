//! From an answer to calls of the Bot API.

use channel::markdown::render;
use channel::{Address, Body, Fetch, Part, Post, PostContext, Step, Target};
use serde_json::{Value, json};

use crate::html::{Html, Unmarked};
use crate::spec::SPEC;

/// Under which [`Address::data`] keeps the id of a pressed button.
pub const CALLBACK: &str = "callback_query_id";

pub fn post(parts: &[Part], to: &Address, ctx: &PostContext<'_>) -> Post {
    let mut steps = Vec::new();
    // Until then the button shows that it is waiting. Only the first call counts, Telegram refuses the others.
    if let Some(query) = to.data.get(CALLBACK) {
        steps.push(call("answerCallbackQuery", json!({CALLBACK: query})).optional());
    }
    let mut quote = to.reply_to.as_deref();
    for part in parts {
        match part {
            Part::Typing => {
                let mut body = json!({"action": "typing"});
                place(&mut body, to);
                steps.push(call("sendChatAction", body).optional());
            }
            Part::Dismiss => {}
            Part::Text(text) => {
                let texts = if ctx.plain {
                    render(text, &Unmarked, SPEC.text)
                } else {
                    render(text, &Html, SPEC.text)
                };
                steps.extend(texts.into_iter().map(|text| send(text, to, quote.take(), ctx.plain)));
            }
        }
    }
    Post { steps }
}

/// <https://core.telegram.org/bots/api#sendmessage>
fn send(text: String, to: &Address, quote: Option<&str>, plain: bool) -> Step {
    let mut body = json!({"text": text, "link_preview_options": {"is_disabled": true}});
    place(&mut body, to);
    if !plain {
        set(&mut body, "parse_mode", json!("HTML"));
    }
    if let Some(quote) = quote {
        let quote = json!({"message_id": number(quote), "allow_sending_without_reply": true});
        set(&mut body, "reply_parameters", quote);
    }
    call("sendMessage", body)
}

fn place(body: &mut Value, to: &Address) {
    set(body, "chat_id", number(&to.chat));
    if let Some(topic) = &to.thread {
        set(body, "message_thread_id", number(topic));
    }
}

fn set(body: &mut Value, name: &str, value: Value) {
    if let Some(fields) = body.as_object_mut() {
        fields.insert(name.to_owned(), value);
    }
}

/// An id as Telegram gave it. What is none is passed on for Telegram to refuse.
fn number(id: &str) -> Value {
    id.parse::<i64>().map_or_else(|_| json!(id), |id| json!(id))
}

/// The path of a method.
pub fn path(method: &str) -> String {
    format!("/bot{{bot_token}}/{method}")
}

pub fn call(method: &str, body: Value) -> Step {
    Step::json("api", path(method), body)
}

/// <https://core.telegram.org/bots/api#getfile>: its answer names a path, under which the file is for an hour. Files
/// over 20 MB are refused.
pub fn fetch(what: &Fetch) -> Post {
    let download = Target::Base { base: "api".to_owned(), path: "/file/bot{bot_token}/{answer}".to_owned() };
    Post { steps: vec![call("getFile", json!({"file_id": what.id})), Step::new("GET", download, Body::None)] }
}
