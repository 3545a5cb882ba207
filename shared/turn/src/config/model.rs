//! Language models and what they cost.

use serde::{Deserialize, Serialize};

/// A language model.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Model {
    /// One of [`PROVIDERS`].
    pub provider: String,
    /// The provider's name of the model.
    #[serde(default)]
    pub model: String,
    /// Another endpoint that speaks the provider's protocol.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// Which of the provider's protocols is spoken, where it has several: `chat` or `responses` of `openai` and
    /// `azure`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<String>,
    /// Name of the secret `/<stack>/model/<key>`; the provider's name unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Name of the entry of `models` to ask when this one cannot answer. No entry leads back to itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<String>,
    /// It thinks before the first token: 60 s instead of 20 s are given for it.
    #[serde(default)]
    pub reasoning: bool,
}

/// Values of `models.<name>.provider`.
pub const PROVIDERS: &[&str] = &[
    "openai",
    "anthropic",
    "gemini",
    "azure",
    "mistral",
    "groq",
    "openrouter",
    "deepseek",
    "ollama",
    "bedrock",
    "echo",
];

/// Those of them that turn speech into text.
pub const LISTENING: &[&str] = &["openai", "gemini", "azure", "mistral", "groq"];

/// Those of them that turn texts into vectors.
pub const EMBEDDING: &[&str] = &["openai", "gemini", "azure", "mistral", "openrouter", "ollama", "bedrock"];

/// What a model costs, US dollars per million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Price {
    pub input: f64,
    pub output: f64,
    /// Of input that the provider had read before; as other input unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached: Option<f64>,
    /// Of a minute of speech that is written down, US dollars; nothing unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minute: Option<f64>,
}
