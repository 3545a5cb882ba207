//! What Slack's answers mean.

use std::time::Duration;

use channel::{Body, Home, Response, Settled, Step, Target};
use serde_json::Value;

use crate::file;
use crate::spec::NAME;

pub fn settle(step: &Step, response: &Response) -> Settled {
    let path = match &step.target {
        Target::Url(_) | Target::Answer if step.method == "GET" => return fetched(response),
        Target::Answer => return file::handed_over(response),
        Target::Url(_) => return responded(response),
        Target::Base { path, .. } => path.as_str(),
    };
    if !response.is_success() {
        return Settled::by_status(response);
    }
    let body = response.body_json();
    let error = body.get("error").and_then(Value::as_str).unwrap_or("no JSON");
    match (body.get("ok").and_then(Value::as_bool), path) {
        (Some(true), "/users.info") => Settled::Person(home(step, body.get("user").unwrap_or(&Value::Null))),
        (Some(true), "/files.getUploadURLExternal") => file::place(&body),
        (Some(true), _) => Settled::Posted(body.get("ts").and_then(Value::as_str).map(str::to_owned)),
        (_, "/users.info") => unknown_person(error, response),
        (_, "/chat.startStream" | "/chat.appendStream" | "/chat.stopStream") => {
            unstreamed(step, error, response)
        }
        (_, "/files.getUploadURLExternal" | "/files.completeUploadExternal") => {
            match failed(step, error, response) {
                // Without the scope, or where the workspace does not take such files, a link does.
                Settled::Broken(_) if !TOKEN.contains(&error) => Settled::Unformatted,
                other => other,
            }
        }
        _ => failed(step, error, response),
    }
}

/// What is said of a bot token that is no longer good.
const TOKEN: [&str; 5] = ["invalid_auth", "account_inactive", "token_revoked", "token_expired", "not_authed"];

/// A method's own error: docs.slack.dev/reference/methods/chat.postMessage, "Errors".
fn failed(step: &Step, error: &str, response: &Response) -> Settled {
    match error {
        "ratelimited" | "rate_limited" => Settled::Later(response.retry_after()),
        // Of the message with our `client_msg_id`, which was posted, and is deleted by now.
        "duplicate_message_not_found" => Settled::Posted(None),
        "internal_error" | "fatal_error" | "service_unavailable" | "request_timeout" => Settled::Later(None),
        // Not a member: a command's or click's own address may still do.
        "channel_not_found" | "not_in_channel" | "user_not_in_channel" => Settled::Gone,
        // Of the draft: docs.slack.dev/reference/methods/chat.update, "Errors". The answer becomes a message of its own.
        "message_not_found" | "cant_update_message" | "edit_window_closed" | "block_mismatch" => {
            Settled::Gone
        }
        // Its end is on the way.
        "streaming_state_conflict" => Settled::Later(Some(Duration::from_secs(1))),
        "invalid_blocks"
        | "invalid_blocks_format"
        | "markdown_text_conflict"
        | "msg_blocks_too_long"
        | "msg_too_long"
        | "no_text"
            if is_markdown(step) =>
        {
            Settled::Unformatted
        }
        _ => Settled::Broken(advice(error, response)),
    }
}

/// Of a stream: docs.slack.dev/reference/methods/chat.appendStream and chat.stopStream, "Errors".
fn unstreamed(step: &Step, error: &str, response: &Response) -> Settled {
    match error {
        "ratelimited" | "rate_limited" => Settled::Later(response.retry_after()),
        "internal_error" | "fatal_error" | "service_unavailable" | "request_timeout" => Settled::Later(None),
        // It was only to be ended, and is over.
        "message_not_in_streaming_state" | "stopped_by_user" if !step.stream => {
            Settled::Posted(message(step))
        }
        "stopped_by_user" => Settled::Stopped,
        error if error == "missing_scope" || TOKEN.contains(&error) => {
            Settled::Broken(advice(error, response))
        }
        _ => Settled::Gone,
    }
}

/// The message that a step names.
fn message(step: &Step) -> Option<String> {
    match &step.body {
        Body::Json(body) => body.get("ts").and_then(Value::as_str).map(str::to_owned),
        _ => None,
    }
}

fn is_markdown(step: &Step) -> bool {
    matches!(&step.body, Body::Json(body) if body.get("markdown_text").is_some())
}

fn advice(error: &str, response: &Response) -> String {
    match error {
        error if TOKEN.contains(&error) => format!(
            "{error}: Slack no longer takes the bot token. Reinstall the app and store its new token as {NAME}'s bot_token"
        ),
        "missing_scope" => {
            let needed = response.body_json();
            let needed = needed.get("needed").and_then(Value::as_str).unwrap_or("a scope");
            let needed = short(needed);
            format!("missing_scope: add {needed} under OAuth & Permissions and reinstall the app")
        }
        "messages_tab_disabled" => {
            "messages_tab_disabled: switch on the Messages Tab under App Home in the app's settings"
                .to_owned()
        }
        _ => short(error),
    }
}

/// Who somebody is: <https://docs.slack.dev/reference/objects/user-object>.
fn home(step: &Step, user: &Value) -> Home {
    let is = |flag: &str| user.get(flag).and_then(Value::as_bool).unwrap_or(false);
    let restricted = ["is_restricted", "is_ultra_restricted", "is_stranger", "deleted"];
    let ours = match &step.body {
        Body::Form(fields) => {
            fields.iter().find(|(name, _)| name == "team_id").map(|(_, team)| team.as_str())
        }
        _ => None,
    };
    let team = user.get("team_id").and_then(Value::as_str);
    let teams = user.pointer("/enterprise_user/teams").and_then(Value::as_array);
    let in_ours = |ours: &str| {
        team == Some(ours) || teams.is_some_and(|teams| teams.iter().any(|team| team.as_str() == Some(ours)))
    };
    match ours.filter(|ours| !ours.is_empty()) {
        _ if !user.is_object() => Home::Unknown,
        _ if restricted.into_iter().any(is) => Home::No,
        Some(ours) if !in_ours(ours) => Home::No,
        _ => Home::Yes,
    }
}

fn unknown_person(error: &str, response: &Response) -> Settled {
    match error {
        "user_not_found" | "user_not_visible" => Settled::Person(Home::No),
        "ratelimited" => Settled::Later(response.retry_after()),
        "missing_scope" => Settled::Person(Home::Unknown),
        _ => Settled::Broken(advice(error, response)),
    }
}

/// Without the scope `files:read` Slack answers a download with a 200 and its log-in page.
fn fetched(response: &Response) -> Settled {
    let kind = response.headers.get("content-type").unwrap_or("");
    match Settled::by_status(response) {
        Settled::Posted(_) if kind.starts_with("text/html") => Settled::Broken(
            "Slack gave its log-in page for a file: add files:read under OAuth & Permissions and reinstall the app".to_owned(),
        ),
        Settled::Posted(_) => Settled::Fetched(response.body.clone()),
        other => other,
    }
}

/// A used-up or expired `response_url` answers 404 with `used_url` or `expired_url`.
fn responded(response: &Response) -> Settled {
    Settled::by_status(response)
}

/// The platform's words, as long as words are.
fn short(words: &str) -> String {
    words.chars().take(100).collect()
}
