//! What a conversation's state is made of: the items that `store` keeps and that every invocation takes up.

use channel::{Address, Choice, End, Grown, Inbound, Step, Way};
use serde::{Deserialize, Serialize};

use crate::spend::Held;

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
    /// When that was asked, Unix milliseconds: what was kept later is meant to be answered. 0 where the version before asked.
    #[serde(default)]
    pub cancel_at: i64,
    /// `rev` as of the newest message that wants the model call under way to be given up for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interrupt: Option<u64>,
    /// Until then only people answer here, Unix milliseconds.
    #[serde(default)]
    pub paused: i64,
    /// What is shown of the answer that is being written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draft: Option<Draft>,
    /// First turn that the summary does not cover; what stands before it is told by the summary alone.
    #[serde(default, skip_serializing_if = "is_default")]
    pub summary_to: u32,
    /// The assistant that was chosen here, by its name; the configured one otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assistant: Option<String>,
    /// The model that was chosen here, by its name under `models`; the assistant's otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// It was said here that an assistant answers.
    #[serde(default, skip_serializing_if = "is_default")]
    pub disclosed: bool,
    /// When the newest answer was committed, Unix milliseconds; 0 = never.
    #[serde(default, skip_serializing_if = "is_default")]
    pub last_at: i64,
    /// What the answer under way has reserved on the counters of caps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Held>,
}

/// A message of ours on the platform that grows while the model writes; the turn's first part replaces it in the end.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Draft {
    /// Number of the turn that is being written.
    pub turn: u32,
    /// The platform's id of the message.
    pub posted: String,
    /// When it was first shown, Unix milliseconds.
    pub at: i64,
    /// It began as a stream.
    #[serde(default, skip_serializing_if = "is_default")]
    pub stream: bool,
}

/// What a commit changes of HEAD and of earlier turns beside the protocol's own fields. What is `None` stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Change {
    /// First turn that the model still sees.
    pub since: Option<u32>,
    /// First turn that the summary does not cover.
    pub summary_to: Option<u32>,
    /// The assistant chosen; `Some(None)`: the configured one again.
    pub assistant: Option<Option<String>>,
    /// The model chosen; `Some(None)`: the assistant's own again.
    pub model: Option<Option<String>>,
    /// It was said that an assistant answers, or is to be said again.
    pub disclosed: Option<bool>,
    /// When an answer was committed, Unix milliseconds.
    pub last_at: Option<i64>,
    /// The turn that is taken out of the history.
    pub undone: Option<u32>,
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
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
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
    /// The platform's id of the message that showed it while it was written; its beginning takes that one's place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draft: Option<String>,
    /// How that message came to say what it said.
    #[serde(default, skip_serializing_if = "Grown::is_edited")]
    pub grown: Grown,
    /// Said before the answer and no part of it: that an assistant answers, a warning. The model never sees it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub before: String,
    /// The end of the answer, where it asks and can be answered by pressing a button.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buttons: Option<Buttons>,
    /// What became of the question.
    #[serde(default, skip_serializing_if = "is_default")]
    pub end: End,
    #[serde(default)]
    pub usage: Usage,
    #[serde(default)]
    pub model: String,
    /// When it was committed, Unix milliseconds.
    pub at: i64,
    /// The user stopped it: the answer is what there was by then.
    #[serde(default)]
    pub stopped: bool,
    /// The user took it back: the model does not see it any more.
    #[serde(default, skip_serializing_if = "is_default")]
    pub undone: bool,
    /// Name of the assistant that answered.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub assistant: String,
    /// What it cost by the configured prices, millionths of a US dollar.
    #[serde(default, skip_serializing_if = "is_default")]
    pub cost_micro_usd: u64,
    /// Calls of a model that it took.
    #[serde(default, skip_serializing_if = "is_default")]
    pub calls: u32,
    /// Names of the tools that were called, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<String>,
    /// What came with the messages and is in the bucket.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<Kept>,
    /// What tools made for the person: it is sent after the answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub made: Vec<Kept>,
}

/// A file that somebody sent or a tool made, kept for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The sender's or the tool's name for it.
    pub name: String,
    /// Of what is kept: a picture's own, or `text/plain` for the text of a document.
    pub media_type: String,
    /// In the stack's bucket.
    pub key: String,
}

/// A question with answers to choose from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Buttons {
    /// The question: the answer ends with it.
    pub text: String,
    pub choices: Vec<Choice>,
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
    /// What the operator's programs before the model made of the text.
    #[serde(default, skip_serializing_if = "is_default")]
    pub checked: Checked,
}

/// What the operator's programs before the model made of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Checked {
    /// None has seen it.
    #[default]
    Not,
    /// They left it as it was.
    Same,
    /// They changed it: the text is theirs, and the one before is nowhere.
    Changed,
}

/// Tokens that a turn cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// The cached ones included.
    pub input: u32,
    /// Those of thinking included.
    pub output: u32,
    /// Of the input, those that the provider had read before.
    #[serde(default, skip_serializing_if = "is_default")]
    pub cached: u32,
    /// Of the output, those of thinking that nobody sees.
    #[serde(default, skip_serializing_if = "is_default")]
    pub reasoning: u32,
}

/// What earlier turns of a conversation said, in the model's words.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Summary {
    #[serde(default)]
    pub v: u32,
    /// First turn that it does not cover.
    pub upto: u32,
    pub text: String,
}

/// What is remembered of a person for good, because they or the model said so.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Notes {
    #[serde(default)]
    pub v: u32,
    /// Rises with every change.
    #[serde(default)]
    pub rev: u64,
    /// The highest id that was ever given.
    #[serde(default)]
    pub last_id: u32,
    /// Oldest first.
    #[serde(default)]
    pub notes: Vec<Note>,
}

/// One thing that is remembered of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// From 1; never given twice to one person.
    pub id: u32,
    pub text: String,
    /// When it was written down, Unix milliseconds.
    pub at: i64,
}

/// Whether a field need not be written.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
