//! Slack's side of a stream: <https://docs.slack.dev/reference/methods/chat.appendStream>.

use channel::local::{Answer, Growing, Said, Streams};
use channel::sign;
use serde_json::{Value, json};

use super::{ok, refused, ts};

/// Of one call, and of the message: docs.slack.dev/reference/methods/chat.startStream.
const MOST: usize = 12_000;

pub fn start(body: &Value, streams: &mut Streams) -> Answer {
    let field = |name: &str| body.get(name).and_then(Value::as_str).filter(|value| !value.is_empty());
    let (Some(channel), Some(thread)) = (field("channel"), field("thread_ts")) else {
        return refused("invalid_arguments");
    };
    if field("recipient_user_id").is_none() || field("recipient_team_id").is_none() {
        return refused("missing_recipient_team_id");
    }
    let text = field("markdown_text").unwrap_or("").to_owned();
    if text.chars().count() > MOST {
        return refused("msg_too_long");
    }
    let id = ts(&sign::sha256_hex(format!("{body} {}", streams.len()).as_bytes()));
    let growing = Growing { place: format!("{channel}:{thread}"), text, calls: 1, open: true };
    shown(channel, id, growing, streams)
}

/// More of it, and then perhaps its end, with blocks below.
pub fn go_on(body: &Value, ends: bool, streams: &mut Streams) -> Answer {
    let field = |name: &str| body.get(name).and_then(Value::as_str);
    let (Some(channel), Some(id)) = (field("channel"), field("ts")) else {
        return refused("invalid_arguments");
    };
    let Some(growing) = streams.get(id).filter(|growing| growing.open) else {
        return refused("message_not_in_streaming_state");
    };
    if growing.place.split(':').next() != Some(channel) {
        return refused("channel_not_found");
    }
    let more = field("markdown_text").unwrap_or("");
    if more.is_empty() && !ends {
        return refused("no_text");
    }
    let question = body.pointer("/blocks/0/text").and_then(Value::as_str).map(|text| format!("\n\n{text}"));
    let text = format!("{}{more}{}", growing.text, question.unwrap_or_default());
    if text.chars().count() > MOST {
        return refused("msg_too_long");
    }
    let growing = Growing { text, calls: growing.calls + 1, open: !ends, ..growing.clone() };
    shown(channel, id.to_owned(), growing, streams)
}

/// While a message is a stream, nobody edits it.
pub fn is_open(body: &Value, streams: &Streams) -> bool {
    let id = body.get("ts").and_then(Value::as_str);
    id.and_then(|id| streams.get(id)).is_some_and(|growing| growing.open)
}

fn shown(channel: &str, id: String, growing: Growing, streams: &mut Streams) -> Answer {
    let said = Said { reply_key: growing.place.clone(), text: growing.text.clone() };
    let response = ok(json!({ "channel": channel, "ts": id }));
    streams.insert(id, growing);
    Answer { response, said: vec![said] }
}
