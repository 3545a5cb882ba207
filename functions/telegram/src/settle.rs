//! What Telegram's answers mean. <https://core.telegram.org/bots/api#making-requests>

use std::time::Duration;

use channel::{Body, Response, Settled, Step, Target};
use serde_json::Value;

/// Of the platform's own words for our log.
const MAX_REASON_CHARS: usize = 200;

pub fn settle(step: &Step, response: &Response) -> Settled {
    if response.is_success() && is_download(step) {
        return Settled::Fetched(response.body.clone());
    }
    let answer = response.body_json();
    if answer.get("ok").and_then(Value::as_bool).unwrap_or(response.is_success()) {
        return Settled::Posted(id(&answer));
    }
    refused(step, &answer, response)
}

fn is_download(step: &Step) -> bool {
    matches!(&step.target, Target::Base { path, .. } if path.starts_with("/file/"))
}

/// The message's id, or the path of a file that `getFile` found.
fn id(answer: &Value) -> Option<String> {
    let result = answer.get("result")?;
    let message = result.get("message_id").and_then(Value::as_i64).map(|id| id.to_string());
    message.or_else(|| result.get("file_path").and_then(Value::as_str).map(str::to_owned))
}

/// The message that a step edits.
fn edited(step: &Step) -> Option<String> {
    let Body::Json(body) = &step.body else { return None };
    body.get("message_id").and_then(Value::as_i64).map(|id| id.to_string())
}

fn refused(step: &Step, answer: &Value, response: &Response) -> Settled {
    let code = answer.get("error_code").and_then(Value::as_u64).unwrap_or(u64::from(response.status));
    let said = answer.get("description").and_then(Value::as_str).unwrap_or("");
    let wait = answer.pointer("/parameters/retry_after").and_then(Value::as_u64);
    match code {
        408 | 425 | 429 | 500..=599 => {
            let wait = wait.map(|seconds| Duration::from_secs(seconds.min(86_400)));
            Settled::Later(wait.or_else(|| response.retry_after()))
        }
        // The edit came twice.
        400 if said.contains("message is not modified") => Settled::Posted(edited(step)),
        400 if said.contains("can't parse entities") => Settled::Unformatted,
        // The message says that already.
        400 if said.contains("message is not modified") => Settled::Posted(None),
        // The draft was deleted, or is too old: the answer becomes a message of its own.
        400 if said.contains("message to edit not found") || said.contains("message can't be edited") => {
            Settled::Gone
        }
        // It cannot fetch a file: without markup that is a link.
        400 if said.contains("HTTP URL content") || said.contains("web page content") => Settled::Unformatted,
        // Blocked by the user, removed from the group, no such chat, wrong token: no other way would reach them.
        _ if said.is_empty() => Settled::Broken(format!("HTTP {}", response.status)),
        _ => Settled::Broken(said.chars().take(MAX_REASON_CHARS).collect()),
    }
}
