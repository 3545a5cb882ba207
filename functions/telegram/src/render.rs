//! From an answer to calls of the Bot API.

use channel::markdown::render;
use channel::{Address, Body, Choice, Fetch, Media, Part, Post, PostContext, Step, Target};
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
            Part::Dismiss | Part::Outcome(_) => {}
            Part::Draft { text, posted, .. } => {
                let so_far = texts(text, ctx.plain).into_iter().next();
                steps.extend(so_far.map(|text| match posted {
                    Some(posted) => edit(posted, text, to, ctx.plain).optional(),
                    None if shows_drafts(to, ctx.settings) => draft(text, to, ctx).optional(),
                    None => send(text, to, quote.take(), ctx.plain).optional(),
                }));
            }
            Part::Edit { posted, text, .. } => {
                let mut texts = texts(text, ctx.plain).into_iter();
                steps.extend(texts.next().map(|text| edit(posted, text, to, ctx.plain)));
                steps.extend(texts.map(|text| send(text, to, None, ctx.plain)));
            }
            Part::Media(media) if !ctx.plain && is_fetched(media) => {
                steps.push(file(media, to, quote.take()))
            }
            Part::Text(_) | Part::Media(_) | Part::Buttons { .. } => {
                let pressable = if ctx.plain { None } else { keyboard(part) };
                let text = match part {
                    Part::Buttons { text, .. } if pressable.is_some() => text.into(),
                    part => part.as_text().unwrap_or_default(),
                };
                let texts = texts(&text, ctx.plain).into_iter();
                let mut sent: Vec<Step> = texts.map(|text| send(text, to, quote.take(), ctx.plain)).collect();
                if let (Some(Body::Json(body)), Some(keyboard)) =
                    (sent.last_mut().map(|step| &mut step.body), pressable)
                {
                    set(body, "reply_markup", keyboard);
                }
                steps.extend(sent);
            }
        }
    }
    Post { steps }
}

fn texts(text: &str, plain: bool) -> Vec<String> {
    if plain { render(text, &Unmarked, SPEC.text) } else { render(text, &Html, SPEC.text) }
}

/// Drafts are for private chats, whose ids are those of the users: groups have negative ones.
fn shows_drafts(to: &Address, settings: &Value) -> bool {
    settings.get("streaming").and_then(Value::as_str) != Some("edit") && !to.chat.starts_with('-')
}

/// <https://core.telegram.org/bots/api#sendmessagedraft>: the user sees the text grow; it is gone after 30 seconds, or with the
/// answer. What has the same id is the same draft.
fn draft(text: String, to: &Address, ctx: &PostContext<'_>) -> Step {
    let key = ctx.part_key(0);
    let id = key.get(..7).and_then(|digits| i32::from_str_radix(digits, 16).ok()).unwrap_or(0);
    let mut body = json!({"draft_id": id.max(1), "text": text});
    place(&mut body, to);
    if !ctx.plain {
        set(&mut body, "parse_mode", json!("HTML"));
    }
    call("sendMessageDraft", body).repeatable()
}

/// <https://core.telegram.org/bots/api#editmessagetext>
fn edit(posted: &str, text: String, to: &Address, plain: bool) -> Step {
    let mut body = json!({"text": text, "chat_id": number(&to.chat), "message_id": number(posted),
        "link_preview_options": {"is_disabled": true}});
    if !plain {
        set(&mut body, "parse_mode", json!("HTML"));
    }
    call("editMessageText", body).repeatable()
}

/// <https://core.telegram.org/bots/api#sendphoto>: Telegram fetches photos up to 5 MB and other files up to 20 MB.
fn file(media: &Media, to: &Address, quote: Option<&str>) -> Step {
    // 1,024 characters with all markup taken off; that many with it are never more.
    let limit = channel::Limit { max: 1024, ..SPEC.text };
    let caption = render(&media.caption, &Html, limit).into_iter().next().unwrap_or_default();
    let (method, field) =
        if media.is_image() { ("sendPhoto", "photo") } else { ("sendDocument", "document") };
    let mut body = json!({"caption": caption, "parse_mode": "HTML"});
    set(&mut body, field, json!(media.url));
    place(&mut body, to);
    quoting(&mut body, quote);
    call(method, body)
}

/// Of other files than photos Telegram fetches only these: <https://core.telegram.org/bots/api#sending-files>.
fn is_fetched(media: &Media) -> bool {
    media.is_image() || matches!(media.media_type.as_str(), "application/pdf" | "application/zip")
}

/// The choices as buttons, one a row; `None` where one is too long for Telegram.
/// <https://core.telegram.org/bots/api#inlinekeyboardbutton>: 1 to 64 bytes come back.
fn keyboard(part: &Part) -> Option<Value> {
    let Part::Buttons { text, choices } = part else { return None };
    let fits = |choice: &Choice| (1..=64).contains(&choice.says.len());
    if text.trim().is_empty() || !choices.iter().all(fits) {
        return None;
    }
    let row = |choice: &Choice| json!([{"text": choice.label, "callback_data": choice.says}]);
    Some(json!({"inline_keyboard": choices.iter().map(row).collect::<Vec<_>>()}))
}

/// <https://core.telegram.org/bots/api#sendmessage>
fn send(text: String, to: &Address, quote: Option<&str>, plain: bool) -> Step {
    let mut body = json!({"text": text, "link_preview_options": {"is_disabled": true}});
    place(&mut body, to);
    if !plain {
        set(&mut body, "parse_mode", json!("HTML"));
    }
    quoting(&mut body, quote);
    call("sendMessage", body)
}

fn quoting(body: &mut Value, quote: Option<&str>) {
    if let Some(quote) = quote {
        let quote = json!({"message_id": number(quote), "allow_sending_without_reply": true});
        set(body, "reply_parameters", quote);
    }
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
