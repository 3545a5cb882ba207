//! What the record is made of.

use channel::ConversationKey;
use channel::local::Look;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::platform::Call;

/// A chat on the page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Chat {
    pub channel: String,
    pub user: String,
    /// A group; `None` = alone with the assistant.
    pub conversation: Option<String>,
}

/// An event that the page sent in a platform's place.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Delivery {
    pub n: u64,
    /// Unix milliseconds.
    pub at: i64,
    #[serde(flatten)]
    pub chat: Chat,
    pub text: String,
    /// A button was pressed.
    pub pressed: bool,
    /// What was changed about its proof, where it is forged.
    pub forged: Option<String>,
    /// The message's id as the logs have it; `None` where the request holds no message.
    pub message: Option<String>,
    pub conversation_key: Option<ConversationKey>,
    pub reply_key: String,
    pub request: Value,
    pub ack: Option<Ack>,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct Ack {
    /// 0 = there was none.
    pub status: u16,
    pub body: String,
    pub ms: u64,
    /// It says that the message will be answered.
    pub taken: bool,
}

/// A queue message that went to the invoker, once for every time.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Given {
    pub at: i64,
    pub channel: String,
    pub message: String,
    pub job: String,
    pub receives: u32,
    /// A place for one process of the invoker at a time.
    pub worker: u64,
    /// The process; 0 = it has not started yet.
    pub pid: u32,
    pub over_at: Option<i64>,
    /// The process answered; else it died.
    pub whole: bool,
    /// `Acknowledged`, or `Returned(seconds)`.
    pub outcome: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct Called {
    #[serde(flatten)]
    pub call: Call,
    pub look: Look,
    pub place: Option<String>,
}

/// A message that people see.
#[derive(Debug, Clone)]
pub(super) struct Appeared {
    pub at: i64,
    pub chat: Chat,
    pub id: String,
    pub html: String,
}

/// A turn as the invoker's line `done` tells of it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct TurnSeen {
    pub number: u32,
    pub messages: Vec<String>,
    pub posted_at: Option<i64>,
}

pub(super) fn turns(line: &Value) -> Vec<TurnSeen> {
    let listed = line.get("turns").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    listed.iter().filter_map(|turn| serde_json::from_value(turn.clone()).ok()).collect()
}
