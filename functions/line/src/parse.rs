//! What an authentic request says: <https://developers.line.biz/en/reference/messaging-api/#webhook-event-objects>.

use channel::{
    Attachment, Context, Fetch, Inbound, Kind, Received, Response, Sender, Unit, Verified, Window, text,
};
use serde::Deserialize;

use crate::render::REPLY_TOKEN;
use crate::spec::NAME;

/// A reply token counts for about a minute after the event (developers.line.biz/en/reference/messaging-api/#send-reply-message);
/// what LINE refuses within this time is pushed, milliseconds.
const REPLY_MS: i64 = 50_000;

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    events: Vec<Event>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    webhook_event_id: String,
    timestamp: i64,
    mode: String,
    reply_token: Option<String>,
    source: Source,
    message: Message,
    postback: Postback,
    delivery_context: Delivery,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Source {
    user_id: Option<String>,
    group_id: Option<String>,
    room_id: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Message {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    text: String,
    quote_token: Option<String>,
    mention: Mention,
    file_name: Option<String>,
    file_size: Option<u64>,
    keywords: Vec<String>,
    title: Option<String>,
    address: Option<String>,
    latitude: f64,
    longitude: f64,
    content_provider: Provider,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Mention {
    mentionees: Vec<Mentionee>,
}

/// `index` and `length` are in UTF-16 units.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Mentionee {
    index: usize,
    length: usize,
    is_self: bool,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Provider {
    #[serde(rename = "type")]
    kind: String,
    original_content_url: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Postback {
    data: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Delivery {
    is_redelivery: bool,
}

pub fn parse(verified: &Verified<'_>, ctx: &Context<'_>) -> Received {
    let Some(body) = verified.json::<Body>() else { return nothing("unknown body") };
    // The console's button "Verify" sends none.
    if body.events.is_empty() {
        return Received::Handshake(Response::empty(200));
    }
    let mut ignored = "unknown event";
    let read = |event| inbound(event, ctx).map_err(|kind| ignored = kind).ok();
    let inbound: Vec<Inbound> = body.events.into_iter().filter_map(read).collect();
    if inbound.is_empty() {
        return nothing(ignored);
    }
    Received::Events { ack: Response::empty(200), on_failure: Response::empty(503), inbound }
}

fn nothing(kind: &'static str) -> Received {
    Received::Nothing(Response::empty(200), kind)
}

/// The message in an event, or why there is none to answer.
fn inbound(event: Event, ctx: &Context<'_>) -> Result<Inbound, &'static str> {
    // Another service answers at the moment.
    if event.mode == "standby" {
        return Err("standby");
    }
    let message = event.message;
    let (said, attachment) = match event.kind.as_str() {
        "message" => content(&message, ctx.account).ok_or("unknown message")?,
        // A button of a menu that was made elsewhere.
        "postback" => (event.postback.data, None),
        "unsend" => return Err("unsent"),
        "follow" | "unfollow" | "join" | "leave" | "memberJoined" | "memberLeft" => return Err("membership"),
        _ => return Err("unknown event"),
    };
    let group = event.source.group_id.or(event.source.room_id);
    let chat = group.as_ref().or(event.source.user_id.as_ref()).ok_or("no sender")?.clone();
    // People who never agreed to it are not named in groups.
    let user = event.source.user_id.unwrap_or_else(|| format!("{chat}:unnamed"));
    let ours: Vec<&Mentionee> = message.mention.mentionees.iter().filter(|mention| mention.is_self).collect();
    let said_to_us = without(&said, &ours);
    let mut inbound =
        Inbound::new(NAME, ctx, event.webhook_event_id, &chat, Sender::new(&user, ""), said_to_us.clone());
    if group.is_some() {
        inbound.kind = Kind::Group;
        inbound.addressed = !ours.is_empty() || said_to_us.starts_with('/') || event.kind == "postback";
        inbound.address.reply_to = message.quote_token;
    }
    inbound.attachments = attachment.into_iter().collect();
    inbound.at = if event.timestamp > 0 { event.timestamp } else { ctx.now };
    if let Some(token) = event.reply_token {
        // The token of an event that comes again was most likely used or is over.
        let deadline = if event.delivery_context.is_redelivery { 0 } else { inbound.at + REPLY_MS };
        inbound.address.window = Some(Window { deadline, uses: Some(1) });
        inbound.address.data.insert(REPLY_TOKEN.to_owned(), token);
    }
    Ok(inbound)
}

/// What a message says, and its file.
fn content(message: &Message, account: &str) -> Option<(String, Option<Attachment>)> {
    let file = |name: &str, media_type: &str| match &message.content_provider {
        Provider { kind, original_content_url: Some(url) } if kind == "external" => {
            (format!("[file: {url}]"), None)
        }
        _ => {
            let attachment = Attachment {
                name: message.file_name.clone().unwrap_or_else(|| name.to_owned()),
                media_type: media_type.to_owned(),
                size: message.file_size,
                fetch: Fetch { account: account.to_owned(), id: message.id.clone() },
            };
            (String::new(), Some(attachment))
        }
    };
    Some(match message.kind.as_str() {
        "text" => (message.text.clone(), None),
        "image" => file("image.jpg", "image/jpeg"),
        "video" => file("video.mp4", "video/mp4"),
        "audio" => file("audio.m4a", "audio/x-m4a"),
        "file" => file("file", ""),
        "sticker" => (format!("[sticker: {}]", message.keywords.join(", ")), None),
        "location" => {
            let names = [&message.title, &message.address].into_iter().flatten();
            let names: String = names.map(|name| format!("{name}, ")).collect();
            (format!("[location: {names}{}, {}]", message.latitude, message.longitude), None)
        }
        _ => return None,
    })
}

/// The text without these mentions.
fn without(said: &str, mentions: &[&Mentionee]) -> String {
    let mut at = 0;
    let kept = said.chars().filter(|c| {
        let here = at;
        at += text::length(c.encode_utf8(&mut [0; 4]), Unit::Utf16);
        !mentions
            .iter()
            .any(|mention| mention.index <= here && here < mention.index.saturating_add(mention.length))
    });
    kept.collect::<String>().trim().to_owned()
}
