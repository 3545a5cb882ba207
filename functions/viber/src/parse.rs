//! What an authentic request says: <https://developers.viber.com/docs/api/rest-bot-api/#receive-message-from-user>.

use channel::{Attachment, Context, Fetch, Inbound, Received, Response, Sender, Verified};
use serde::Deserialize;
use serde_json::Value;

use crate::spec::NAME;

#[derive(Deserialize, Default)]
#[serde(default)]
struct Event {
    event: String,
    /// Milliseconds, as a rule: Viber's own examples hold numbers that are no time at all.
    timestamp: Value,
    /// 64 bits: more than a floating-point number holds.
    message_token: Value,
    sender: Party,
    message: Message,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Party {
    id: String,
    name: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Message {
    #[serde(rename = "type")]
    kind: String,
    text: Option<String>,
    media: Option<String>,
    file_name: Option<String>,
    size: Option<u64>,
    sticker_id: Option<u64>,
    contact: Contact,
    location: Location,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Contact {
    name: Option<String>,
    phone_number: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Location {
    lat: f64,
    lon: f64,
}

pub fn parse(verified: &Verified<'_>, ctx: &Context<'_>) -> Received {
    let Some(event) = verified.json::<Event>() else { return nothing("unknown body") };
    match event.event.as_str() {
        // Comes while the address is being set, and has to be answered with 200.
        "webhook" => Received::Handshake(Response::empty(200)),
        "message" => said(event, ctx).map_or_else(nothing, |inbound| Received::Events {
            ack: Response::empty(200),
            on_failure: Response::empty(503),
            inbound: vec![inbound],
        }),
        // Somebody opened the chat; nothing is said yet.
        "conversation_started" => nothing("conversation started"),
        "subscribed" | "unsubscribed" => nothing("membership"),
        "delivered" | "seen" => nothing("receipt"),
        "failed" => nothing("failed delivery"),
        _ => nothing("unknown event"),
    }
}

fn nothing(kind: &'static str) -> Received {
    Received::Nothing(Response::empty(200), kind)
}

/// The message, or why it is none to answer.
fn said(event: Event, ctx: &Context<'_>) -> Result<Inbound, &'static str> {
    let Event { message_token, sender, message, .. } = event;
    let id = match message_token {
        Value::Number(token) => token.to_string(),
        Value::String(token) => token,
        _ => String::new(),
    };
    if sender.id.is_empty() || id.is_empty() {
        return Err("no sender");
    }
    let (text, attachment) = content(message, ctx.account).ok_or("unknown message")?;
    if text.trim().is_empty() && attachment.is_none() {
        return Err("empty");
    }
    let from = Sender::new(&sender.id, sender.name.as_deref().unwrap_or(""));
    let mut inbound = Inbound::new(NAME, ctx, id, &sender.id, from, text);
    inbound.attachments = attachment.into_iter().collect();
    inbound.at = event.timestamp.as_i64().filter(|at| (1..=ctx.now).contains(at)).unwrap_or(ctx.now);
    Ok(inbound)
}

/// What a message says, and its file.
fn content(message: Message, account: &str) -> Option<(String, Option<Attachment>)> {
    let text = message.text.unwrap_or_default();
    let file = |url: String, name: &str, media_type: &str| {
        let given = message.file_name.clone().filter(|name| !name.is_empty());
        let name = given.unwrap_or_else(|| name.to_owned());
        let fetch = Fetch { account: account.to_owned(), id: url };
        Some(Attachment { name, media_type: media_type.to_owned(), size: message.size, fetch })
    };
    Some(match (message.kind.as_str(), message.media) {
        // What is pressed on a keyboard comes so, too.
        ("text", _) => (text, None),
        ("picture", Some(url)) => (text, file(url, "picture.jpg", "image/jpeg")),
        ("video", Some(url)) => (text, file(url, "video.mp4", "video/mp4")),
        ("file", Some(url)) => (text, file(url, "file", "")),
        ("url", Some(url)) if text.is_empty() => (url, None),
        ("url", Some(url)) => (format!("{text}\n{url}"), None),
        ("sticker", _) => match message.sticker_id {
            Some(id) => (format!("[sticker: {id}]"), None),
            None => ("[sticker]".to_owned(), None),
        },
        ("contact", _) => {
            let Contact { name, phone_number } = message.contact;
            let known: Vec<String> = [name, phone_number].into_iter().flatten().collect();
            (format!("[contact: {}]", known.join(", ")), None)
        }
        ("location", _) => (format!("[location: {}, {}]", message.location.lat, message.location.lon), None),
        _ => return None,
    })
}
