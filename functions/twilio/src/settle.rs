//! What Twilio's answers mean: <https://www.twilio.com/docs/api/errors>.

use channel::{Response, Settled, Step};
use serde_json::Value;

use crate::spec::NAME;

const AUTHENTICATION: u64 = 20_003;
const TOO_MANY: u64 = 20_429;
const OPTED_OUT: u64 = 21_610;
const OUTSIDE_WINDOW: u64 = 63_016;

pub fn settle(step: &Step, response: &Response) -> Settled {
    if step.method == "GET" {
        return file(response);
    }
    let body = response.body_json();
    if response.is_success() {
        return Settled::Posted(body.get("sid").and_then(Value::as_str).map(str::to_owned));
    }
    let code = body.get("code").and_then(Value::as_u64).unwrap_or(0);
    match (response.status, code) {
        (429, _) | (_, TOO_MANY) => Settled::Later(response.retry_after()),
        (_, OUTSIDE_WINDOW) => Settled::Gone,
        (_, OPTED_OUT) => Settled::Broken(format!("{code}: this person wrote STOP and takes no messages")),
        (401, _) | (_, AUTHENTICATION) => Settled::Broken(format!(
            "{}: Twilio does not take the API key. Create one and store it as {NAME}'s api_key_sid and api_key_secret",
            response.status
        )),
        (400..=499, code) if code > 0 => {
            let said = body.get("message").and_then(Value::as_str).unwrap_or("");
            Settled::Broken(format!("{code}: {}", said.chars().take(100).collect::<String>()))
        }
        _ => Settled::by_status(response),
    }
}

/// A file is a redirect away.
fn file(response: &Response) -> Settled {
    match (response.status, response.headers.get("location")) {
        (301 | 302 | 303 | 307 | 308, Some(url)) => Settled::Posted(Some(url.to_owned())),
        (200..=299, _) => Settled::Fetched(response.body.clone()),
        _ => Settled::by_status(response),
    }
}
