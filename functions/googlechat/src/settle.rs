//! What Google's answers mean: <https://google.aip.dev/193>; how much it takes: <https://developers.google.com/workspace/chat/limits>.

use channel::{Response, Settled, Step, Target};
use serde_json::Value;

use crate::spec::{NAME, OAUTH, SERVICE_ACCOUNT, TOKEN};

pub fn settle(step: &Step, response: &Response) -> Settled {
    if matches!(&step.target, Target::Base { base, .. } if base == OAUTH) {
        return token(response);
    }
    let body = response.body_json();
    let status = body.pointer("/error/status").and_then(Value::as_str);
    match response.status {
        200..=299 if step.method == "GET" => Settled::Fetched(response.body.clone()),
        200..=299 => Settled::Posted(body.get("name").and_then(Value::as_str).map(str::to_owned)),
        401 => Settled::Renew(TOKEN.to_owned()),
        403 => Settled::Broken(format!(
            "{}: the app is not in this space any more, or the secret {SERVICE_ACCOUNT} of {NAME} is of another project than the app",
            short(status.unwrap_or("HTTP 403"))
        )),
        // The name of the error only: its message may quote our text.
        400 => Settled::Broken(short(status.unwrap_or("HTTP 400"))),
        _ => Settled::by_status(response),
    }
}

/// <https://developers.google.com/identity/protocols/oauth2/service-account#error-codes>
fn token(response: &Response) -> Settled {
    let body = response.body_json();
    match body.get("error").and_then(Value::as_str) {
        Some(error @ ("invalid_grant" | "invalid_client" | "unauthorized_client")) => {
            Settled::Broken(format!(
                "{error}: Google does not take the service account's key. It may be deleted: make a new one and store its file as {NAME}'s {SERVICE_ACCOUNT}"
            ))
        }
        Some(error) if response.status < 500 => Settled::Broken(short(error)),
        _ => Settled::by_status(response),
    }
}

fn short(text: &str) -> String {
    text.chars().take(100).collect()
}
