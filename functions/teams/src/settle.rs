//! What the service's answers mean: <https://learn.microsoft.com/microsoftteams/platform/bots/how-to/rate-limit>.

use channel::{Body, Response, Settled, Step, Target};
use serde_json::Value;

use crate::spec::{LOGIN, NAME, TOKEN};

pub fn settle(step: &Step, response: &Response) -> Settled {
    if matches!(&step.target, Target::Base { base, .. } if base == LOGIN) {
        return token(response);
    }
    let body = response.body_json();
    if step.stream && !matches!(response.status, 401 | 412 | 429 | 500..=599) {
        return streamed(step, response.status, &body);
    }
    match response.status {
        200..=299 if step.method == "GET" => Settled::Fetched(response.body.clone()),
        200..=299 => Settled::Posted(body.get("id").and_then(Value::as_str).map(str::to_owned)),
        401 => Settled::Renew(TOKEN.to_owned()),
        // Teams asks to try again after these too.
        412 => Settled::Later(None),
        400 | 403 => Settled::Broken(match body.pointer("/error/code").and_then(Value::as_str) {
            Some("BotNotInConversationRoster") => {
                "BotNotInConversationRoster: the bot is not in this chat any more; install it again"
                    .to_owned()
            }
            Some(code) => code.chars().take(100).collect(),
            None => format!("HTTP {}", response.status),
        }),
        _ => Settled::by_status(response),
    }
}

/// Of a stream: <https://learn.microsoft.com/microsoftteams/platform/bots/streaming-ux#response-codes>. A 202 may say that the
/// call came too late and was left out: the next one says all of it once more.
fn streamed(step: &Step, status: u16, body: &Value) -> Settled {
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str);
    let stream = match &step.body {
        Body::Json(activity) => activity.pointer("/entities/0/streamId").and_then(Value::as_str),
        _ => None,
    };
    match status {
        200..=299 => Settled::Posted(stream.or(text("/id")).map(str::to_owned)),
        // "Content stream was canceled by user.", with one `l` or two.
        403 if text("/error/message").is_some_and(|why| why.contains("cancel")) => Settled::Stopped,
        // Over, too late, not allowed, or something else than before: as an edit.
        _ => Settled::Gone,
    }
}

/// <https://learn.microsoft.com/entra/identity-platform/reference-error-codes>
fn token(response: &Response) -> Settled {
    let body = response.body_json();
    match body.get("error").and_then(Value::as_str) {
        Some(error @ ("invalid_client" | "unauthorized_client")) => Settled::Broken(format!(
            "{error}: Microsoft Entra does not take the app's secret. It may be over: make a new one and store it as {NAME}'s app_password"
        )),
        Some(error) if response.status < 500 => Settled::Broken(error.chars().take(100).collect()),
        _ => Settled::by_status(response),
    }
}
