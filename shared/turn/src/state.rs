//! What a conversation's state is made of: the items that `store` keeps and that every invocation takes up.

use channel::{Address, Inbound, Step, Way};
use serde::{Deserialize, Serialize};

/// The shape of the items as written today; readers accept this one and the one before, and ignore unknown fields.
pub const VERSION: u32 = 1;

/// The head of a conversation: who holds it, and what is committed and not yet posted.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Head {
    #[serde(default)]
    pub v: u32,
    /// Rises with every taking of the lease: the fence of all writes.
    #[serde(default)]
    pub epoch: u64,
    /// The lease's end, Unix milliseconds; 0 = free.
    #[serde(default)]
    pub until: i64,
    /// Rises with every kept message: nobody releases over an arrival that was not looked at.
    #[serde(default)]
    pub rev: u64,
    /// Number of the next turn.
    #[serde(default)]
    pub next: u32,
    /// First turn that the model still sees (`/new` moves it).
    #[serde(default)]
    pub since: u32,
    /// Committed turns not fully posted, oldest first.
    #[serde(default)]
    pub open: Vec<OpenTurn>,
    /// The epoch whose model call is to be stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel: Option<u64>,
    /// `rev` as of the newest message that wants the model call under way to be given up for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interrupt: Option<u64>,
    /// Until then only people answer here, Unix milliseconds.
    #[serde(default)]
    pub paused: i64,
}

/// The states of a turn's parts; their texts and ids live in the [`Turn`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpenTurn {
    pub turn: u32,
    pub parts: Vec<PartState>,
    /// Unix milliseconds before which the platform does not want the next part; 0 = at once.
    #[serde(default)]
    pub wait_until: i64,
    /// How often it was told to wait.
    #[serde(default)]
    pub waits: u32,
    /// Why the rest of it is given up: it becomes a dead letter, and is not posted any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartState {
    Planned,
    /// The call was begun; whether it ended is not known yet.
    Sending,
    Sent,
}

/// A message in the inbox: kept, not yet answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Waiting {
    pub v: u32,
    pub inbound: Inbound,
    /// When it was kept, Unix milliseconds.
    pub kept_at: i64,
    /// Looks at it that were to end in an answer.
    #[serde(default)]
    pub tries: u32,
}

/// One answered turn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Turn {
    pub v: u32,
    pub number: u32,
    /// What was said, in order.
    pub messages: Vec<Spoken>,
    /// CommonMark; empty where nothing is answered (an operator's own words).
    pub answer: String,
    /// The part of the history: false for commands' answers and notices, which the model never sees.
    #[serde(default)]
    pub history: bool,
    pub address: Address,
    /// As a direct reply, or as a message of our own accord once the reply window is over.
    #[serde(default)]
    pub way: Way,
    /// Without markup, because the platform refused it.
    #[serde(default)]
    pub plain: bool,
    /// The planned requests, one a part. Secrets by name only.
    pub steps: Vec<Step>,
    /// The platform's ids of the parts, as they were posted.
    #[serde(default)]
    pub ids: Vec<Option<String>>,
    #[serde(default)]
    pub usage: Usage,
    #[serde(default)]
    pub model: String,
    /// When it was committed, Unix milliseconds.
    pub at: i64,
    /// The user stopped it: the answer is what there was by then.
    #[serde(default)]
    pub stopped: bool,
}

/// A message as the history remembers it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Spoken {
    /// The platform's id of the event.
    pub id: String,
    /// The platform's id of the person.
    pub sender: String,
    pub name: String,
    pub text: String,
    /// Unix milliseconds.
    pub at: i64,
    /// Written by a human on the business's side.
    #[serde(default)]
    pub operator: bool,
}

/// Tokens that a turn cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    pub input: u32,
    pub output: u32,
}
