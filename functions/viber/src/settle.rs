//! What Viber's answers mean: <https://developers.viber.com/docs/api/rest-bot-api/#error-codes>.

use channel::{Response, Settled, Step};
use serde_json::Value;

use crate::spec::NAME;

const INVALID_AUTH_TOKEN: u64 = 2;
const NOT_REGISTERED: u64 = 5;
const NOT_SUBSCRIBED: u64 = 6;
const TOO_MANY: u64 = 12;

pub fn settle(step: &Step, response: &Response) -> Settled {
    if !response.is_success() {
        return Settled::by_status(response);
    }
    if step.method == "GET" {
        return Settled::Fetched(response.body.clone());
    }
    let body = response.body_json();
    let Some(status) = body.get("status").and_then(Value::as_u64) else {
        return Settled::Broken("an answer without a status".to_owned());
    };
    match status {
        0 => Settled::Posted(match body.get("message_token") {
            Some(Value::Number(token)) => Some(token.to_string()),
            Some(Value::String(token)) => Some(token.clone()),
            _ => None,
        }),
        // More than 100 messages within an hour to somebody who does not answer, too:
        // creators.viber.com/docs/bots-api/resources/messaging/send-message
        TOO_MANY => Settled::Later(response.retry_after()),
        INVALID_AUTH_TOKEN => Settled::Broken(format!(
            "{status}: Viber does not take the token. Copy it from the bot's Edit Info and store it as {NAME}'s auth_token"
        )),
        NOT_REGISTERED | NOT_SUBSCRIBED => {
            Settled::Broken(format!("{status}: this person takes no messages of the bot any more"))
        }
        _ => {
            let said = body.get("status_message").and_then(Value::as_str).unwrap_or("");
            Settled::Broken(format!("{status}: {}", said.chars().take(100).collect::<String>()))
        }
    }
}
