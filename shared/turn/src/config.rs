//! What the operator sets: `infra/assistant.yaml` as people write it, kept in the table as JSON.
//!
//! Strict where a person acts: `crabhook config check` judges the file by its JSON Schema, which knows every key here and no
//! other. The invoker reads tolerantly: it ignores what it does not know, see [`Config::tolerant`].

mod assistant;
mod channel;
mod faults;
mod limits;
mod model;
mod tool;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::prompts;

pub use self::assistant::{Assistant, Disclosure, History, Memory, Reset};
pub use self::channel::{Access, COMMON_KEYS, Channel, Conversation, Overlap, Streaming};
pub use self::faults::Fault;
pub use self::limits::{Limits, Usd};
pub use self::model::{Model, PROVIDERS, Price};
pub use self::tool::{
    BUILT_IN_TOOLS, Confirm, CustomCommand, Hook, HookPoint, Knowledge, OnError, Tool, ToolKind,
};

/// The version of the configuration that this code writes.
pub const CONFIG_VERSION: u32 = 1;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Config {
    pub version: u32,
    #[serde(default)]
    pub assistants: BTreeMap<String, Assistant>,
    #[serde(default)]
    pub models: BTreeMap<String, Model>,
    #[serde(default)]
    pub channels: BTreeMap<String, Channel>,
    #[serde(default)]
    pub limits: Limits,
    /// By the name of an entry of `models`, or by the provider's name of a model.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub prices: BTreeMap<String, Price>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tools: BTreeMap<String, Tool>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub hooks: BTreeMap<String, Hook>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub commands: BTreeMap<String, CustomCommand>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub knowledge: BTreeMap<String, Knowledge>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            version: CONFIG_VERSION,
            assistants: BTreeMap::new(),
            models: BTreeMap::new(),
            channels: BTreeMap::new(),
            limits: Limits::default(),
            prices: BTreeMap::new(),
            tools: BTreeMap::new(),
            hooks: BTreeMap::new(),
            commands: BTreeMap::new(),
            knowledge: BTreeMap::new(),
        }
    }
}

/// Who answers in a conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct Persona {
    /// Its name under `assistants`.
    pub name: String,
    /// As configured, its prompt replaced where the channel or the conversation has one of its own.
    pub assistant: Assistant,
}

impl Config {
    /// Reads what is stored, leaving out what this code does not know: keys, and entries that cannot be read.
    ///
    /// # Errors
    /// The text is no configuration at all.
    pub fn tolerant(json: &str) -> Result<Config, serde_json::Error> {
        let stored: Tolerant = serde_json::from_str(json)?;
        Ok(stored.into())
    }

    /// The channel's settings with the account's laid over them.
    pub fn channel(&self, channel: &str, account: &str) -> Channel {
        let Some(base) = self.channels.get(channel) else { return Channel::default() };
        let mut merged = Channel { accounts: BTreeMap::new(), ..base.clone() };
        if let Some(own) = base.accounts.get(account) {
            merged.access = own.access.or(merged.access);
            // An account's own assistant comes with its own prompt.
            if own.assistant.is_some() {
                merged.prompt = None;
            }
            merged.assistant = own.assistant.clone().or(merged.assistant);
            merged.prompt = own.prompt.clone().or(merged.prompt);
            merged.streaming = own.streaming.or(merged.streaming);
            merged.overlap = own.overlap.or(merged.overlap);
            merged.on_doubt = own.on_doubt.or(merged.on_doubt);
            merged.pause_hours = own.pause_hours.or(merged.pause_hours);
            merged.media_hosts.extend(own.media_hosts.iter().cloned());
            merged.people.extend(own.people.iter().cloned());
            merged.assistants.extend(own.assistants.iter().cloned());
            merged.conversations.extend(own.conversations.clone());
            merged.urls.extend(own.urls.clone());
            merged.settings.extend(own.settings.clone());
        }
        merged
    }

