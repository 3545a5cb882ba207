//! What the stand-in was called with.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use channel::Request;
use channel::local::Said;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::watch;

/// Older calls are forgotten.
const KEPT: usize = 10_000;

/// One call, as `GET /calls` shows it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Call {
    /// Counts the calls of all channels, from 1.
    pub n: u64,
    /// Unix milliseconds.
    pub at: i64,
    pub channel: String,
    pub method: String,
    /// Below the channel: `/<base>/…`.
    pub path: String,
    /// What was answered; 0 = the connection was closed.
    pub status: u16,
    /// The text that people saw.
    pub said: Option<Said>,
    /// The platform's id of the message that says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// It said something else before.
    #[serde(default)]
    pub edited: bool,
    /// Parsed where it is JSON, else text.
    pub body: Value,
}

/// What a call made appear.
#[derive(Default)]
pub(super) struct Shown {
    pub said: Option<Said>,
    pub message: Option<String>,
    pub edited: bool,
}

pub(super) struct Calls {
    kept: Mutex<VecDeque<Call>>,
    /// Number of the newest.
    newest: watch::Sender<u64>,
}

impl Default for Calls {
    fn default() -> Calls {
        Calls { kept: Mutex::default(), newest: watch::Sender::new(0) }
    }
}

impl Calls {
    pub fn note(&self, channel: &str, request: &Request, status: u16, shown: Shown) -> Call {
        let text = || Value::from(String::from_utf8_lossy(&request.body).into_owned());
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let call = Call {
            n: *self.newest.borrow() + 1,
            at: model_invoker::now(),
            channel: channel.to_owned(),
            method: request.method.clone(),
            path: request.path.clone(),
            status,
            said: shown.said,
            message: shown.message,
            edited: shown.edited,
            body: serde_json::from_slice(&request.body).unwrap_or_else(|_| text()),
        };
        kept.push_back(call.clone());
        if kept.len() > KEPT {
            kept.pop_front();
        }
        self.newest.send_replace(call.n);
        call
    }

    /// Calls numbered above `since`, oldest first. Where there are none, waits for one that long.
    pub async fn after(&self, since: u64, channel: Option<&str>, wait: Duration) -> Vec<Call> {
        let mut newest = self.newest.subscribe();
        let some = async {
            loop {
                let found = self.now_after(since, channel);
                if !found.is_empty() || newest.changed().await.is_err() {
                    return found;
                }
            }
        };
        tokio::time::timeout(wait, some).await.unwrap_or_default()
    }

    fn now_after(&self, since: u64, channel: Option<&str>) -> Vec<Call> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = |call: &&Call| call.n > since && channel.is_none_or(|channel| call.channel == channel);
        kept.iter().filter(wanted).cloned().collect()
    }
}
