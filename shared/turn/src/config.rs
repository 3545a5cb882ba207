//! What the operator sets: `infra/assistant.yaml` as people write it, kept in the table as JSON.
//!
//! Strict where a person acts: every struct refuses unknown keys. The invoker reads tolerantly, see [`Config::tolerant`].

use std::collections::BTreeMap;

use channel::{OnDoubt, Spec, Step};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The version of the configuration that this code writes.
pub const CONFIG_VERSION: u32 = 1;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
}

impl Default for Config {
    fn default() -> Config {
        Config {
            version: CONFIG_VERSION,
            assistants: BTreeMap::new(),
            models: BTreeMap::new(),
            channels: BTreeMap::new(),
            limits: Limits::default(),
        }
    }
}

/// Who answers, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assistant {
    /// Name of an entry of `models`.
    #[serde(default = "default_name")]
    pub model: String,
    /// What the model is told first.
    #[serde(default = "default_prompt")]
    pub prompt: String,
    #[serde(default)]
    pub history: History,
}

impl Default for Assistant {
    fn default() -> Assistant {
        Assistant { model: default_name(), prompt: default_prompt(), history: History::default() }
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
#[serde(deny_unknown_fields, default)]
pub struct History {
    /// Estimated tokens, newest turns first.
    pub tokens: u32,
    /// Days after which a turn is forgotten.
    pub days: u32,
}

impl Default for History {
    fn default() -> History {
        History { tokens: 4_000, days: 30 }
    }
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// `openai`, `anthropic`, `ollama`, `bedrock`; `echo` in the local run.
    pub provider: String,
    /// The provider's name of the model.
    #[serde(default)]
    pub model: String,
    /// Another endpoint that speaks the provider's protocol.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// Name of the secret `/<stack>/model/<key>`; the provider's name unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Name of the entry of `models` to ask when this one cannot answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<String>,
    /// It thinks before the first token: 60 s instead of 20 s are given for it.
    #[serde(default)]
    pub reasoning: bool,
}

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

/// Caps. 0 = none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
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
    };
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { per_person: 50, per_stack: 500, per_minute: 10, ..Limits::NONE }
    }
}

/// A fault of a configuration in words for its author. `key` is the dotted path of the entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {problem}")]
pub struct Fault {
    pub key: String,
    pub problem: String,
}

