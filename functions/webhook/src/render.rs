//! From an answer to signed POSTs.

use channel::markdown::{CommonMark, Plain, render};
use channel::{Address, Auth, Body, Fetch, Media, Part, Post, PostContext, Step, Target};
use serde_json::{Value, json};

use crate::spec::SPEC;

pub fn post(parts: &[Part], to: &Address, ctx: &PostContext<'_>) -> Post {
    let mut steps = Vec::new();
    for part in parts {
        let (text, extra) = match part {
            Part::Media(media) => (media.caption.as_str().into(), Some(("attachments", file(media)))),
            Part::Buttons { text, choices } => (text.as_str().into(), Some(("choices", json!(choices)))),
            // Programs do not watch anybody type: signs are left out.
            other => match other.as_text() {
                Some(text) => (text, None),
                None => continue,
            },
        };
        let mut texts =
            if ctx.plain { render(&text, &Plain, SPEC.text) } else { render(&text, &CommonMark, SPEC.text) };
        if texts.is_empty() && extra.is_some() {
            texts.push(String::new());
        }
        let last = texts.len().saturating_sub(1);
        for (index, text) in texts.iter().enumerate() {
            let extra = extra.as_ref().filter(|_| index == last);
            steps.push(reply(text, extra, to, ctx, ctx.part_key(steps.len())));
        }
    }
    Post { steps }
}

fn file(media: &Media) -> Value {
    json!([{"url": media.url, "name": media.name, "mime": media.media_type}])
}

/// Signed anew on every try, under an id that stays the same: by it the program knows a repetition
/// (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>).
fn reply(text: &str, extra: Option<&(&str, Value)>, to: &Address, ctx: &PostContext<'_>, id: String) -> Step {
    let mut data = json!({
        "conversation_id": to.chat,
        "in_reply_to": to.reply_to,
        "text": text,
        "format": if ctx.plain { "text" } else { "markdown" },
    });
    if let Value::Object(fields) = &mut data {
        fields.extend(to.thread.as_ref().map(|thread| ("thread_id".to_owned(), json!(thread))));
        fields.extend(extra.map(|(name, value)| ((*name).to_owned(), value.clone())));
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
