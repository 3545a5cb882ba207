//! A channel, or one account on it: who may talk, who answers, how.

use std::collections::BTreeMap;

use channel::{OnDoubt, Spec, Step};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A channel, or one account on it. `settings` holds what only the channel's room understands.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Channel {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<Access>,
    /// Name of an entry of `assistants`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assistant: Option<String>,
    /// What a message does that comes while an answer is being written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlap: Option<Overlap>,
    /// What is done about a message to the platform that may or may not be posted, where it has no key for repetitions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_doubt: Option<OnDoubt>,
    /// Platform ids of those who may talk under `access: list`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<String>,
    /// Hours for which the assistant is silent in a conversation after a human on the business's side wrote there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause_hours: Option<u32>,
    /// How an answer is shown while it is being written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub streaming: Option<Streaming>,
    /// Hosts whose pictures an answer may show as pictures, `*.example.com` for all below one; others stay links. What a
    /// model is talked into can leave in an address, so there is none unless set.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media_hosts: Vec<String>,
    /// What the model is told first here, in place of the assistant's own prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// Names of entries of `assistants` that people may choose here with `/assistant`; owners may choose every one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assistants: Vec<String>,
    /// What is different in some conversations, by the platform's id of the chat.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub conversations: BTreeMap<String, Conversation>,
    /// Other addresses for the platform's bases.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub urls: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub accounts: BTreeMap<String, Channel>,
    #[serde(flatten)]
    pub settings: Map<String, Value>,
}

/// What a message does that comes while an answer is being written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overlap {
    /// It waits; all that wait are then answered together.
    #[default]
    Coalesce,
    /// The answer is given up and written anew, for both.
    Interrupt,
    /// It waits, and gets an answer of its own.
    Each,
}

/// Who may talk to the assistant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Who claimed it with `crabhook claim`.
    Owner,
    /// Owners, and the `people` of the configuration.
    List,
    /// Owners, and whom the operator let in with `crabhook people allow`.
    Pairing,
    /// Members of the platform's tenant.
    Workspace,
    /// Everybody.
    Open,
}

/// What is different in one conversation.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Conversation {
    /// Name of an entry of `assistants`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assistant: Option<String>,
    /// What the model is told first here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
}

/// How an answer is shown while it is being written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Streaming {
    /// It is posted when it is complete.
    Off,
    /// A message is posted early and edited as it grows.
    Edit,
    /// By the platform's own way of showing an answer that is being written, where the chat has one; else as `edit`.
    Native,
}

impl Channel {
    /// What the room is given as `settings`.
    pub fn room_settings(&self) -> Value {
        let mut settings = self.settings.clone();
        if !self.urls.is_empty() {
            settings.insert("urls".to_owned(), serde_json::json!(self.urls));
        }
        Value::Object(settings)
    }

    /// What the room's webhook function is given: the same, and who may talk where it turns away by itself whom nobody would
    /// answer.
    pub fn webhook_settings(&self, room: &dyn channel::Channel) -> Value {
        let mut settings = self.room_settings();
        if let Value::Object(settings) = &mut settings
            && room.reads_access()
        {
            settings.insert("access".to_owned(), serde_json::json!(self.access(room.spec())));
        }
        settings
    }

    /// As set, unless every message on the platform has a reply slot of its own.
    pub fn overlap(&self, spec: &Spec) -> Overlap {
        match spec.overlap {
            channel::Overlap::Each => Overlap::Each,
            channel::Overlap::Coalesce => self.overlap.unwrap_or_default(),
        }
    }

    /// The step with what a retry does that finds it begun and not known to have ended: as set, unless repeating it changes nothing.
    pub fn doubted(&self, step: Step) -> Step {
        match self.on_doubt {
            Some(on_doubt) if !step.repeatable => step.on_doubt(on_doubt),
            _ => step,
        }
    }

    /// When the assistant may answer again in a conversation in which a human on the business's side wrote at `now`,
    /// Unix milliseconds.
    pub fn paused_until(&self, now: i64) -> i64 {
        now + i64::from(self.pause_hours.unwrap_or(PAUSE_HOURS)) * 3_600_000
    }

    /// Who may talk: as set, else members of the tenant where the platform has one, else owners only.
    pub fn access(&self, spec: &Spec) -> Access {
        self.access.unwrap_or(if spec.tenant { Access::Workspace } else { Access::Owner })
    }
}

/// Hours of silence after a human's own message, unless set.
const PAUSE_HOURS: u32 = 12;

/// Keys that every channel has. `public_url` is the address that the platform knows, where something stands in front of
/// the function: the scheme and host that signatures cover.
pub const COMMON_KEYS: &[&str] = &[
    "access",
    "assistant",
    "assistants",
    "prompt",
    "conversations",
    "streaming",
    "media_hosts",
    "overlap",
    "on_doubt",
    "people",
    "pause_hours",
    "urls",
    "accounts",
    "public_url",
];
