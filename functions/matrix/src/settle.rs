//! What the homeserver's answers mean: <https://spec.matrix.org/latest/client-server-api/#standard-error-response>.

use std::time::Duration;

use channel::{Response, Settled, Step};
use serde_json::Value;

use crate::spec::NAME;

pub fn settle(step: &Step, response: &Response) -> Settled {
    if response.is_success() {
        if step.method == "GET" {
            return Settled::Fetched(response.body.clone());
        }
        let body = response.body_json();
        let id = body.get("event_id").or_else(|| body.get("content_uri"));
        return Settled::Posted(id.and_then(Value::as_str).map(str::to_owned));
    }
    let body = response.body_json();
    let code = body.get("errcode").and_then(Value::as_str).unwrap_or("");
    match (response.status, code) {
        // The header replaces the field since v1.10: spec.matrix.org/latest/client-server-api/#rate-limiting
        (429, _) | (_, "M_LIMIT_EXCEEDED") => Settled::Later(
            response
                .retry_after()
                .or_else(|| body.get("retry_after_ms").and_then(Value::as_u64).map(Duration::from_millis)),
        ),
        (401, _) => Settled::Broken(format!(
            "401 {code}: the homeserver does not take our token. The registration's as_token and {NAME}'s secret as_token must be the same",
        )),
        // What cannot be uploaded is sent as a link.
        (400..=499, _) if step.file.is_some() => Settled::Unformatted,
        (403, _) => {
            Settled::Broken(format!("403 {code}: the assistant may not write in this room; invite it again"))
        }
        (_, "M_TOO_LARGE") => Settled::Unformatted,
        (400 | 405 | 413, _) => Settled::Broken(format!("{} {}", response.status, short(code))),
        _ => Settled::by_status(response),
    }
}

fn short(code: &str) -> String {
    code.chars().take(100).collect()
}
