//! Why there is no answer, by what the caller does next.

use std::fmt;
use std::time::Duration;

/// Holds no text of the conversation except in [`Partial`], which does not print it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Overloaded, limiting our rate, unreachable or silent: ask again later, not before `retry_after`.
    #[error("the model is busy: {why}")]
    Busy { retry_after: Option<Duration>, why: &'static str },
    /// It will not answer before somebody changes something; the text says what.
    #[error("the model is not set up: {0}")]
    NotSetUp(String),
    /// It will not answer this question; asking again changes nothing.
    #[error("the model refused: {0}")]
    Refused(String),
    /// The conversation exceeds the model's context: ask with less history.
    #[error("the conversation is too long for the model")]
    TooLong,
    /// The answer broke off after some text had been handed on: show it, or ask anew.
    #[error("the answer broke off: {why}")]
    Interrupted { partial: Partial, why: &'static str },
}

impl Error {
    pub(crate) const fn busy(why: &'static str) -> Self {
        Self::Busy { retry_after: None, why }
    }

    /// What the error means once `partial` has been handed on: nothing may be asked again unseen.
    pub(crate) fn after(self, partial: String) -> Self {
        if partial.trim().is_empty() {
            return self;
        }
        let why = match self {
            Self::Busy { why, .. } | Self::Interrupted { why, .. } => why,
            Self::NotSetUp(_) | Self::Refused(_) | Self::TooLong => "the provider ended it with an error",
        };
        Self::Interrupted { partial: Partial(partial), why }
    }
}

/// The text that arrived before the answer broke off. Prints its size only.
#[derive(Clone, PartialEq, Eq)]
pub struct Partial(pub String);

impl fmt::Debug for Partial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

/// Words with which providers say that the context is exceeded: OpenAI, Anthropic, llama.cpp, vLLM, Bedrock.
const TOO_LONG: &[&str] = &[
    "context_length_exceeded",
    "maximum context length",
    "context size",
    "context window",
    "prompt is too long",
    "input is too long",
    "too many input tokens",
    "request_too_large",
];
const FILTERED: &[&str] = &["content_filter", "content filter", "content_policy", "moderation", "flagged"];
const UNPAID: &[&str] = &["insufficient_quota", "credit balance", "billing"];
const MISCALLED: &[&str] = &["tool_use_failed"];
const UNKNOWN_MODEL: &[&str] =
    &["model_not_found", "model identifier", "inference profile", "on-demand throughput", "end of its life"];

/// Judges a failed answer of a provider. The body is only searched for known words, never kept: providers
/// quote the question in it.
pub(crate) fn from_status(status: u16, retry_after: Option<Duration>, body: &str) -> Error {
    let body = body.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| body.contains(word));
    match status {
        413 => Error::TooLong,
        400 | 422 | 500 if says(TOO_LONG) => Error::TooLong,
        402 => unpaid(status),
        400 | 403 | 429 if says(UNPAID) => unpaid(status),
        400 | 403 if says(FILTERED) => {
            Error::Refused("the provider's content filter stopped the question".into())
        }
        400 if says(UNKNOWN_MODEL) => unknown_model(status),
        // Groq checks calls before it streams them: the model may do better next time.
        400 if says(MISCALLED) => Error::busy("it called a tool in a wrong way"),
        401 | 403 => Error::NotSetUp(format!(
            "the provider does not accept the key ({status}): store a valid one with `crabhook secrets set`"
        )),
        300..=399 | 404 | 405 => unknown_model(status),
        429 => Error::Busy { retry_after, why: "it limits our rate" },
        503 | 529 => Error::Busy { retry_after, why: "it is overloaded" },
        408 | 409 | 425 | 500..=599 => Error::Busy { retry_after, why: "it failed" },
        _ => Error::Refused(format!("the provider does not accept the question ({status})")),
    }
}

fn unpaid(status: u16) -> Error {
    Error::NotSetUp(format!(
        "the provider's account has no credit left ({status}): top it up, or change its limit"
    ))
}

fn unknown_model(status: u16) -> Error {
    Error::NotSetUp(format!(
        "the provider knows no such model or address ({status}): check `model` and `base_url` under `models`"
    ))
}

/// The pause a provider asks for. Dates, which the header may hold too, are used by none of ours.
pub(crate) fn retry_after(header: impl Fn(&str) -> Option<String>) -> Option<Duration> {
    let number = |name| header(name)?.trim().parse::<f64>().ok();
    let seconds = number("retry-after-ms").map(|ms| ms / 1000.0).or_else(|| number("retry-after"))?;
    Duration::try_from_secs_f64(seconds).ok()
}
