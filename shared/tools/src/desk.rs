//! The built-in tools that change something of ours: what the model is told of them and how its arguments are read. The
//! [`Desk`] does them, for this crate knows neither table nor queue.

#[cfg(test)]
mod tests;
mod when;

use jiff::tz::TimeZone;
use model::ToolSpec;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use turn::config::ToolKind;
use turn::reminders::Repeat;

use crate::ToolResult;

/// Texts that are kept or said later, bytes.
const MAX_TEXT: usize = 2_000;

/// Who does what the built-in tools ask for. Answers are for the model: what was done (`Ok`), or why it was not (`Err`).
#[async_trait::async_trait]
pub trait Desk: Send + Sync {
    /// Keeps a note about the person.
    async fn remember(&self, text: &str) -> Result<String, String>;

    /// Forgets the note of that id.
    async fn forget(&self, id: &str) -> Result<String, String>;

    /// Has the assistant say something in this conversation later.
    async fn remind(&self, reminder: &Reminder) -> Result<String, String>;

    /// The person's reminders that are still to come.
    async fn list_reminders(&self) -> Result<String, String>;

    /// Takes back the reminder of that id.
    async fn cancel_reminder(&self, id: &str) -> Result<String, String>;

    /// Tells the operators that a person should go on here.
    async fn hand_off(&self, reason: &str) -> Result<String, String>;
}

/// What is to be said later.
#[derive(Clone, PartialEq, Eq)]
pub struct Reminder {
    /// The first time, Unix milliseconds.
    pub at: i64,
    pub text: String,
    /// How often it comes again, and the time of its end, Unix milliseconds.
    pub repeat: Option<(Repeat, i64)>,
    /// The same on every try of the turn: under it, it is scheduled once.
    pub key: String,
}

/// Something that the desk does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Remember,
    Forget,
    Remind,
    ListReminders,
    CancelReminder,
    HandOff,
}

#[derive(Deserialize)]
struct Remind {
    when: String,
    text: String,
    #[serde(default)]
    repeat: Option<String>,
    #[serde(default)]
    until: Option<String>,
}

#[derive(Deserialize)]
struct Text {
    text: String,
}

#[derive(Deserialize)]
struct Id {
    id: Value,
}

#[derive(Deserialize)]
struct HandOff {
    reason: String,
}

/// What a kind of tool does; the first goes by the tool's name, the others by their own. Who can set reminders can take them back.
pub(crate) fn acts(kind: ToolKind) -> &'static [Act] {
    match kind {
        ToolKind::RemindMe => &[Act::Remind, Act::ListReminders, Act::CancelReminder],
        ToolKind::Remember => &[Act::Remember],
        ToolKind::Forget => &[Act::Forget],
        ToolKind::HandOff => &[Act::HandOff],
        _ => &[],
    }
}

impl Act {
    /// Whether it leaves everything as it is.
    pub fn only_reads(self) -> bool {
        self == Act::ListReminders
    }

    /// What the model is told of it.
    pub fn spec(self) -> ToolSpec {
        let text = |about: &str| json!({"type": "string", "description": about});
        let (name, description, required, properties) = match self {
            Act::Remind => (
                "remind_me",
                "Reminds the person in this chat, once or again and again. Work the time out yourself from the present one.",
                &["when", "text"][..],
                json!({
                    "when": text("the (first) time: ISO 8601 with date and time, such as 2026-03-01T09:00; in the person's time zone unless it has an offset"),
                    "text": text("what to say then, to the person"),
                    "repeat": {"type": "string", "enum": Repeat::ALL.map(Repeat::name), "description": "only where it is to come again, at the same time of day"},
                    "until": text("the last date of one that repeats; a year after the first unless given"),
                }),
            ),
            Act::ListReminders => (
                "list_reminders",
                "The person's reminders that are still to come, each with its id.",
                &[][..],
                json!({}),
            ),
            Act::CancelReminder => (
                "cancel_reminder",
                "Takes back one of the person's reminders.",
                &["id"][..],
                json!({"id": text("its id, as list_reminders or remind_me said")}),
            ),
            Act::Remember => (
                "remember",
                "Keeps a lasting fact about the person for all later conversations. Only what they would want kept.",
                &["text"][..],
                json!({"text": text("one short sentence")}),
            ),
            Act::Forget => (
                "forget",
                "Forgets one of the notes about the person.",
                &["id"][..],
                json!({"id": text("the note's id, as it stands before it")}),
            ),
            Act::HandOff => (
                "hand_off",
                "Asks a human colleague to take over this chat. Use it when asked for a human, or when you cannot help.",
                &["reason"][..],
                json!({"reason": text("what the person needs, in one sentence for the colleague")}),
            ),
        };
        let schema = json!({"type": "object", "required": required, "properties": properties});
        ToolSpec { name: name.to_owned(), description: description.to_owned(), schema }
    }
}

/// Does it. `now` is Unix milliseconds.
pub(crate) async fn call(
    act: Act,
    arguments: Value,
    desk: &dyn Desk,
    zone: &TimeZone,
    key: &str,
    now: i64,
) -> ToolResult {
    match told(act, arguments, desk, zone, key, now).await {
        Ok(text) => ToolResult::ok(text),
        Err(text) => ToolResult::error(text),
    }
}

async fn told(
    act: Act,
    arguments: Value,
    desk: &dyn Desk,
    zone: &TimeZone,
    key: &str,
    now: i64,
) -> Result<String, String> {
    match act {
        Act::Remind => {
            let Remind { when, text, repeat, until } = read(arguments)?;
            let at = when::time(&when, zone, now)?;
            let repeat = when::repeat(repeat.as_deref(), until.as_deref(), at, zone)?;
            desk.remind(&Reminder { at, text: some(text)?, repeat, key: key.to_owned() }).await
        }
        Act::ListReminders => desk.list_reminders().await,
        Act::CancelReminder => desk.cancel_reminder(&id(arguments)?).await,
        Act::Remember => desk.remember(&some(read::<Text>(arguments)?.text)?).await,
        Act::Forget => desk.forget(&id(arguments)?).await,
        Act::HandOff => desk.hand_off(&some(read::<HandOff>(arguments)?.reason)?).await,
    }
}

/// The arguments in their form.
pub(crate) fn read<T: DeserializeOwned>(arguments: Value) -> Result<T, String> {
    serde_json::from_value(arguments).map_err(|error| format!("the arguments are wrong: {error}"))
}

/// Ids look like numbers, and models write them so.
fn id(arguments: Value) -> Result<String, String> {
    Ok(match read::<Id>(arguments)?.id {
        Value::String(id) => id.trim().to_owned(),
        id => id.to_string(),
    })
}

fn some(text: String) -> Result<String, String> {
    let text = text.trim();
    match text.len() {
        0 => Err("the text is empty".to_owned()),
        1..=MAX_TEXT => Ok(text.to_owned()),
        _ => Err(format!("the text is longer than {MAX_TEXT} bytes: make it shorter")),
    }
}
