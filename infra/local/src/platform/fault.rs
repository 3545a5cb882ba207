//! Failures on demand.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What goes wrong, and how often.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// A channel, or `model`.
    pub channel: String,
    /// What is answered. 0 = the connection is closed without an answer; absent = the call succeeds, only late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Seconds, sent as `Retry-After`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<f64>,
    /// For how many calls.
    #[serde(default = "once")]
    pub times: u32,
    /// How long the answer takes, milliseconds.
    #[serde(default)]
    pub delay_ms: u64,
    /// Only calls whose path holds this; the others go on as ever.
    #[serde(default)]
    pub path: String,
    /// Only calls whose body holds this text.
    #[serde(default)]
    pub holds: String,
    /// The platform did what it was asked, only its answer is lost.
    #[serde(default)]
    pub done: bool,
    /// Body of the answer, as the platform would explain itself.
    #[serde(default)]
    pub body: Value,
}

fn once() -> u32 {
    1
}

impl Fault {
    pub(super) fn fails(&self) -> bool {
        self.status.is_some()
    }

    pub(super) fn status(&self) -> u16 {
        self.status.unwrap_or(200)
    }

    pub(super) fn response(&self) -> Response {
        if self.status() == 0 {
            // A body that fails before its first byte: hyper closes the connection, and nothing has been sent.
            let broken = futures::stream::once(async { Err::<Vec<u8>, _>(std::io::Error::other("fault")) });
            return Response::new(Body::from_stream(broken));
        }
        let status = StatusCode::from_u16(self.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = if self.body.is_null() { String::new() } else { self.body.to_string() };
        let mut response = (status, [(header::CONTENT_TYPE, "application/json")], body).into_response();
        if let Some(Ok(seconds)) = self.retry_after.map(|seconds| seconds.to_string().parse()) {
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        response
    }
}

/// Those still to happen, in the order in which they were asked for.
#[derive(Default)]
pub(super) struct Faults(Mutex<VecDeque<Fault>>);

impl Faults {
    pub fn plan(&self, fault: Fault) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(fault);
    }

    /// The fault of this call, which is then used up by one.
    pub fn next(&self, channel: &str, path: &str, body: &[u8]) -> Option<Fault> {
        let mut planned = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        planned.retain(|fault| fault.times > 0);
        let body = String::from_utf8_lossy(body);
        let fault = planned.iter_mut().find(|fault| {
            fault.channel == channel && path.contains(&fault.path) && body.contains(&fault.holds)
        })?;
        fault.times -= 1;
        Some(fault.clone())
    }
}
