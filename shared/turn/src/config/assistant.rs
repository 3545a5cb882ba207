//! Who answers: model, prompt, memory, tools.

use serde::{Deserialize, Serialize};

use super::is_default;

/// Who answers, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Assistant {
    /// Name of an entry of `models`.
    #[serde(default = "default_name")]
    pub model: String,
    /// Names of entries of `models` that people may choose with `/model`; owners may choose every one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<String>,
    /// Name of the entry of `models` that turns voice messages into text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transcribe: Option<String>,
    /// What the model is told first: a template (see [`crate::template`]), or `builtin:<name>`.
    #[serde(default = "default_prompt")]
    pub prompt: String,
    /// The answer to `/start`, in place of the one to `/help`; a template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub greeting: Option<String>,
    #[serde(default)]
    pub history: History,
    #[serde(default, skip_serializing_if = "is_default")]
    pub memory: Memory,
    #[serde(default, skip_serializing_if = "is_default")]
    pub reset: Reset,
    /// The time zone of all its times: `Europe/Berlin`, `+02:00`; UTC otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Names of entries of `tools`, or of built-in ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<String>,
    /// Names of entries of `hooks`, in the order in which they run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hooks: Vec<String>,
    /// Names of entries of `commands` that it knows; all of them where none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub disclosure: Disclosure,
    /// What is said in place of our own line that an assistant answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disclosure_text: Option<String>,
    /// The language of our own lines, as a code (`de`); guessed from the message where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

impl Default for Assistant {
    fn default() -> Assistant {
        Assistant {
            model: default_name(),
            models: Vec::new(),
            transcribe: None,
            prompt: default_prompt(),
            greeting: None,
            history: History::default(),
            memory: Memory::default(),
            reset: Reset::default(),
            zone: None,
            tools: Vec::new(),
            hooks: Vec::new(),
            commands: Vec::new(),
            disclosure: Disclosure::default(),
            disclosure_text: None,
            language: None,
        }
    }
}

fn default_name() -> String {
    "default".to_owned()
}

fn default_prompt() -> String {
    "You are a helpful assistant in a chat. Answer briefly and in the language of the question.".to_owned()
}

/// How much of the conversation the model sees again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct History {
    /// Estimated tokens, newest turns first.
    pub tokens: u32,
    /// Days after which a turn is forgotten.
    pub days: u32,
    /// What no longer fits is told by a summary, which a model call of its own writes.
    #[serde(skip_serializing_if = "is_true")]
    pub summary: bool,
}

impl Default for History {
    fn default() -> History {
        History { tokens: 4_000, days: 30, summary: true }
    }
}

fn is_true(value: &bool) -> bool {
    *value
}

/// What is remembered of a person for good, in 1:1 chats only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// Notes about the person are kept and shown to the model.
    pub notes: bool,
    /// Estimated tokens of them that stand in every prompt, newest first.
    pub prompt_tokens: u32,
}

impl Default for Memory {
    fn default() -> Memory {
        Memory { notes: true, prompt_tokens: 300 }
    }
}

/// When a conversation starts over by itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Reset {
    /// After so many hours without an answer; 0 = never.
    #[serde(skip_serializing_if = "is_default")]
    pub idle_hours: u32,
    /// Every day at this time of the assistant's zone, `04:00`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub daily_at: Option<String>,
}

/// Whether the first answer of a conversation says that an assistant answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disclosure {
    /// To everybody who is not known as a member of the operator's own workspace.
    #[default]
    Auto,
    Always,
    Never,
}
