//! From genai's errors to ours. Theirs print requests and answers, so nothing of them is kept but facts.

use std::time::Duration;

use genai::webc;
use reqwest::header::HeaderMap;
use serde_json::Value;

use crate::Error;
use crate::error::{from_status, retry_after};

const UNREADABLE: &str = "it answered something unreadable";

pub(super) fn judge(error: &genai::Error) -> Error {
    use genai::Error as E;
    match error {
        E::HttpError { status, body, headers, .. } => from_status(status.as_u16(), pause(headers), body),
        E::WebModelCall { webc_error, .. } | E::WebAdapterCall { webc_error, .. } => call(webc_error),
        E::WebStream { error, .. } => transport(error.as_ref()),
        E::ChatResponse { body, .. } => in_stream(body),
        E::StreamParse { .. }
        | E::ChatResponseGeneration { .. }
        | E::InvalidJsonResponseElement { .. }
        | E::NoChatResponse { .. }
        | E::JsonValueExt(_)
        | E::SerdeJson(_) => Error::busy(UNREADABLE),
        E::ChatReqHasNoMessages { .. } | E::LastChatMessageIsNotUser { .. } => {
            Error::Refused("there is no question to answer".into())
        }
        _ => Error::NotSetUp("check provider, `model` and `base_url` under `models`".into()),
    }
}

fn call(error: &webc::Error) -> Error {
    match error {
        webc::Error::ResponseFailedStatus { status, body, headers } => {
            from_status(status.as_u16(), pause(headers), body)
        }
        webc::Error::Reqwest(error) => connection(error),
        webc::Error::ResponseFailedNotJson { .. }
        | webc::Error::ResponseFailedInvalidJson { .. }
        | webc::Error::JsonValueExt(_) => Error::busy(UNREADABLE),
    }
}

/// A stream wraps the failure of its own request, too.
fn transport(error: &(dyn std::error::Error + Send + Sync + 'static)) -> Error {
    if let Some(error) = error.downcast_ref::<genai::Error>() {
        judge(error)
    } else if let Some(error) = error.downcast_ref::<reqwest::Error>() {
        connection(error)
    } else {
        Error::busy(UNREADABLE)
    }
}

pub(crate) fn connection(error: &reqwest::Error) -> Error {
    if error.is_connect() {
        Error::busy("it cannot be reached: is `base_url` right, and does it run?")
    } else if error.is_timeout() {
        Error::busy("it did not answer in time")
    } else if error.is_builder() {
        Error::NotSetUp(
            "the request cannot be made: check `base_url` and the key for stray characters".into(),
        )
    } else {
        Error::busy("the connection broke")
    }
}

/// An error sent in the stream, after the status 200. Its kind is a word or, from routers, a status.
fn in_stream(body: &Value) -> Error {
    let inner = body.get("error").unwrap_or(body);
    let code = inner.get("code").and_then(Value::as_u64).and_then(|code| u16::try_from(code).ok());
    let word = |field: &str| inner.get(field).and_then(Value::as_str).and_then(meant);
    let status = word("type").or_else(|| word("code")).or_else(|| word("status"));
    let status = status.or(code.filter(|code| (400..600).contains(code))).unwrap_or(500);
    from_status(status, None, &inner.to_string())
}

/// The status that a provider's word for an error stands for:
/// <https://docs.claude.com/en/api/errors>, <https://ai.google.dev/gemini-api/docs/troubleshooting>.
fn meant(word: &str) -> Option<u16> {
    Some(match word {
        "invalid_request_error" | "INVALID_ARGUMENT" => 400,
        "authentication_error" | "UNAUTHENTICATED" => 401,
        "permission_error" | "PERMISSION_DENIED" => 403,
        "not_found_error" | "NOT_FOUND" => 404,
        "request_too_large" => 413,
        "rate_limit_error" | "rate_limit_exceeded" | "RESOURCE_EXHAUSTED" => 429,
        "overloaded_error" | "UNAVAILABLE" => 529,
        _ => return None,
    })
}

fn pause(headers: &HeaderMap) -> Option<Duration> {
    retry_after(|name| Some(headers.get(name)?.to_str().ok()?.to_owned()))
}
