//! What the table's answers mean.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html>

use channel::{Body, Response, Settled, Step, Target};
use serde_json::Value;

use crate::outbox::SIGN;

/// Refusals with a 400 that pass.
const NOT_NOW: [&str; 4] = [
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
    "TransactionConflictException",
];

pub fn settle(step: &Step, response: &Response) -> Settled {
    if matches!(step.target, Target::Url(_) | Target::Answer) {
        return match Settled::by_status(response) {
            Settled::Posted(_) => Settled::Fetched(response.body.clone()),
            settled => settled,
        };
    }
    let said = response.body_json();
    // `com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException`
    let kind = said.get("__type").and_then(Value::as_str).unwrap_or("").rsplit('#').next().unwrap_or("");
    match response.status {
        200..=299 => Settled::Posted(key(step)),
        // It is there from an earlier try.
        400 if kind == "ConditionalCheckFailedException" => Settled::Posted(key(step)),
        400 if NOT_NOW.contains(&kind) => Settled::Later(None),
        400..=499 if response.status != 429 && response.status != 408 => {
            Settled::Broken(format!("the table answers {} {kind}", response.status))
        }
        _ => Settled::by_status(response),
    }
}

/// The item's key, by which its like is known. What is being written is a sign, not a reply.
fn key(step: &Step) -> Option<String> {
    let Body::JsonWithSecrets { value, .. } = &step.body else { return None };
    let key = value.pointer("/Item/sk/S").and_then(Value::as_str);
    key.filter(|key| *key != SIGN).map(str::to_owned)
}
