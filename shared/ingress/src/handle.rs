//! One webhook request from event to answer.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use channel::{Channel, Request, Response};
use secrets::{Account, Accounts};
use serde_json::Value;

use crate::event::{Answer, Event, Refused};
use crate::judge::{Judged, Note, judge_with_keys};

/// The function: a channel, its queue and its secrets.
pub struct Service {
    room: &'static dyn Channel,
    queue: queue::Queue,
    secrets: secrets::Secrets,
    /// `/<stack>/<channel>`
    path: String,
    #[cfg(feature = "keys")]
    keys: crate::keys::Fetched,
}

impl Service {
    pub fn new(
        room: &'static dyn Channel,
        queue: queue::Queue,
        secrets: secrets::Secrets,
        path: String,
    ) -> Service {
        Service {
            room,
            queue,
            secrets,
            path,
            #[cfg(feature = "keys")]
            keys: crate::keys::Fetched::default(),
        }
    }

    /// The answer to an event, and one line in the log.
    pub async fn handle(&self, event: Event, request_id: &str) -> Answer {
        let started = Instant::now();
        let (answer, account, note) = self.answer(event).await;
        let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.log(&answer, &account, &note, request_id, ms);
        answer.into()
    }

    async fn answer(&self, event: Event) -> (Response, String, Told) {
        let accounts = match self.secrets.of_channel(&self.path).await {
            Ok(accounts) => accounts,
            Err(error) => return (Response::empty(503), String::new(), Told::Failed(error.to_string())),
        };
        let public_url = |account: &str| {
            let settings = &accounts.get(account)?.settings;
            settings.get("public_url").and_then(Value::as_str).map(str::to_owned)
        };
        let addressed = match event.request(self.room.spec().max_body, public_url) {
            Ok(addressed) => addressed,
            Err(Refused::TooLarge) => return (Response::empty(413), String::new(), Told::TooLarge),
            Err(Refused::Malformed) => return (Response::empty(400), String::new(), Told::Malformed),
        };
        let (account, request) = (addressed.account, addressed.request);
        let judged = self.judge(accounts, &account, &request).await;
        let Some(judged) = judged else {
            return (Response::empty(503), account, Told::NoAccount);
        };
        let deadline = Duration::from_millis(self.room.spec().ack_deadline_ms / 2);
        if judged.messages.is_empty() {
            return (judged.answer(), account, Told::Judged(judged));
        }
        match self.queue.send(&judged.messages, None, deadline).await {
            Ok(()) => (judged.answer(), account, Told::Judged(judged)),
            Err(error) => (judged.on_failure, account, Told::Failed(error.to_string())),
        }
    }

    /// The verdict; once more with secrets read afresh where it was no, at most once a minute. `None`: no such account.
    async fn judge(&self, accounts: Accounts, account: &str, request: &Request) -> Option<Judged> {
        let first = match accounts.get(account) {
            Some(known) => Some(self.with_keys(known, account, request).await),
            None => None,
        };
        let doubtful = |judged: &Option<Judged>| {
            judged.as_ref().is_none_or(|judged| matches!(judged.note, Note::Forged(_) | Note::NotSetUp(_)))
        };
        if !doubtful(&first) {
            return first;
        }
        match self.secrets.refresh_channel(&self.path).await {
            Ok(Some(fresh)) => Some(self.with_keys(fresh.get(account)?, account, request).await),
            Ok(None) => first,
            Err(error) => {
                tracing::warn!(%error, "the secrets cannot be read afresh");
                first
            }
        }
    }

    #[cfg(feature = "keys")]
    async fn with_keys(&self, known: &Account, account: &str, request: &Request) -> Judged {
        let now = now();
        let judge = |keys: &channel::Keys| {
            judge_with_keys(self.room, account, &known.secrets, &known.settings, keys, request, now)
        };
        let first = judge(&self.keys.known().await);
        match &first.note {
            Note::NeedKey { url, kid } => {
                match self.keys.fetch(self.room.spec(), &known.settings, url, kid, now).await {
                    true => judge(&self.keys.known().await),
                    false => first,
                }
            }
            _ => first,
        }
    }

    #[cfg(not(feature = "keys"))]
    async fn with_keys(&self, known: &Account, account: &str, request: &Request) -> Judged {
        let keys = channel::Keys::new();
        judge_with_keys(self.room, account, &known.secrets, &known.settings, &keys, request, now())
    }

    /// One line a request: never a text, a header or a reason that the platform gave. Alarms count `rejected` and `failed`.
    fn log(&self, answer: &Response, account: &str, told: &Told, request: &str, ms: u64) {
        let (channel, status) = (self.room.spec().name, answer.status);
        match told {
            Told::Judged(judged) => self.log_judged(judged, account, request, ms),
            Told::Failed(why) => {
                tracing::error!(
                    channel,
                    account,
                    request,
                    status,
                    ms,
                    failed = status >= 500,
                    why,
                    "not taken"
                );
            }
            Told::NoAccount => {
                let missing = format!("{}/{account}/", self.path);
                tracing::error!(
                    channel,
                    account,
                    request,
                    status,
                    ms,
                    failed = true,
                    missing,
                    "no secrets: crabhook secrets set"
                );
            }
            Told::TooLarge => tracing::warn!(channel, request, status, ms, rejected = true, "too large"),
            Told::Malformed => tracing::warn!(channel, request, status, ms, rejected = true, "malformed"),
        }
    }

    fn log_judged(&self, judged: &Judged, account: &str, request: &str, ms: u64) {
        let (channel, status) = (self.room.spec().name, judged.status);
        match &judged.note {
            Note::Messages { ignored } => {
                let keys: Vec<String> =
                    judged.messages.iter().map(|message| message.conversation_key().to_string()).collect();
                let (messages, conversations) = (keys.len(), keys.join(" "));
                tracing::info!(
                    channel,
                    account,
                    request,
                    status,
                    ms,
                    messages,
                    ignored,
                    conversations,
                    "taken"
                );
            }
            Note::Handshake => tracing::info!(channel, account, request, status, ms, "handshake"),
            Note::Nothing(kind) => {
                tracing::info!(channel, account, request, status, ms, ignored = 1, kind, "ignored")
            }
            Note::Forged(why) => {
                tracing::warn!(channel, account, request, status, ms, rejected = true, why, "refused")
            }
            Note::NeedKey { kid, .. } => {
                tracing::warn!(
                    channel,
                    account,
                    request,
                    status,
                    ms,
                    rejected = true,
                    kid,
                    "refused: unknown key"
                );
            }
            Note::NotSetUp(name) => {
                let missing = format!("{}/{account}/{name}", self.path);
                tracing::error!(
                    channel,
                    account,
                    request,
                    status,
                    ms,
                    failed = true,
                    missing,
                    "no secret: crabhook secrets set"
                );
            }
        }
    }
}

/// What an answer is based on.
enum Told {
    Judged(Judged),
    TooLarge,
    Malformed,
    NoAccount,
    /// A service of ours did not do its part.
    Failed(String),
}

/// Unix milliseconds.
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
