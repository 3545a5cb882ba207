//! From an answer to signed POSTs.

use channel::markdown::{CommonMark, Plain, render};
use channel::{Address, Auth, Body, Fetch, Part, Post, PostContext, Step, Target};
use serde_json::{Value, json};

use crate::spec::SPEC;

pub fn post(parts: &[Part], to: &Address, ctx: &PostContext<'_>) -> Post {
    let texts = parts.iter().flat_map(|part| match part {
        Part::Text(text) if ctx.plain => render(text, &Plain, SPEC.text),
        Part::Text(text) => render(text, &CommonMark, SPEC.text),
        // Programs do not watch anybody type.
        Part::Typing | Part::Dismiss => Vec::new(),
    });
    let steps = texts.enumerate().map(|(index, text)| reply(&text, to, ctx, ctx.part_key(index))).collect();
    Post { steps }
}

/// Signed anew on every try, under an id that stays the same: by it the program knows a repetition
/// (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>).
fn reply(text: &str, to: &Address, ctx: &PostContext<'_>, id: String) -> Step {
    let mut data = json!({
        "conversation_id": to.chat,
        "in_reply_to": to.reply_to,
        "text": text,
        "format": if ctx.plain { "text" } else { "markdown" },
    });
    if let (Some(thread), Value::Object(fields)) = (&to.thread, &mut data) {
        fields.insert("thread_id".to_owned(), json!(thread));
    }
    let timestamp = jiff::Timestamp::from_millisecond(ctx.now).unwrap_or_default().to_string();
    Step::json("reply", "", json!({"type": "message.reply", "timestamp": timestamp, "data": data}))
        .auth(Auth::StandardWebhook { secret: "reply_secret".to_owned(), id })
        .repeatable()
}

/// An attachment, where the program said it lies.
pub fn fetch(what: &Fetch) -> Post {
    Post { steps: vec![Step::new("GET", Target::Url(what.id.clone()), Body::None)] }
}