impl Config {
    /// Reads what is stored, leaving out what this code does not know.
    ///
    /// # Errors
    /// The text is no configuration of a version that this code can read.
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
            merged.assistant = own.assistant.clone().or(merged.assistant);
            merged.overlap = own.overlap.or(merged.overlap);
            merged.on_doubt = own.on_doubt.or(merged.on_doubt);
            merged.pause_hours = own.pause_hours.or(merged.pause_hours);
            merged.people.extend(own.people.iter().cloned());
            merged.urls.extend(own.urls.clone());
            merged.settings.extend(own.settings.clone());
        }
        merged
    }

    /// The assistant of that name, the built-in one where the configuration has none.
    pub fn assistant(&self, name: Option<&str>) -> Assistant {
        self.assistants.get(name.unwrap_or("default")).cloned().unwrap_or_default()
    }

    /// Everything wrong in what the fields' types cannot say: names that lead nowhere, `open` without a cap.
    pub fn faults(&self, specs: &[&'static Spec]) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut fault = |key: String, problem: String| faults.push(Fault { key, problem });
        if self.version != CONFIG_VERSION {
            fault("version".into(), format!("this crabhook reads version {CONFIG_VERSION}"));
        }
        for (name, assistant) in &self.assistants {
            if !self.models.contains_key(&assistant.model) {
                let known = names(self.models.keys());
                fault(
                    format!("assistants.{name}.model"),
                    format!("no model {:?}; there is {known}", assistant.model),
                );
            }
        }
        for (name, model) in &self.models {
            if let Some(fallback) =
                model.fallback.as_ref().filter(|fallback| !self.models.contains_key(*fallback))
            {
                let known = names(self.models.keys());
                fault(format!("models.{name}.fallback"), format!("no model {fallback:?}; there is {known}"));
            }
            if !PROVIDERS.contains(&model.provider.as_str()) {
                fault(
                    format!("models.{name}.provider"),
                    format!("{:?} is none of {}", model.provider, PROVIDERS.join(", ")),
                );
            }
        }
        for (name, channel) in &self.channels {
            match specs.iter().find(|spec| spec.name == name) {
                None => fault(format!("channels.{name}"), "no such channel".to_owned()),
                Some(spec) => self.channel_faults(&format!("channels.{name}"), channel, spec, &mut fault),
            }
        }
        faults
    }

    fn channel_faults(
        &self,
        key: &str,
        channel: &Channel,
        spec: &Spec,
        fault: &mut impl FnMut(String, String),
    ) {
        for name in channel.settings.keys() {
            let known =
                COMMON_KEYS.contains(&name.as_str()) || spec.settings.iter().any(|(known, _)| known == name);
            if !known {
                let known = names(COMMON_KEYS.iter().chain(spec.settings.iter().map(|(known, _)| known)));
                fault(format!("{key}.{name}"), format!("unknown key; there is {known}"));
            }
        }
        for base in channel.urls.keys() {
            if !spec.bases.iter().any(|(known, _)| known == base) {
                let known = names(spec.bases.iter().map(|(known, _)| known));
                fault(format!("{key}.urls.{base}"), format!("unknown address; there is {known}"));
            }
        }
        if let Some(name) = channel.assistant.as_ref().filter(|name| !self.assistants.contains_key(*name)) {
            fault(
                format!("{key}.assistant"),
                format!("no assistant {name:?}; there is {}", names(self.assistants.keys())),
            );
        }
        if channel.access == Some(Access::Workspace) && !spec.tenant {
            fault(
                format!("{key}.access"),
                format!("{} does not say which workspace a sender belongs to", spec.title),
            );
        }
        if spec.overlap == channel::Overlap::Each && channel.overlap.is_some_and(|set| set != Overlap::Each) {
            fault(
                format!("{key}.overlap"),
                format!("on {} every message has a reply of its own: each, or leave it out", spec.title),
            );
        }
        if spec.idempotency_key && channel.on_doubt.is_some() {
            fault(
                format!("{key}.on_doubt"),
                format!("{} never shows a message twice: there is no doubt, leave it out", spec.title),
            );
        }
        if channel.access == Some(Access::Open) && (self.limits.per_person == 0 || self.limits.per_stack == 0)
        {
            let problem = "open needs the daily caps limits.per_person and limits.per_stack, not 0";
            fault(format!("{key}.access"), problem.to_owned());
        }
        for (name, account) in &channel.accounts {
            self.channel_faults(&format!("{key}.accounts.{name}"), account, spec, fault);
        }
    }
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
    "overlap",
    "on_doubt",
    "people",
    "pause_hours",
    "urls",
    "accounts",
    "public_url",
];

/// Values of `models.<name>.provider`.
pub const PROVIDERS: &[&str] = &["openai", "anthropic", "ollama", "bedrock", "echo"];

fn names<S: AsRef<str>>(names: impl Iterator<Item = S>) -> String {
    let all: Vec<String> = names.map(|name| name.as_ref().to_owned()).collect();
    if all.is_empty() { "none".to_owned() } else { all.join(", ") }
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
}

impl From<Tolerant> for Config {
    fn from(stored: Tolerant) -> Config {
        Config {
            version: stored.version,
            assistants: readable(stored.assistants, &["model", "prompt", "history"]),
            models: readable(
                stored.models,
                &["provider", "model", "base_url", "key", "fallback", "reasoning"],
            ),
            channels: readable(stored.channels, &[]),
            limits: only(
                stored.limits,
                &[
                    "per_person",
                    "per_stack",
                    "per_minute",
                    "person_per_minute",
                    "channel_per_minute",
                    "output_tokens",
                ],
            )
            .unwrap_or_default(),
        }
    }
}

fn readable<T: serde::de::DeserializeOwned>(
    entries: BTreeMap<String, Value>,
    known: &[&str],
) -> BTreeMap<String, T> {
    entries.into_iter().filter_map(|(name, value)| Some((name, only(value, known)?))).collect()
}

/// The value with its known keys only (all of them where none are named).
fn only<T: serde::de::DeserializeOwned>(value: Value, known: &[&str]) -> Option<T> {
    let Value::Object(mut map) = value else { return None };
    map.retain(|key, _| known.is_empty() || known.contains(&key.as_str()));
    serde_json::from_value(Value::Object(map)).ok()
}
