//! What LINE's answers mean: <https://developers.line.biz/en/reference/messaging-api/#status-codes>.

use channel::{Response, Settled, Step};
use serde_json::Value;

use crate::spec::NAME;

pub fn settle(step: &Step, response: &Response) -> Settled {
    let body = response.body_json();
    let said = body.get("message").and_then(Value::as_str).unwrap_or("");
    match response.status {
        200 if step.method == "GET" => Settled::Fetched(response.body.clone()),
        // The file is still being converted.
        202 if step.method == "GET" => Settled::Later(None),
        200..=299 => {
            let id = body.pointer("/sentMessages/0/id").and_then(Value::as_str);
            Settled::Posted(id.map(str::to_owned))
        }
        // This key came before: LINE has posted it.
        409 => Settled::Posted(None),
        400 if said.contains("Invalid reply token") => Settled::Gone,
        401 => Settled::Broken(format!(
            "401: LINE does not take the channel access token. Issue one in the console and store it as {NAME}'s channel_access_token"
        )),
        429 if said.contains("monthly limit") => Settled::Broken(
            "429: the account's messages of this month are used up; replies within a minute stay free"
                .to_owned(),
        ),
        400 | 403 if !said.is_empty() => Settled::Broken(said.chars().take(100).collect()),
        _ => Settled::by_status(response),
    }
}
