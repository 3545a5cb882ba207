//! Asking a language model, whichever it is.
//!
//! [`build`] makes a [`Model`] out of one entry of the configuration; a [`Chain`] puts a fallback behind it
//! and holds the retry rules. Everything streams from the provider, so that silence is noticed early and what
//! was written so far can be kept when the user stops the answer.
//!
//! | provider | through | needs |
//! |---|---|---|
//! | `openai` (any compatible server too), `anthropic`, `gemini`, `azure`, `mistral`, `groq`, `openrouter`, `deepseek` | genai, with the HTTP client it is given | a key, or a `base_url` of one's own; `azure` both |
//! | `ollama` | genai | a server |
//! | `bedrock` | the AWS SDK, ConverseStream | an IAM role |
//! | `echo` | nothing | nothing: for local runs only |
//!
//! [`embed`] and [`transcribe`] do the two other things that models are good for here.
//!
//! Errors never hold text of a conversation, an answer of the provider or a key, and the libraries' own log
//! lines, which do, are switched off while they run.

mod bedrock;
mod chain;
mod chat;
mod config;
mod direct;
mod echo;
mod embed;
mod error;
mod prompt;
mod stream;
#[cfg(test)]
mod tests;
mod thoughts;
mod tokens;
mod transcribe;

use std::fmt;
use std::time::Instant;

use serde_json::Value;

pub use chain::{Chain, Cooldowns};
pub use config::{Aws, Clients, ModelConfig, PROVIDERS, THINKING_TOKENS, build};
pub use embed::embed;
pub use error::{Error, Partial};
pub use tokens::estimate_tokens;
pub use transcribe::{Transcript, transcribe};

/// Takes the pieces of an answer as they arrive.
pub trait Sink: Send {
    fn push(&mut self, piece: &str);

    /// The answer broke off: takes back all of it, unless somebody may have seen some. Whether nothing of it is left,
    /// so that another one may take its place.
    fn take_back(&mut self) -> bool {
        false
    }
}

/// What is called with every piece has no way back.
impl<F: FnMut(&str) + Send> Sink for F {
    fn push(&mut self, piece: &str) {
        self(piece);
    }
}

pub type OnText<'a> = &'a mut dyn Sink;

/// Something that answers.
#[async_trait::async_trait]
pub trait Model: Send + Sync {
    /// Provider and model, for logs: `openai gpt-5-mini`.
    fn name(&self) -> &str;

    /// Asks, and gives `on_text` every piece of the answer as it arrives; all pieces together are the
    /// answer's text. To stop, drop the future: what `on_text` was given stands.
    ///
    /// # Errors
    /// See [`Error`]. By `deadline` at the latest there is an answer or an error.
    async fn ask(&self, ask: &Ask, deadline: Instant, on_text: OnText<'_>) -> Result<Answer, Error>;
}

/// What to ask: the conversation so far, the question last.
#[derive(Clone, Default)]
pub struct Ask {
    /// The instructions; may be empty.
    pub system: String,
    /// Oldest first. They need not alternate: neighbours with the same role are joined for the provider.
    pub messages: Vec<Message>,
    /// What the model may call; may be empty.
    pub tools: Vec<ToolSpec>,
    /// Most tokens the answer may have; the configuration may say less.
    pub max_output_tokens: u32,
    /// Only sent when given: some models accept none.
    pub temperature: Option<f32>,
}

#[derive(Clone, Default)]
pub struct Message {
    pub role: Role,
    pub text: String,
    /// Who wrote it, in groups: put before the text, because most providers know no names.
    pub name: Option<String>,
    /// What the user sent along with the text.
    pub images: Vec<Image>,
    /// Of an assistant's message: what it called. The results follow as messages of [`Role::Tool`].
    pub calls: Vec<ToolCall>,
    /// Of a tool's message: the id of the call that `text` is the result of.
    pub answers: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Role {
    #[default]
    User,
    Assistant,
    Tool,
}

/// A picture, as it was sent.
#[derive(Clone)]
pub struct Image {
    /// `image/jpeg`, `image/png`, `image/webp` or `image/gif`: what all providers take.
    pub media_type: String,
    pub bytes: Vec<u8>,
}

/// A tool as the model sees it.
#[derive(Clone)]
pub struct ToolSpec {
    /// At most 64 letters, digits, `_` and `-`: what all providers take.
    pub name: String,
    pub description: String,
    /// JSON Schema of the arguments: an object.
    pub schema: Value,
}

/// What the model wants to be called.
#[derive(Clone, Default, PartialEq)]
pub struct ToolCall {
    /// Its own within the answer.
    pub id: String,
    pub name: String,
    /// An object; a string where the model wrote something else: answer it with an error that the model can
    /// correct.
    pub arguments: Value,
    /// What the provider wants back with the call, such as signed thoughts. Opaque; only the model that gave
    /// it gets it back.
    pub signature: Option<Value>,
}

#[derive(Clone, Default)]
pub struct Answer {
    /// May be empty when there are calls.
    pub text: String,
    /// To be made before the model goes on: ask again with them and their results added.
    pub calls: Vec<ToolCall>,
    pub usage: Usage,
    /// The model that answered, as [`Model::name`]: in a [`Chain`] it may be the fallback.
    pub model: String,
    /// Its name in the configuration, which two entries never share; empty outside a [`Chain`].
    pub entry: String,
    pub stop: Stop,
    /// How often a model was called for this answer, failed calls too.
    pub calls_made: u32,
}

/// Tokens as the provider counted them; zero where it does not say. Answers that broke off and were asked anew are
/// in it, estimated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// All tokens of the question, cached ones too.
    pub input: u32,
    /// All tokens of the answer, reasoning too.
    pub output: u32,
    /// Those of `input` that were read from the provider's cache.
    pub cached: u32,
    /// Those of `output` that were spent on thoughts.
    pub reasoning: u32,
}

/// Why the answer ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Stop {
    /// The model was done.
    #[default]
    End,
    /// It waits for the results of its calls.
    Tools,
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
            .field("calls", &self.calls.len())
            .field("usage", &self.usage)
            .field("model", &self.model)
            .field("stop", &self.stop)
            .finish()
    }
}

/// Without the arguments: they quote the conversation.
impl fmt::Debug for ToolCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToolCall").field("id", &self.id).field("name", &self.name).finish_non_exhaustive()
    }
}
