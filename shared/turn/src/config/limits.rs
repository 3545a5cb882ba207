//! Caps: on turns, on tokens, on money.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::is_default;

/// Caps. 0 = none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Turns a day.
    pub per_person: u32,
    /// Turns a day.
    pub per_stack: u32,
    /// Turns a minute in one conversation.
    pub per_minute: u32,
    /// Turns a minute of one person on one channel, in all conversations together.
    pub person_per_minute: u32,
    /// Turns a minute on one channel, everybody together.
    pub channel_per_minute: u32,
    /// Tokens of one answer.
    pub output_tokens: u32,
    /// Tokens, in and out.
    #[serde(skip_serializing_if = "is_default")]
    pub tokens_per_person_day: u32,
    #[serde(skip_serializing_if = "is_default")]
    pub tokens_per_person_month: u32,
    #[serde(skip_serializing_if = "is_default")]
    pub tokens_per_conversation_day: u32,
    #[serde(skip_serializing_if = "is_default")]
    pub tokens_per_conversation_month: u32,
    #[serde(skip_serializing_if = "is_default")]
    pub tokens_per_assistant_day: u32,
    #[serde(skip_serializing_if = "is_default")]
    pub tokens_per_assistant_month: u32,
    #[serde(skip_serializing_if = "is_default")]
    pub tokens_per_stack_day: u32,
    #[serde(skip_serializing_if = "is_default")]
    pub tokens_per_stack_month: u32,
    #[serde(skip_serializing_if = "is_default")]
    pub usd_per_person_day: Usd,
    #[serde(skip_serializing_if = "is_default")]
    pub usd_per_person_month: Usd,
    #[serde(skip_serializing_if = "is_default")]
    pub usd_per_conversation_day: Usd,
    #[serde(skip_serializing_if = "is_default")]
    pub usd_per_conversation_month: Usd,
    #[serde(skip_serializing_if = "is_default")]
    pub usd_per_assistant_day: Usd,
    #[serde(skip_serializing_if = "is_default")]
    pub usd_per_assistant_month: Usd,
    #[serde(skip_serializing_if = "is_default")]
    pub usd_per_stack_day: Usd,
    #[serde(skip_serializing_if = "is_default")]
    pub usd_per_stack_month: Usd,
    /// Percent of a cap on tokens or money at which people are warned, once a period; 0 = never.
    pub soft_percent: u32,
    /// Calls of models in one turn, fallbacks and rounds of tools included.
    pub model_calls: u32,
    /// Calls of tools in one turn.
    pub tool_calls: u32,
    /// Seconds of one turn's model and tool calls; as many as the function has where it is 0.
    pub turn_seconds: u32,
}

impl Limits {
    /// What the local run sets where the configuration names no cap.
    pub const NONE: Limits = Limits {
        per_person: 0,
        per_stack: 0,
        per_minute: 0,
        person_per_minute: 0,
        channel_per_minute: 0,
        output_tokens: 1_000,
        tokens_per_person_day: 0,
        tokens_per_person_month: 0,
        tokens_per_conversation_day: 0,
        tokens_per_conversation_month: 0,
        tokens_per_assistant_day: 0,
        tokens_per_assistant_month: 0,
        tokens_per_stack_day: 0,
        tokens_per_stack_month: 0,
        usd_per_person_day: Usd(0),
        usd_per_person_month: Usd(0),
        usd_per_conversation_day: Usd(0),
        usd_per_conversation_month: Usd(0),
        usd_per_assistant_day: Usd(0),
        usd_per_assistant_month: Usd(0),
        usd_per_stack_day: Usd(0),
        usd_per_stack_month: Usd(0),
        soft_percent: 80,
        model_calls: 8,
        tool_calls: 12,
        turn_seconds: 0,
    };
}

impl Limits {
    /// Reads what is stored key by key: what cannot be read stands as it is unless given, and every other cap holds.
    pub(super) fn tolerant(stored: Value) -> Limits {
        let mut read = Map::new();
        for (name, value) in stored.as_object().into_iter().flatten() {
            let one = Map::from_iter([(name.clone(), value.clone())]);
            if serde_json::from_value::<Limits>(one.into()).is_ok() {
                read.insert(name.clone(), value.clone());
            }
        }
        serde_json::from_value(read.into()).unwrap_or_default()
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { per_person: 50, per_stack: 500, per_minute: 10, ..Limits::NONE }
    }
}

/// US dollars, in millionths. Written as dollars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Usd(pub u64);

impl Serialize for Usd {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0 as f64 / 1e6)
    }
}

impl<'de> Deserialize<'de> for Usd {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Usd, D::Error> {
        // A cap below zero is none, as for every other cap; a conversion from a float saturates.
        f64::deserialize(deserializer).map(|dollars| Usd((dollars * 1e6).round() as u64))
    }
}
