//! Asking a language model, whichever it is.
//!
//! [`build`] makes a [`Model`] out of one entry of the configuration; a [`Chain`] puts a fallback behind it
//! and holds the retry rules. Everything streams from the provider, so that silence is noticed early and what
//! was written so far can be kept when the user stops the answer.
//!
//! | provider | through | needs |
//! |---|---|---|
//! | `openai` (any compatible endpoint), `anthropic`, `ollama` | genai, with the HTTP client it is given | a key, or a `base_url` |
//! | `bedrock` | the AWS SDK, ConverseStream | an IAM role |
//! | `echo` | nothing | nothing: for local runs only |
//!
//! Errors never hold text of a conversation, an answer of the provider or a key, and the libraries' own log
//! lines, which do, are switched off while they run.

mod bedrock;
mod chain;
mod chat;
mod config;
mod echo;
mod error;
mod prompt;
mod stream;
#[cfg(test)]
mod tests;
mod tokens;

use std::fmt;
use std::time::Instant;

pub use chain::Chain;
pub use config::{Aws, Clients, ModelConfig, build};
pub use error::{Error, Partial};
pub use tokens::estimate_tokens;

/// Takes the pieces of an answer as they arrive.
pub type OnText<'a> = &'a mut (dyn FnMut(&str) + Send);

/// Something that answers.
#[async_trait::async_trait]
pub trait Model: Send + Sync {
    /// Provider and model, for logs: `openai gpt-5-mini`.
    fn name(&self) -> &str;

    /// Asks, and calls `on_text` with every piece of the answer as it arrives; all pieces together are the
    /// answer's text. To stop, drop the future: what `on_text` was given stands.
    ///
    /// # Errors
    /// See [`Error`]. By `deadline` at the latest there is an answer or an error.
    async fn ask(&self, ask: &Ask, deadline: Instant, on_text: OnText<'_>) -> Result<Answer, Error>;
}

/// What to ask: the conversation so far, the question last. Tools and media will be fields here.
#[derive(Clone, Default)]
pub struct Ask {
    /// The instructions; may be empty.
    pub system: String,
    /// Oldest first. They need not alternate: neighbours with the same role are joined for the provider.
    pub messages: Vec<Message>,
    /// Most tokens the answer may have; the configuration may say less.
    pub max_output_tokens: u32,
    /// Only sent when given: some models accept none.
    pub temperature: Option<f32>,
}

#[derive(Clone)]
pub struct Message {
    pub role: Role,
    pub text: String,
    /// Who wrote it, in groups: put before the text, because most providers know no names.
    pub name: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    User,
    Assistant,
}

#[derive(Clone)]
pub struct Answer {
    pub text: String,
    pub usage: Usage,
    /// The model that answered, as [`Model::name`]: in a [`Chain`] it may be the fallback.
    pub model: String,
    pub stop: Stop,
}

/// Tokens as the provider counted them; zero where it does not say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// All tokens of the question, cached ones too.
    pub input: u32,
    /// All tokens of the answer, reasoning too.
    pub output: u32,
    /// Those of `input` that were read from the provider's cache.
    pub cached: u32,
}

/// Why the answer ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The model was done.
    End,
    /// The limit on output tokens was reached.
    Length,
    /// The provider's filter cut it off.
    Filtered,
    /// Anything else the provider says.
    Other,
}

/// Without the text: an answer may end up in a log line by way of a test or a tuple.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("bytes", &self.text.len())
            .field("usage", &self.usage)
            .field("model", &self.model)
            .field("stop", &self.stop)
            .finish()
    }
}
