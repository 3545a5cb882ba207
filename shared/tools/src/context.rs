//! Whose turn it is.

use jiff::tz::TimeZone;
use serde_json::{Value, json};

/// What tools and hooks are told of a turn, and what its calls are known by.
#[derive(Clone, Default)]
pub struct Context {
    pub assistant: String,
    pub channel: String,
    pub account: String,
    /// The conversation's key, as logs name it.
    pub conversation: String,
    /// The platform's id of the chat.
    pub chat: String,
    /// The platform's id of the person who wrote last.
    pub user: String,
    pub user_name: String,
    /// Names the turn, the same on every try of it and of no other: what idempotency keys are made of.
    pub turn: String,
    /// Of times without an offset; UTC unless given.
    pub zone: Option<TimeZone>,
}

impl Context {
    pub(crate) fn zone(&self) -> TimeZone {
        self.zone.clone().unwrap_or(TimeZone::UTC)
    }

    /// Adds to a question what its reader may need to know of the turn.
    pub(crate) fn tell(&self, question: &mut Value) {
        let told = json!({
            "assistant": self.assistant,
            "channel": self.channel,
            "account": self.account,
            "conversation": self.conversation,
            "chat": self.chat,
            "user": {"id": self.user, "name": self.user_name},
        });
        if let (Value::Object(question), Value::Object(told)) = (question, told) {
            question.extend(told);
        }
    }
}
