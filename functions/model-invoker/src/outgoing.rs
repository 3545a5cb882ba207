//! From a planned step to the platform and back: [`request`] builds what goes on the wire, [`send`] makes the call,
//! [`settle`] says what came of it.

mod proof;
mod request;

use std::time::Duration;

use channel::{Body, Request, Response, Settled, Spec, Step, Target};
use egress::{Call, Egress, HeaderMap, HeaderName, HeaderValue, Method, Trust};
use serde_json::Value;

pub use request::{Filling, NotSetUp, request, request_with};

/// A call to a platform takes at most this long; the lease outlasts it.
pub const CALL_TIME_OUT: Duration = Duration::from_millis(CALL_TIME_OUT_MS.unsigned_abs());
pub const CALL_TIME_OUT_MS: i64 = 9_000;
/// Fetching a file to be handed over takes at most this long.
const FILE_TIME_OUT: Duration = Duration::from_secs(5);
/// Largest answer to a post, bytes.
pub const MAX_ANSWER: usize = 1 << 20;
/// Largest file handed over or fetched, bytes.
pub const MAX_FILE: usize = 20 << 20;
/// Largest file inside JSON, bytes: it is in memory three times then, and that is 128 MB in all.
const MAX_IN_JSON: usize = 10 << 20;

/// What a call came to.
pub enum Outcome {
    Answered(Response),
    /// Nothing reached the platform.
    NotSent(String),
    /// It may have.
    Unsure,
    /// It answered with this status; the rest cannot be read.
    Unread(u16),
    /// It must not be sent.
    Refused(String),
}

/// The file that a step hands over, from where it is; empty for steps without one. `own` is what addresses of our own files begin
/// with.
///
/// # Errors
/// What the step is settled with: the file is not there, or not now. What cannot be had at all becomes a link. `own` is the host of
/// the stack's own bucket.
pub async fn file(egress: &Egress, step: &Step, own: &str) -> Result<Vec<u8>, Settled> {
    let Some(file) = step.upload() else { return Ok(Vec::new()) };
    let is_in_json = matches!(step.body, Body::JsonWithSecrets { .. });
    let call = Call {
        method: Method::GET,
        url: &file.url,
        headers: HeaderMap::new(),
        body: Vec::new(),
        time_out: FILE_TIME_OUT,
        max_bytes: if is_in_json { MAX_IN_JSON } else { MAX_FILE },
        trust: Trust::of(&file.url, [own], &["*"]),
    };
    match egress.send(call).await {
        Ok(answer) if answer.status == 200 => Ok(answer.body),
        Ok(answer) if answer.status >= 500 || answer.status == 429 => Err(Settled::Later(None)),
        Ok(answer) => {
            tracing::warn!(status = answer.status, "a file in an answer cannot be fetched");
            Err(Settled::Unformatted)
        }
        Err(egress::Error::InDoubt(_)) => Err(Settled::Later(None)),
        Err(error) => {
            tracing::warn!(%error, "a file in an answer cannot be fetched");
            Err(Settled::Unformatted)
        }
    }
}

/// How long an answer is waited for, and how much of it is read.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    pub time_out: Duration,
    pub max_bytes: usize,
}

impl Bounds {
    /// Of calls whose answer only says what came of them.
    pub const CALL: Bounds = Bounds { time_out: CALL_TIME_OUT, max_bytes: MAX_ANSWER };
    /// Of fetching what somebody sent: nothing is posted by it, so the lease need not outlast it.
    pub const FILE: Bounds = Bounds { time_out: Duration::from_secs(20), max_bytes: MAX_FILE };
}

/// Makes the call. An address from a payload goes through the guard, unless it begins with an address that the
/// operator set.
pub async fn send(egress: &Egress, step: &Step, request: Request, spec: &Spec, settings: &Value) -> Outcome {
    send_within(Bounds::CALL, egress, step, request, spec, settings).await
}

/// The same within other bounds.
pub async fn send_within(
    bounds: Bounds,
    egress: &Egress,
    step: &Step,
    request: Request,
    spec: &Spec,
    settings: &Value,
) -> Outcome {
    let overridden = settings.get("urls").and_then(Value::as_object);
    let bases = overridden.into_iter().flat_map(|urls| urls.values().filter_map(Value::as_str));
    let trust = match &step.target {
        Target::Base { .. } => Trust::Configured,
        Target::Url(_) | Target::Answer => Trust::of(&request.url, bases, spec.hosts),
    };
    let Ok(method) = Method::from_bytes(request.method.as_bytes()) else {
        return Outcome::Refused(format!("{} is no HTTP method", request.method));
    };
    let headers: HeaderMap = request
        .headers
        .iter()
        .filter_map(|(name, value)| {
            Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?))
        })
        .collect();
    let call = Call {
        method,
        url: &request.url,
        headers,
        body: request.body,
        time_out: bounds.time_out,
        max_bytes: bounds.max_bytes,
        trust,
    };
    match egress.send(call).await {
        Ok(answer) => Outcome::Answered(Response {
            status: answer.status,
            headers: answer
                .headers
                .iter()
                .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
                .collect(),
            body: answer.body,
        }),
        Err(egress::Error::NotSent(why)) => Outcome::NotSent(why),
        Err(egress::Error::InDoubt(_)) => Outcome::Unsure,
        Err(egress::Error::Unread { status, .. }) => Outcome::Unread(status),
        Err(error @ (egress::Error::Refused(_) | egress::Error::NotSetUp(_))) => {
            Outcome::Refused(error.to_string())
        }
    }
}

