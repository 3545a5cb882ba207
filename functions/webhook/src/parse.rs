//! From an authentic event to the message in it.

use channel::{
    Address, Attachment, Content, Context, Conversation, Fetch, Home, INBOUND_VERSION, Inbound, Kind,
    Received, Response, Sender, Verified,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::verify::delivery_id;

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    /// When it happened, RFC 3339; a delivery's own timestamp is that of its attempt.
    timestamp: Option<String>,
    #[serde(default)]
    data: Value,
}

#[derive(Deserialize)]
struct Created {
    conversation_id: String,
    thread_id: Option<String>,
    message_id: Option<String>,
    #[serde(default)]
    is_group: bool,
    /// Looked at in groups only.
    #[serde(default)]
    mentions_bot: bool,
    user: User,
    #[serde(default)]
    text: String,
    #[serde(default)]
    attachments: Vec<File>,
}

#[derive(Deserialize)]
struct User {
    id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    bot: bool,
}

#[derive(Deserialize)]
struct File {
    url: String,
    #[serde(default)]
    mime: String,
    #[serde(default)]
    name: String,
    size: Option<u64>,
}

pub fn parse(event: &Verified<'_>, ctx: &Context<'_>) -> Received {
    let Some(Event { kind, timestamp, data }) = event.json::<Event>() else {
        return ignored("unknown", "this is no JSON with a type");
    };
    if kind != "message.created" {
        return Received::Nothing(Response::empty(204), "unknown");
    }
    let created = match serde_json::from_value::<Created>(data) {
        Ok(created) => created,
        Err(error) => return ignored("incomplete", &format!("data: {error}")),
    };
    if created.user.bot {
        return ignored("bot", "written by a bot");
    }
    if created.text.trim().is_empty() && created.attachments.is_empty() {
        return ignored("empty", "neither text nor attachments");
    }
    let at =
        timestamp.and_then(|at| at.parse::<jiff::Timestamp>().ok()).map_or(ctx.now, |at| at.as_millisecond());
    Received::Events {
        ack: Response::json(202, &json!({"status": "queued"})),
        on_failure: Response::json(503, &json!({"status": "not queued, please send again"})),
        inbound: vec![inbound(created, delivery_id(event.request()), at, ctx)],
    }
}

/// Taken, because a sender that gets no 2xx sends again; with the reason, because its author reads it.
fn ignored(kind: &'static str, reason: &str) -> Received {
    Received::Nothing(Response::json(202, &json!({"status": "ignored", "reason": reason})), kind)
}

fn inbound(created: Created, delivery: &str, at: i64, ctx: &Context<'_>) -> Inbound {
    let Created { conversation_id: chat, thread_id: thread, message_id, user, .. } = created;
    let attachment = |file: File| Attachment {
        name: file.name,
        media_type: file.mime,
        size: file.size,
        fetch: Fetch { account: ctx.account.to_owned(), id: file.url },
    };
    Inbound {
        v: INBOUND_VERSION,
        id: delivery.to_owned(),
        channel: "webhook".to_owned(),
        account: ctx.account.to_owned(),
        conversation: Conversation { chat: chat.clone(), thread: thread.clone() },
        kind: if created.is_group { Kind::Group } else { Kind::Dm },
        sender: Sender { id: user.id, name: user.name, home: Home::Unknown, bot: user.bot, lookup: None },
        addressed: !created.is_group || created.mentions_bot,
        content: Content::text(created.text),
        attachments: created.attachments.into_iter().map(attachment).collect(),
        at,
        address: Address {
            channel: "webhook".to_owned(),
            account: ctx.account.to_owned(),
            chat,
            thread,
            // Whoever has no ids of messages knows the delivery.
            reply_to: Some(message_id.unwrap_or_else(|| delivery.to_owned())),
            ..Address::default()
        },
        echo_of: None,
        due: false,
    }
}
