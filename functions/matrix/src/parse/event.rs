//! One event of a room: <https://spec.matrix.org/latest/client-server-api/#mroommessage>.

use channel::{Attachment, Context, Fetch, Inbound, Kind, Sender, encode, is_too_large};
use serde::Deserialize;
use serde_json::Value;

use super::Us;
use super::text::{asked, without_quote, without_us};
use crate::render::{AT_ONCE, JOIN, SMALL, WITH_AN_ANSWER};
use crate::spec::NAME;

/// Stands for a message that cannot be read, so that the answer can say so.
const ENCRYPTED: &str =
    "[an encrypted message: the assistant cannot read encrypted rooms, only rooms without encryption]";

#[derive(Deserialize, Default)]
#[serde(default)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    event_id: String,
    room_id: String,
    sender: String,
    origin_server_ts: i64,
    state_key: Option<String>,
    content: Content,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Content {
    msgtype: String,
    body: String,
    formatted_body: String,
    filename: Option<String>,
    /// Of a file that is not encrypted.
    url: Option<String>,
    info: Info,
    geo_uri: Option<String>,
    #[serde(rename = "m.mentions")]
    mentions: Mentions,
    #[serde(rename = "m.relates_to")]
    relates_to: Relation,
    membership: String,
    is_direct: bool,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Info {
    mimetype: Option<String>,
    size: Option<u64>,
    w: Option<u64>,
    h: Option<u64>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Mentions {
    user_ids: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Relation {
    rel_type: Option<String>,
    event_id: Option<String>,
    #[serde(rename = "m.in_reply_to")]
    in_reply_to: Option<Value>,
}

/// The message in an event, or why there is none to answer.
pub fn inbound(event: &[u8], us: Us<'_>, ctx: &Context<'_>) -> Result<Inbound, &'static str> {
    if encode::json_depth(event) > encode::MAX_JSON_DEPTH {
        return Err("unknown event");
    }
    let event: Event = serde_json::from_slice(event).map_err(|_| "unknown event")?;
    if event.event_id.is_empty() || event.room_id.is_empty() || event.sender.is_empty() {
        return Err("unknown event");
    }
    if Some(event.sender.as_str()) == us.id {
        return Err("own message");
    }
    match (event.kind.as_str(), &event.state_key) {
        ("m.room.member", Some(invited)) => invitation(&event, invited, us, ctx),
        (_, Some(_)) => Err("state"),
        ("m.room.message" | "m.sticker", None) => message(event, us, ctx),
        // In rooms it might not have been for us.
        ("m.room.encrypted", None) if us.direct => Ok(said(&event, ENCRYPTED.to_owned(), us, ctx)),
        ("m.room.encrypted", None) => Err("encrypted"),
        ("m.reaction" | "m.room.redaction", None) => Err("reaction"),
        _ => Err("unknown event"),
    }
}

/// An invitation asks what the assistant can do; the answer to it joins first. Without an answer it joins where somebody of our
/// own homeserver invites: before, nothing that is said there reaches us, not even an owner's claim. It goes only where its
/// address is for: else a room would be taken for a direct chat.
fn invitation(event: &Event, invited: &str, us: Us<'_>, ctx: &Context<'_>) -> Result<Inbound, &'static str> {
    if event.content.membership != "invite" || Some(invited) != us.id {
        return Err("membership");
    }
    if event.content.is_direct != us.direct {
        return Err("invitation of the other kind");
    }
    let mut inbound = said(event, "/help".to_owned(), us, ctx);
    let server = |id: &str| id.split_once(':').map(|(_, server)| server.to_owned());
    let ours = us.id.is_some_and(|us| server(us).is_some() && server(us) == server(&event.sender));
    let when = if ours { AT_ONCE } else { WITH_AN_ANSWER };
    inbound.address.data.insert(JOIN.to_owned(), when.to_owned());
    Ok(inbound)
}

fn message(event: Event, us: Us<'_>, ctx: &Context<'_>) -> Result<Inbound, &'static str> {
    let content = &event.content;
    let relation = &content.relates_to;
    match (relation.rel_type.as_deref(), content.msgtype.as_str()) {
        (Some("m.replace"), _) => return Err("edit"),
        // What bots write, so that no bot answers: spec.matrix.org/latest/client-server-api/#mnotice
        (_, "m.notice") => return Err("notice"),
        _ => {}
    }
    let (text, attachment) = self::content(&event, ctx.account).ok_or("unknown message")?;
    let text = if relation.in_reply_to.is_some() { without_quote(&text) } else { &text };
    let meant = content.mentions.user_ids.iter().any(|user| Some(user.as_str()) == us.id);
    let (text, mentioned) = match us.id {
        Some(id) => without_us(text, &content.formatted_body, id, meant),
        None => (text.to_owned(), false),
    };
    if !us.direct && !mentioned {
        return Err("not addressed");
    }
    // Nothing but its name asks what it can do.
    let text = if text.is_empty() && attachment.is_none() { "/help".to_owned() } else { asked(text) };
    let mut inbound = said(&event, text, us, ctx);
    inbound.attachments = attachment.into_iter().collect();
    Ok(inbound)
}

/// A text that somebody wrote in the event's room and thread.
fn said(event: &Event, text: String, us: Us<'_>, ctx: &Context<'_>) -> Inbound {
    let relation = &event.content.relates_to;
    let thread = relation.event_id.clone().filter(|_| relation.rel_type.as_deref() == Some("m.thread"));
    let is_message = event.state_key.is_none();
    let thread = match thread {
        // A question in a room opens a thread.
        None if !us.direct && is_message => Some(event.event_id.clone()),
        thread => thread,
    };
    let sender = Sender::new(&event.sender, "");
    let mut inbound =
        Inbound::new(NAME, ctx, event.event_id.clone(), &event.room_id, sender, text).in_thread(thread);
    if !us.direct {
        inbound.kind = Kind::Group;
    }
    // Other servers may say any time they like.
    inbound.at = if event.origin_server_ts > 0 { event.origin_server_ts.min(ctx.now) } else { ctx.now };
    inbound.address.reply_to = is_message.then(|| event.event_id.clone());
    inbound
}

/// What a message says, and its file. Where a file has a name and other words beside it, these are its caption:
/// <https://spec.matrix.org/latest/client-server-api/#media-captions>.
fn content(event: &Event, account: &str) -> Option<(String, Option<Attachment>)> {
    let content = &event.content;
    let body = content.body.trim();
    let file = || {
        let url = content.url.clone().filter(|url| url.starts_with("mxc://"))?;
        let caption = content.filename.as_deref().filter(|name| *name != body).map_or("", |_| body);
        let info = &content.info;
        let is_small_enough = content.msgtype != "m.image" || !is_too_large(info.size, info.w, info.h);
        let (size, id) = if is_small_enough { (info.size, url) } else { (None, format!("{SMALL}{url}")) };
        let attachment = Attachment {
            name: content.filename.clone().unwrap_or_else(|| body.to_owned()),
            media_type: info.mimetype.clone().unwrap_or_default(),
            size,
            fetch: Fetch { account: account.to_owned(), id },
        };
        Some((caption.to_owned(), Some(attachment)))
    };
    match content.msgtype.as_str() {
        _ if event.kind == "m.sticker" => Some((format!("[sticker: {body}]"), None)),
        "m.text" | "m.emote" => Some((body.to_owned(), None)),
        "m.image" | "m.file" | "m.audio" | "m.video" => file(),
        "m.location" => {
            Some((format!("[location: {body}, {}]", content.geo_uri.as_deref().unwrap_or("")), None))
        }
        _ => None,
    }
}
