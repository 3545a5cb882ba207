//! An answer as calls of LINE's API.

use std::borrow::Cow;

use channel::markdown::{Plain, render};
use channel::{
    Address, Auth, Body, Choice, Fetch, Media, Part, Post, PostContext, Step, Target, Way, encode,
};
use serde_json::{Value, json};

use crate::spec::{ACCESS_TOKEN, SPEC};

/// Where [`Address::data`] keeps the token for a direct reply.
pub const REPLY_TOKEN: &str = "reply_token";

/// For 24 hours the same key makes no second push; replies have none, their token counts once.
/// <https://developers.line.biz/en/docs/messaging-api/retrying-api-request/>
pub const RETRY_KEY: &str = "x-line-retry-key";

/// Messages of one call: <https://developers.line.biz/en/reference/messaging-api/#send-push-message>.
const MESSAGES: usize = 5;

pub fn post(parts: &[Part], to: &Address, ctx: &PostContext<'_>) -> Post {
    let mut steps: Vec<Step> = Vec::new();
    let mut messages = Vec::new();
    for part in parts {
        match part {
            Part::Typing => steps.extend(typing(to)),
            Part::Media(media) if media.is_image() && media.url.starts_with("https://") => {
                messages.extend(image(media));
            }
            Part::Buttons { text, choices } if fit(text, choices) => {
                let mut said = texts(text);
                if let Some(last) = said.last_mut() {
                    set(last, "quickReply", quick_reply(choices));
                }
                messages.extend(said);
            }
            // No edits, no placeholders.
            part => messages.extend(texts(&part.as_text().unwrap_or(Cow::Borrowed("")))),
        }
    }
    if let (Some(quote), Some(first)) = (&to.reply_to, messages.first_mut())
        && first.get("text").is_some()
    {
        set(first, "quoteToken", json!(quote));
    }
    let token = to.data.get(REPLY_TOKEN).filter(|_| ctx.way == Way::Reply);
    for (index, messages) in messages.chunks(MESSAGES).enumerate() {
        steps.push(match token {
            // It counts once.
            Some(token) if index == 0 => call("reply", json!({"replyToken": token, "messages": messages})),
            _ => call("push", json!({"to": to.chat, "messages": messages}))
                .header(RETRY_KEY, uuid(&ctx.part_key(index)))
                .repeatable(),
        });
    }
    Post { steps }
}

/// Video and audio are still being converted for a while: then it answers 202.
/// <https://developers.line.biz/en/reference/messaging-api/#get-content>
pub fn fetch(what: &Fetch) -> Post {
    let path = format!("/v2/bot/message/{}/content", encode::segment(&what.id));
    let target = Target::Base { base: "data".to_owned(), path };
    Post { steps: vec![Step::new("GET", target, Body::None).auth(Auth::bearer(ACCESS_TOKEN))] }
}

fn texts(markdown: &str) -> Vec<Value> {
    let texts = render(markdown, &Plain, SPEC.text);
    texts.into_iter().map(|text| json!({"type": "text", "text": text})).collect()
}

/// LINE fetches it: JPEG or PNG, at most 10 MB, the preview 1 MB. What is larger it does not show.
fn image(media: &Media) -> Vec<Value> {
    let mut messages =
        vec![json!({"type": "image", "originalContentUrl": media.url, "previewImageUrl": media.url})];
    messages.extend(texts(&media.caption));
    messages
}

/// 13 buttons, labels of 20 characters, texts of 300:
/// <https://developers.line.biz/en/reference/messaging-api/#message-action>.
fn fit(text: &str, choices: &[Choice]) -> bool {
    !texts(text).is_empty()
        && (1..=13).contains(&choices.len())
        && choices.iter().all(|choice| (1..=300).contains(&choice.says.chars().count()))
}

fn quick_reply(choices: &[Choice]) -> Value {
    let item = |choice: &Choice| {
        let label: String = choice.label.chars().take(20).collect();
        json!({"type": "action", "action": {"type": "message", "label": label, "text": choice.says}})
    };
    json!({"items": choices.iter().map(item).collect::<Vec<_>>()})
}

/// Shown in 1:1 chats only: <https://developers.line.biz/en/docs/messaging-api/use-loading-indicator/>.
fn typing(to: &Address) -> Option<Step> {
    let body = json!({"chatId": to.chat, "loadingSeconds": 20});
    let step = Step::json("api", "/v2/bot/chat/loading/start", body).auth(Auth::bearer(ACCESS_TOKEN));
    to.chat.starts_with('U').then(|| step.optional())
}

fn call(method: &str, body: Value) -> Step {
    Step::json("api", format!("/v2/bot/message/{method}"), body).auth(Auth::bearer(ACCESS_TOKEN))
}

/// 32 hexadecimal digits in the form of a UUID.
fn uuid(key: &str) -> String {
    let part = |from: usize, to: usize| key.get(from..to).unwrap_or("");
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}

fn set(message: &mut Value, name: &str, value: Value) {
    if let Some(fields) = message.as_object_mut() {
        fields.insert(name.to_owned(), value);
    }
}
