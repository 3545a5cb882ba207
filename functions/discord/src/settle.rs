//! What Discord's answers mean: <https://docs.discord.com/developers/topics/opcodes-and-status-codes>.

use std::time::Duration;

use channel::{Body, Response, Settled, Step, Target};
use serde_json::Value;

use crate::spec::NAME;

// Error codes of the JSON body.
const UNKNOWN_CHANNEL: u64 = 10_003;
const UNKNOWN_MESSAGE: u64 = 10_008;
const UNKNOWN_WEBHOOK: u64 = 10_015;
const UNKNOWN_INTERACTION: u64 = 10_062;
const FOLLOW_UPS_USED: u64 = 40_094;
const MISSING_ACCESS: u64 = 50_001;
const CANNOT_MESSAGE_USER: u64 = 50_007;
const MISSING_PERMISSIONS: u64 = 50_013;
const INVALID_WEBHOOK_TOKEN: u64 = 50_027;

pub fn settle(step: &Step, response: &Response) -> Settled {
    let path = match &step.target {
        Target::Url(_) | Target::Answer => return file(response),
        Target::Base { path, .. } => path.as_str(),
    };
    let body = response.body_json();
    if response.is_success() {
        return Settled::Posted(body.get("id").and_then(Value::as_str).map(str::to_owned));
    }
    let code = body.get("code").and_then(Value::as_u64).unwrap_or(0);
    match (response.status, code) {
        (429, _) => Settled::Later(wait(&body, response)),
        // The placeholder is no longer there, which is what was wanted.
        (404, _) if step.method == "DELETE" => Settled::Posted(None),
        // The token is dead, or used up.
        (
            _,
            UNKNOWN_WEBHOOK | UNKNOWN_INTERACTION | UNKNOWN_MESSAGE | FOLLOW_UPS_USED | INVALID_WEBHOOK_TOKEN,
        ) => Settled::Gone,
        (401 | 403, 0) if path.starts_with("/webhooks/") => Settled::Gone,
        (401, _) => Settled::Broken(format!(
            "401: Discord does not take the bot token. Reset it on the app's Bot page and store it as {NAME}'s bot_token"
        )),
        // A file may be too large, of a kind that the server forbids, or the bot may not attach any: it is sent as a link.
        (400..=499, _) if matches!(step.body, Body::Multipart { .. }) => Settled::Unformatted,
        (_, MISSING_ACCESS | MISSING_PERMISSIONS) => Settled::Broken(format!(
            "{code}: the bot may not write in this channel. Add it to the server and let it view the channel and send messages"
        )),
        (_, CANNOT_MESSAGE_USER) => {
            Settled::Broken(format!("{code}: this person takes no direct messages from the bot"))
        }
        (_, UNKNOWN_CHANNEL) => Settled::Gone,
        (400..=499, code) if code > 0 => Settled::Broken(format!("{code}: {}", words(&body))),
        _ => Settled::by_status(response),
    }
}

/// Seconds, also parts of them, in the body; rounded up in the header.
fn wait(body: &Value, response: &Response) -> channel::RetryAfter {
    let seconds = body.get("retry_after").and_then(Value::as_f64);
    let seconds = seconds.filter(|seconds| (0.0..86_400.0).contains(seconds)).map(Duration::from_secs_f64);
    seconds.or(response.retry_after())
}

fn file(response: &Response) -> Settled {
    match Settled::by_status(response) {
        Settled::Posted(_) => Settled::Fetched(response.body.clone()),
        other => other,
    }
}

/// The platform's own words, as long as words are.
fn words(body: &Value) -> String {
    body.get("message").and_then(Value::as_str).unwrap_or("").chars().take(100).collect()
}
