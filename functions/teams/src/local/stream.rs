//! Teams' side of a stream: <https://learn.microsoft.com/microsoftteams/platform/bots/streaming-ux#response-codes>.

use channel::local::{Answer, Growing, Said, Streams};
use channel::{sign, text};
use serde_json::{Value, json};

use super::{number, quiet};
use crate::spec::SPEC;

pub fn play(place: &str, activity: &Value, streams: &mut Streams) -> Answer {
    let field = |pointer: &str| activity.pointer(pointer).and_then(Value::as_str);
    let sequence = activity.pointer("/entities/0/streamSequence").and_then(Value::as_u64);
    let is_final = field("/type") == Some("message") && field("/entities/0/streamType") == Some("final");
    let is_typing = field("/type") == Some("typing") && field("/entities/0/streamType") == Some("streaming");
    let text = field("/text").unwrap_or("");
    if text.is_empty() || !text::fits(text, SPEC.text) || !(is_final && sequence.is_none() || is_typing) {
        return refused(400, "BadRequest", "Start streaming activities should include text");
    }
    match field("/entities/0/streamId") {
        // Where a 1:1 chat begins with `a:`.
        None if !place.starts_with("a:") || is_final => not_allowed("Content stream is not allowed"),
        None if streams.values().any(|growing| growing.open && growing.place == place) => {
            not_allowed("Content stream is not allowed")
        }
        None if sequence != Some(1) => refused(400, "BadRequest", "the sequence begins with 1"),
        None => {
            let id =
                number(&sign::sha256_hex(format!("{activity} {}", streams.len()).as_bytes())).to_string();
            let place = place.to_owned();
            let growing = Growing { place, text: text.to_owned(), calls: 1, open: true };
            let said = shown(&growing);
            streams.insert(id.clone(), growing);
            Answer { said, ..quiet(201, json!({"id": id})) }
        }
        Some(id) => match streams.get_mut(id).filter(|growing| growing.place == place) {
            None => refused(400, "BadRequest", "no such stream"),
            Some(growing) if !growing.open => {
                not_allowed("Content stream is not allowed on an already completed streamed message")
            }
            Some(growing) if !text.starts_with(&growing.text) => {
                not_allowed("the text does not begin with what was streamed before")
            }
            Some(growing) if is_typing && sequence.is_none_or(|sequence| sequence <= growing.calls) => {
                refused(202, "ContentStreamSequenceOrderPreConditionFailed", "out of order")
            }
            Some(growing) => {
                growing.text = text.to_owned();
                growing.calls = sequence.unwrap_or(growing.calls);
                growing.open = is_typing;
                Answer { said: shown(growing), ..quiet(202, json!({})) }
            }
        },
    }
}

fn shown(growing: &Growing) -> Vec<Said> {
    vec![Said { reply_key: growing.place.clone(), text: growing.text.clone() }]
}

fn not_allowed(why: &str) -> Answer {
    refused(403, "ContentStreamNotAllowed", why)
}

fn refused(status: u16, code: &str, why: &str) -> Answer {
    quiet(status, json!({"error": {"code": code, "message": why}}))
}
