//! Why there is no answer, by what the caller does next.

use std::fmt;
use std::time::{Duration, SystemTime};

use aws_smithy_types::date_time::{DateTime, Format};

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
    /// It does not take this question as it is, for a picture in it perhaps, or a tool's schema: another model may.
    #[error("the model cannot take this question: {0}")]
    Unfit(String),
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
            Self::NotSetUp(_) | Self::Refused(_) | Self::Unfit(_) | Self::TooLong => {
                "the provider ended it with an error"
            }
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
/// Gemini says so with 400: <https://ai.google.dev/gemini-api/docs/troubleshooting>.
const WRONG_KEY: &[&str] = &["api_key_invalid", "api key not valid"];
/// OpenRouter says so with 404, Ollama with 500.
const BLIND: &[&str] = &["image input"];
const UNKNOWN_MODEL: &[&str] =
    &["model_not_found", "model identifier", "inference profile", "on-demand throughput", "end of its life"];

/// Judges a failed answer of a provider. The body is only searched for known words, never kept: providers
/// quote the question in it.
pub(crate) fn from_status(status: u16, retry_after: Option<Duration>, body: &str) -> Error {
    let body = body.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| body.contains(word));
    let retry_after = retry_after.or_else(|| pause_in(&body));
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
        400 | 404 | 422 | 500 if says(BLIND) => unfit(status),
        401 | 403 => wrong_key(status),
        400 if says(WRONG_KEY) => wrong_key(status),
        300..=399 | 404 | 405 => unknown_model(status),
        429 => Error::Busy { retry_after, why: "it limits our rate" },
        503 | 529 => Error::Busy { retry_after, why: "it is overloaded" },
        408 | 409 | 425 | 500..=599 => Error::Busy { retry_after, why: "it failed" },
        _ => unfit(status),
    }
}

fn unfit(status: u16) -> Error {
    Error::Unfit(format!(
        "the provider does not accept the question ({status}): it may hold a picture, a tool or a setting that this \
         model does not take"
    ))
}

fn wrong_key(status: u16) -> Error {
    Error::NotSetUp(format!(
        "the provider does not accept the key ({status}): store a valid one with `crabhook secrets set`"
    ))
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

/// The pause a provider asks for in its headers: a number, or the time when it is over.
/// <https://www.rfc-editor.org/rfc/rfc9110#name-retry-after>
pub(crate) fn retry_after(header: impl Fn(&str) -> Option<String>) -> Option<Duration> {
    let seconds = |name, unit| Some(header(name)?.trim().parse::<f64>().ok()? * unit);
    match seconds("retry-after-ms", 0.001).or_else(|| seconds("retry-after", 1.0)) {
        Some(seconds) => Duration::try_from_secs_f64(seconds).ok(),
        None => until(&header("retry-after")?, SystemTime::now()),
    }
}

fn until(date: &str, now: SystemTime) -> Option<Duration> {
    let over = DateTime::from_str(date.trim(), Format::HttpDate).ok()?;
    Some(SystemTime::try_from(over).ok()?.duration_since(now).unwrap_or_default())
}

/// Google's way, in a body in small letters: `"retrydelay": "7s"`.
/// <https://cloud.google.com/apis/design/errors#error_details>
fn pause_in(body: &str) -> Option<Duration> {
    let (_, rest) = body.split_once("\"retrydelay\"")?;
    let number = rest.trim_start_matches([':', ' ', '"']);
    let end = number.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    Duration::try_from_secs_f64(number.get(..end)?.parse().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_may_be_a_date() {
        let check = |date: &str, pause: Option<u64>| {
            let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_792_567_680);
            assert_eq!(until(date, now), pause.map(Duration::from_secs), "{date}");
        };
        check("Wed, 21 Oct 2026 07:28:09 GMT", Some(9));
        check(" Wed, 21 Oct 2026 07:28:00 GMT ", Some(0));
        check("Tue, 20 Oct 2026 07:28:00 GMT", Some(0));
        check("tomorrow", None);
        check("-1", None);
    }
}
