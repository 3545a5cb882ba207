//! An answer as activities:
//! <https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-send-and-receive-messages>.

use std::borrow::Cow;

use channel::markdown::{Dialect, Near, Plain, render};
use channel::{Address, Auth, Body, Choice, Fetch, Part, Post, PostContext, Step, Target, encode};
use serde_json::{Value, json};

use crate::spec::{SPEC, TOKEN};
use crate::stream;

/// Where [`Address::data`] keeps the address that the activity came from.
pub const SERVICE_URL: &str = "service_url";

/// What the id of a [`Fetch`] begins with that the bot's token opens.
pub const WITH_TOKEN: &str = "token:";

/// What Teams shows everywhere: no headings, no tables, no escapes in code.
/// <https://learn.microsoft.com/microsoftteams/platform/bots/how-to/format-your-bot-messages>
pub const MARKDOWN: Near = Near { headings: 0, tables: false, short_fences: true, harmless: as_it_is };

/// Only an entity makes a mention; `@` is text.
fn as_it_is(text: &str) -> Cow<'_, str> {
    Cow::Borrowed(text)
}

pub fn post(parts: &[Part], to: &Address, ctx: &PostContext<'_>) -> Post {
    let mut steps = Vec::new();
    for part in parts {
        match part {
            Part::Typing => steps.push(send(to, json!({"type": "typing"})).optional()),
            Part::Dismiss | Part::Outcome(_) => {}
            Part::Draft { text, posted, grown } if stream::is_meant(grown, posted.as_deref(), to, ctx) => {
                steps.extend(stream::draft(text, posted.as_deref(), grown, to));
            }
            Part::Draft { text, posted, .. } => {
                let so_far = messages(text, ctx.plain).into_iter().next();
                steps.extend(so_far.map(|message| match posted {
                    Some(posted) => edit(to, posted, message).optional(),
                    None => send(to, message).optional(),
                }));
            }
            Part::Edit { posted, text, grown } => {
                let mut messages = messages(text, ctx.plain).into_iter();
                let first = messages.next();
                steps.extend(first.map(|message| match stream::goes_on(grown, &message) {
                    true => stream::finish(to, posted, message),
                    false => edit(to, posted, message),
                }));
                steps.extend(messages.map(|message| send(to, message)));
            }
            Part::Media(media) if media.is_image() && !ctx.plain => {
                let mut message =
                    messages(&media.caption, false).into_iter().next().unwrap_or(json!({"type": "message"}));
                let image =
                    json!({"contentType": media.media_type, "contentUrl": media.url, "name": media.name});
                set(&mut message, "attachments", json!([image]));
                steps.push(send(to, message));
            }
            Part::Buttons { text, choices } if !ctx.plain && fit(text, choices) => {
                let mut messages = messages(text, false);
                if let Some(last) = messages.last_mut() {
                    set(last, "suggestedActions", suggested(choices));
                }
                steps.extend(messages.into_iter().map(|message| send(to, message)));
            }
            Part::Text(_) | Part::Media(_) | Part::Buttons { .. } => {
                let text = part.as_text().unwrap_or_default();
                steps.extend(messages(&text, ctx.plain).into_iter().map(|message| send(to, message)));
            }
        }
    }
    Post { steps }
}

pub fn fetch(what: &Fetch) -> Post {
    let get = |url: &str| Step::new("GET", Target::Url(url.to_owned()), Body::None);
    let step = match what.id.strip_prefix(WITH_TOKEN) {
        Some(url) => get(url).auth(Auth::Token(TOKEN.to_owned())),
        None => get(&what.id),
    };
    Post { steps: vec![step] }
}

/// The id under which the service knows the place.
fn conversation(to: &Address) -> String {
    match &to.thread {
        Some(thread) => format!("{};messageid={thread}", to.chat),
        None => to.chat.clone(),
    }
}

fn messages(markdown: &str, plain: bool) -> Vec<Value> {
    let (dialect, format): (&dyn Dialect, _) =
        if plain { (&Plain, "plain") } else { (&MARKDOWN, "markdown") };
    let texts = render(markdown, dialect, SPEC.text).into_iter();
    texts.map(|text| json!({"type": "message", "textFormat": format, "text": text})).collect()
}

pub fn send(to: &Address, activity: Value) -> Step {
    call("POST", to, "", activity)
}

fn edit(to: &Address, posted: &str, activity: Value) -> Step {
    call("PUT", to, &format!("/{}", encode::segment(posted)), activity).repeatable()
}

fn call(method: &str, to: &Address, rest: &str, activity: Value) -> Step {
    let service = to.data.get(SERVICE_URL).map_or("", |url| url.trim_end_matches('/'));
    let place = encode::segment(&conversation(to));
    let url = format!("{service}/v3/conversations/{place}/activities{rest}");
    Step::new(method, Target::Url(url), Body::Json(activity)).auth(Auth::Token(TOKEN.to_owned()))
}

/// Teams shows three: <https://learn.microsoft.com/microsoftteams/platform/bots/how-to/conversations/suggested-actions>.
fn fit(text: &str, choices: &[Choice]) -> bool {
    !text.trim().is_empty() && (1..=3).contains(&choices.len())
}

/// `imBack` says the value in the person's name.
fn suggested(choices: &[Choice]) -> Value {
    let action = |choice: &Choice| json!({"type": "imBack", "title": choice.label, "value": choice.says});
    json!({"actions": choices.iter().map(action).collect::<Vec<_>>()})
}

pub fn set(message: &mut Value, name: &str, value: Value) {
    if let Some(fields) = message.as_object_mut() {
        fields.insert(name.to_owned(), value);
    }
}