    /// The assistant of that name, the built-in one where the configuration has none. A ready-made prompt stands there in full.
    pub fn assistant(&self, name: Option<&str>) -> Assistant {
        let mut assistant = self.assistants.get(name.unwrap_or("default")).cloned().unwrap_or_default();
        assistant.prompt = prompts::text(&assistant.prompt).to_owned();
        assistant
    }

    /// Who answers in a chat of a channel: who was chosen there by a command, else who is configured for the chat, else for
    /// the channel, else `default`. A prompt of the chat or channel is that of the assistant configured there, not of one chosen.
    pub fn persona(&self, channel: &Channel, chat: &str, chosen: Option<&str>) -> Persona {
        let named = |name: &str| Persona { name: name.to_owned(), assistant: self.assistant(Some(name)) };
        if let Some(chosen) = chosen.filter(|name| self.assistants.contains_key(*name)) {
            return named(chosen);
        }
        let here = channel.conversations.get(chat);
        let own = here.and_then(|here| here.assistant.as_deref());
        let mut persona = named(own.or(channel.assistant.as_deref()).unwrap_or("default"));
        let prompt = here.and_then(|here| here.prompt.as_ref());
        let prompt = prompt.or(channel.prompt.as_ref().filter(|_| own.is_none()));
        if let Some(prompt) = prompt {
            persona.assistant.prompt = prompts::text(prompt).to_owned();
        }
        persona
    }

    /// The tool that an assistant calls by that name: an entry of `tools`, else a built-in one.
    pub fn tool(&self, name: &str) -> Option<Tool> {
        self.tools.get(name).cloned().or_else(|| Tool::built_in(name))
    }

    /// Whether an assistant keeps notes about people: it may, and has the tool for it.
    pub fn remembers(&self, assistant: &Assistant) -> bool {
        let named = || assistant.tools.iter().filter_map(|name| self.tool(name));
        assistant.memory.notes && named().any(|tool| tool.kind == ToolKind::Remember)
    }

    /// What the entry of `models` costs; by its own name, else by the provider's name of its model.
    pub fn price(&self, entry: &str) -> Option<Price> {
        let model = self.models.get(entry).map(|model| model.model.as_str());
        self.prices.get(entry).or_else(|| self.prices.get(model?)).copied()
    }
}

/// Whether a setting need not be written.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// [`Config`] as a later version may have written it: entries that cannot be read are left out, one by one.
#[derive(Deserialize)]
struct Tolerant {
    version: u32,
    #[serde(default)]
    assistants: BTreeMap<String, Value>,
    #[serde(default)]
    models: BTreeMap<String, Value>,
    #[serde(default)]
    channels: BTreeMap<String, Value>,
    #[serde(default)]
    limits: Value,
    #[serde(default)]
    prices: BTreeMap<String, Value>,
    #[serde(default)]
    tools: BTreeMap<String, Value>,
    #[serde(default)]
    hooks: BTreeMap<String, Value>,
    #[serde(default)]
    commands: BTreeMap<String, Value>,
    #[serde(default)]
    knowledge: BTreeMap<String, Value>,
}

impl From<Tolerant> for Config {
    fn from(stored: Tolerant) -> Config {
        Config {
            version: stored.version,
            assistants: readable(stored.assistants),
            models: readable(stored.models),
            channels: readable(stored.channels),
            limits: Limits::tolerant(stored.limits),
            prices: readable(stored.prices),
            tools: readable(stored.tools),
            hooks: readable(stored.hooks),
            commands: readable(stored.commands),
            knowledge: readable(stored.knowledge),
        }
    }
}

fn readable<T: serde::de::DeserializeOwned>(entries: BTreeMap<String, Value>) -> BTreeMap<String, T> {
    entries
        .into_iter()
        .filter_map(|(name, value)| Some((name, serde_json::from_value(value).ok()?)))
        .collect()
}

#[cfg(test)]
mod tests;
