//! Failures on demand.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use channel::Response;
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
    /// Where a redirect leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// For how many calls.
    #[serde(default = "once")]
    pub times: u32,
    /// How long the answer takes, milliseconds. What is asked for is done at once.
    #[serde(default)]
    pub delay_ms: u64,
    /// Only calls whose path holds this; the others go on as ever.
    #[serde(default)]
    pub path: String,
    /// Only calls whose body holds this text.
    #[serde(default)]
    pub holds: String,
    /// Only calls that make a message appear.
    #[serde(default)]
    pub said: bool,
    /// The platform did what it was asked, only its answer is lost.
    #[serde(default)]
    pub done: bool,
    /// Body of the answer, as the platform would explain itself.
    #[serde(default)]
    pub body: Value,
    /// What happens to the answer on its way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub harm: Option<Harm>,
}

/// What may happen to an answer on its way; its status arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Harm {
    /// It ends in the middle, as if that were all of it.
    Truncated,
    /// The connection breaks in the middle.
    Broken,
    /// Less comes than was announced.
    Short,
    /// It comes a byte at a time.
    Slow,
    /// It is larger than anybody wants to read.
    Huge,
}

fn once() -> u32 {
    1
}

impl Fault {
    /// The next `times` messages are refused with 429 and `seconds` to wait.
    pub(crate) fn busy(channel: &str, times: u32, seconds: f64) -> Fault {
        Fault {
            channel: channel.to_owned(),
            status: Some(429),
            retry_after: Some(seconds),
            location: None,
            times,
            delay_ms: 0,
            path: String::new(),
            holds: String::new(),
            said: true,
            done: false,
            body: Value::Null,
            harm: None,
        }
    }

    pub(super) fn fails(&self) -> bool {
        self.status.is_some()
    }

    pub(super) fn status(&self) -> u16 {
        self.status.unwrap_or(200)
    }

    /// What is answered; `None` = the connection is closed.
    pub(super) fn response(&self) -> Option<Response> {
        let mut response = match (self.status(), &self.body) {
            (0, _) => return None,
            (status, Value::Null) => Response::empty(status),
            (status, body) => Response::json(status, body),
        };
        if let Some(seconds) = self.retry_after {
            response.headers.set("retry-after", seconds.to_string());
        }
        if let Some(location) = &self.location {
            response.headers.set("location", location);
        }
        Some(response)
    }
}

/// Those still to happen, in the order in which they were asked for.
#[derive(Default)]
pub(crate) struct Faults(Mutex<VecDeque<Fault>>);

impl Faults {
    pub fn plan(&self, fault: Fault) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(fault);
    }

    /// The fault of this call, which is then used up by one. `says`: it would make a message appear.
    pub fn next(&self, channel: &str, path: &str, body: &[u8], says: bool) -> Option<Fault> {
        let mut planned = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        planned.retain(|fault| fault.times > 0);
        let body = String::from_utf8_lossy(body);
        let fault = planned.iter_mut().find(|fault| {
            let meant = fault.channel == channel && (says || !fault.said);
            meant && path.contains(&fault.path) && body.contains(&fault.holds)
        })?;
        fault.times -= 1;
        Some(fault.clone())
    }
}