/// What the outcome of a step means, in the room's judgement where there is an answer. `None` = unsure.
pub fn settle(room: &dyn channel::Channel, step: &Step, outcome: Outcome) -> Option<Settled> {
    let settled = match outcome {
        Outcome::Answered(response) => answered(room, step, &response),
        Outcome::Unread(status) => match answered(room, step, &Response::empty(status)) {
            // What was asked for did not come.
            Some(Settled::Fetched(_) | Settled::Files(_) | Settled::Person(_)) => None,
            settled => settled,
        },
        Outcome::NotSent(_) => Some(Settled::Later(None)),
        Outcome::Unsure => None,
        Outcome::Refused(why) => Some(Settled::Broken(why)),
    };
    // A stale token is no failure yet: the step is made once more.
    let done = matches!(
        settled,
        Some(
            Settled::Posted(_)
                | Settled::Fetched(_)
                | Settled::Files(_)
                | Settled::Person(_)
                | Settled::Renew(_)
        )
    );
    if step.optional && !done { Some(Settled::Posted(None)) } else { settled }
}

fn answered(room: &dyn channel::Channel, step: &Step, response: &Response) -> Option<Settled> {
    match room.settle(step, response) {
        // Rooms know of redirects that are part of their API; nobody knows of others.
        Settled::Broken(_) | Settled::Gone if (300..400).contains(&response.status) => {
            let why = "redirects are not followed; where the platform's address has moved, set channels.<channel>.urls";
            Some(Settled::Broken(format!("HTTP {}: {why}", response.status)))
        }
        // A success in words that cannot be read is no refusal: it may be posted.
        Settled::Broken(_)
            if response.is_success() && step.method != "GET" && response.body_json().is_null() =>
        {
            None
        }
        // It failed, or something between it and us did, before or after it posted. A 503 says that it has not begun.
        Settled::Later(_) if matches!(response.status, 500 | 502 | 504) && step.method != "GET" => None,
        settled => Some(settled),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_that_cannot_be_read_is_judged_by_its_status() {
        let check = |channel: &str, path: &str, outcome: Outcome, expected: Option<Settled>| {
            let step = Step::json("api", path, json!({}));
            let settled = settle(crate::channels::named(channel).unwrap(), &step, outcome);
            assert_eq!(settled, expected, "{channel} {path}");
        };
        let cut = || Outcome::Answered(Response::text(200, r#"{"ok":tr"#));
        check("telegram", "/bot/sendMessage", cut(), Some(Settled::Posted(None)));
        check("telegram", "/bot/sendMessage", Outcome::Unread(200), Some(Settled::Posted(None)));
        check("telegram", "/bot/sendMessage", Outcome::Unread(503), Some(Settled::Later(None)));
        check("telegram", "/bot/sendMessage", Outcome::Unread(500), None);
        check("webhook", "", Outcome::Answered(Response::empty(502)), None);
        check("telegram", "/file/bot/x", Outcome::Unread(200), None);
        // Slack says no with a 200, so a 200 alone says nothing.
        check("slack", "/chat.postMessage", cut(), None);
        check("slack", "/chat.postMessage", Outcome::Unread(200), None);
        check("slack", "/chat.postMessage", Outcome::Unread(429), Some(Settled::Later(None)));
        check("discord", "/webhooks/1/t", cut(), Some(Settled::Posted(None)));
        check("webhook", "", Outcome::Unread(202), Some(Settled::Posted(None)));
        let refused = Outcome::Answered(Response::json(200, &json!({"ok": false, "error": "is_archived"})));
        check("slack", "/chat.postMessage", refused, Some(Settled::Broken("is_archived".into())));
        for channel in ["telegram", "slack", "discord", "webhook"] {
            let step = Step::json("api", "/x", json!({}));
            let moved = settle(crate::channels::named(channel).unwrap(), &step, Outcome::Unread(302));
            assert!(
                matches!(moved, Some(Settled::Broken(why)) if why.starts_with("HTTP 302: redirects are not"))
            );
        }
    }
}
