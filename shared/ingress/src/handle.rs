//! One request from payload to answer.

use std::time::{Duration, Instant};

use channel::{Channel, Context, Inbound, Keys, Request, Response};
use queue::{Queue, SendError};
use secrets::{Account, Accounts, Secrets};
use tracing::Instrument as _;

use crate::account;
use crate::event::{Event, Reply};
use crate::failpoint;
use crate::judge::{Outcome, Verdict, at_the_door, judge, reject, unavailable};
use crate::keys::{Fetch, KeyCache};

/// Kept back from what is left of the invocation, so that the answer still goes out.
const TO_ANSWER_MS: i64 = 300;

/// Where the accounts come from.
pub(crate) trait Source {
    async fn accounts(&self) -> Result<Accounts, secrets::Error>;
    /// Reads them early; `None` where that was done a moment ago.
    async fn refresh(&self) -> Result<Option<Accounts>, secrets::Error>;
    /// Where they lie, for the operator: `/<stack>/<channel>`.
    fn path(&self) -> &str;
}

/// Where messages go.
pub(crate) trait Sink {
    async fn send(&self, messages: &[Inbound], trace: &str, budget: Duration) -> Result<(), SendError>;
}

pub(crate) struct ChannelSecrets {
    pub secrets: Secrets,
    /// `/<stack>/<channel>`
    pub path: String,
}

impl Source for ChannelSecrets {
    async fn accounts(&self) -> Result<Accounts, secrets::Error> {
        self.secrets.of_channel(&self.path).await
    }

    async fn refresh(&self) -> Result<Option<Accounts>, secrets::Error> {
        self.secrets.refresh_channel(&self.path).await
    }

    fn path(&self) -> &str {
        &self.path
    }
}

impl Sink for Queue {
    async fn send(&self, messages: &[Inbound], trace: &str, budget: Duration) -> Result<(), SendError> {
        Queue::send(self, messages, Some(trace), budget).await
    }
}

pub(crate) struct Webhook<S, Q, F> {
    pub channel: &'static dyn Channel,
    pub secrets: S,
    pub queue: Q,
    pub keys: KeyCache<F>,
    /// The SNS topic whose notifications are taken in place of requests, where the channel has one.
    pub topic: Option<String>,
}

/// A notification was not put on the queue; Lambda tries again.
#[derive(Debug, thiserror::Error)]
#[error("the notification was answered {0}: it is tried again")]
pub(crate) struct NotTaken(u16);

/// One invocation. Times are Unix milliseconds.
#[derive(Debug, Clone)]
pub struct Call {
    pub request_id: String,
    pub ends_at: i64,
    pub now: i64,
}

/// What the log says of a request. Never its text, never its headers.
#[derive(Default)]
struct Line {
    account: String,
    verdict: &'static str,
    /// For the operator, where something is wrong.
    why: Option<String>,
    rejected: Option<bool>,
    failed: Option<bool>,
    ignored: Option<&'static str>,
    count: usize,
    /// The messages and their conversations, each with commas between where there are several.
    id: String,
    conversation: String,
}

impl<S: Source, Q: Sink, F: Fetch> Webhook<S, Q, F> {
    /// Takes the notifications of the channel's topic, or else answers the request.
    ///
    /// # Errors
    /// A notification could not be judged or enqueued. Where nobody reads an answer, only an error asks for a repetition.
    pub async fn take(&self, event: Event, call: &Call) -> Result<Reply, NotTaken> {
        let notifications = self.topic.as_deref().map(|topic| event.notifications(topic)).unwrap_or_default();
        if notifications.is_empty() {
            return Ok(self.handle(event, call).await);
        }
        for notification in notifications {
            let reply = self.handle_request(Some(notification), call).await;
            if reply.status >= 500 {
                return Err(NotTaken(reply.status));
            }
        }
        Ok(Response::empty(200).into())
    }

    pub async fn handle(&self, event: Event, call: &Call) -> Reply {
        self.handle_request(event.into_request(), call).await.into()
    }

    /// `None`: Lambda's own encoding of the request is broken.
    pub async fn handle_request(&self, request: Option<Request>, call: &Call) -> Response {
        // The trace goes with the messages to the invoker, whose lines name it too.
        let (channel, request_id) = (self.channel.spec().name, call.request_id.as_str());
        let span = tracing::error_span!("webhook", channel, request_id, trace = request_id);
        let taken = async {
            let begun = Instant::now();
            let mut line = Line::default();
            let response = self.answer(request, call, &mut line).await;
            line.write(response.status, u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX));
            response
        };
        taken.instrument(span).await
    }

    async fn answer(&self, request: Option<Request>, call: &Call, line: &mut Line) -> Response {
        let Some(mut request) = request else {
            let malformed = Outcome::Forged("its body is not base64");
            return line.refuse(malformed, reject(self.channel.spec()), String::new());
        };
        if let Some(Verdict { outcome, response, .. }) = at_the_door(self.channel.spec(), &request) {
            let why = why(&outcome);
            return line.refuse(outcome, response, why);
        }
        let Some(name) = account::take(&mut request) else {
            return line.unknown("no account can be called so");
        };
        line.account = name;
        let account = match self.account(&line.account).await {
            Ok(Some(account)) => account,
            Ok(None) => {
                let path = format!("{}/{}/", self.secrets.path(), line.account);
                return line.unknown(&format!("there is nothing at {path}: crabhook secrets set"));
            }
            Err(why) => return line.fail(why),
        };
        let verdict = match self.verdict(&mut request, account, call, &line.account).await {
            Ok(verdict) => verdict,
            Err(why) => return line.fail(why),
        };
        match verdict.outcome {
            Outcome::Accepted | Outcome::Handshake => self.enqueue(verdict, call, line).await,
            Outcome::NotSetUp(secret) => {
                let path = format!("{}/{}/{secret}", self.secrets.path(), line.account);
                line.refuse(
                    Outcome::NotSetUp(secret),
                    verdict.response,
                    format!("{path} is not set: crabhook secrets set"),
                )
            }
            outcome => {
                let why = why(&outcome);
                line.refuse(outcome, verdict.response, why)
            }
        }
    }

    /// The account of that name, after an early look at the secrets where it is not among those known.
    pub async fn account(&self, name: &str) -> Result<Option<Account>, String> {
        let accounts = self.secrets.accounts().await.map_err(|error| error.to_string())?;
        if let Some(account) = accounts.get(name) {
            return Ok(Some(account.clone()));
        }
        let accounts = self.secrets.refresh().await.map_err(|error| error.to_string())?;
        Ok(accounts.and_then(|accounts| accounts.get(name).cloned()))
    }

    /// The account as it is now, unless that was looked up a moment ago.
    pub async fn newer(&self, name: &str) -> Option<Account> {
        self.secrets.refresh().await.ok().flatten().and_then(|accounts| accounts.get(name).cloned())
    }

    /// Judges the request; once more with newer secrets where a signature fails or a secret is missing, and with newer
    /// keys where one is. The error says why it cannot be judged at all.
    async fn verdict(
        &self,
        request: &mut Request,
        account: Account,
        call: &Call,
        name: &str,
    ) -> Result<Verdict, String> {
        account::address(request, &account.settings);
        let keys = self.keys.known(call.now).await;
        let verdict = self.judge(request, &account, &keys, call, name);
        match &verdict.outcome {
            Outcome::Forged(_) | Outcome::NotSetUp(_) => {
                let Some(newer) = self.newer(name).await else { return Ok(verdict) };
                Ok(self.judge(request, &newer, &keys, call, name))
            }
            Outcome::NeedKey { url, .. } => {
                let new = self.keys.refresh(url, self.channel.spec(), &account.settings, call.now).await;
                match new.map_err(|why| format!("the keys at {url} cannot be read: {why}"))? {
                    true => Ok(self.judge(request, &account, &self.keys.known(call.now).await, call, name)),
                    false => Ok(verdict),
                }
            }
            _ => Ok(verdict),
        }
    }

    fn judge(&self, request: &Request, account: &Account, keys: &Keys, call: &Call, name: &str) -> Verdict {
        let Account { secrets, settings } = account;
        judge(self.channel, request, &Context { account: name, secrets, settings, keys, now: call.now })
    }

    async fn enqueue(&self, verdict: Verdict, call: &Call, line: &mut Line) -> Response {
        let messages = &verdict.messages;
        line.verdict = verdict.outcome.name();
        line.ignored = verdict.ignored;
        line.count = messages.len();
        let listed = |of: &dyn Fn(&Inbound) -> String| messages.iter().map(of).collect::<Vec<_>>().join(",");
        line.id = listed(&|inbound| channel::short_id(&inbound.id));
        line.conversation = listed(&|inbound| inbound.conversation_key().to_string());
        if messages.is_empty() {
            return verdict.response;
        }
        let pass = |when| messages.iter().for_each(|one| failpoint::pass("enqueue", when, 1, one.text()));
        pass("before");
        let sent = self.queue.send(messages, &call.request_id, self.budget(call)).await;
        pass("after");
        match sent {
            Ok(()) => verdict.response,
            Err(error) => {
                line.failed = Some(true);
                line.why = Some(error.to_string());
                verdict.on_failure
            }
        }
    }

    /// Half of what the platform waits, within what is left of the invocation.
    fn budget(&self, call: &Call) -> Duration {
        let left = call.ends_at.saturating_sub(crate::now()).saturating_sub(TO_ANSWER_MS).max(0);
        Duration::from_millis((self.channel.spec().ack_deadline_ms / 2).min(left.unsigned_abs()))
    }
}

impl Line {
    fn refuse(&mut self, outcome: Outcome, response: Response, why: String) -> Response {
        self.verdict = outcome.name();
        match outcome {
            Outcome::NotSetUp(_) => self.failed = Some(true),
            _ => self.rejected = Some(true),
        }
        self.why = Some(why);
        response
    }

    /// Any path that somebody tries leads here, so it counts as a reject and not as our failure.
    fn unknown(&mut self, why: &str) -> Response {
        self.verdict = "unknown_account";
        self.rejected = Some(true);
        self.why = Some(why.to_owned());
        unavailable()
    }

    fn fail(&mut self, why: String) -> Response {
        self.verdict = "unavailable";
        self.failed = Some(true);
        self.why = Some(why);
        unavailable()
    }

    /// `rejected` and `failed` are what the metric filters of `infra/template.yaml` count.
    fn write(&self, status: u16, ms: u64) {
        let Line { account, verdict, why, rejected, failed, ignored, count, id, conversation } = self;
        macro_rules! at {
            ($level:ident) => {
                tracing::$level!(
                    account,
                    verdict,
                    status,
                    count,
                    id,
                    conversation,
                    ms,
                    ignored,
                    rejected,
                    failed,
                    why,
                    "request"
                )
            };
        }
        match (failed, rejected) {
            (Some(true), _) => at!(error),
            (_, Some(true)) => at!(warn),
            _ => at!(info),
        }
    }
}

/// Why a request is refused, for the operator.
fn why(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Forged(reason) => (*reason).to_owned(),
        // Chosen by the sender: shortened, and inside JSON it can do no harm.
        Outcome::NeedKey { kid, .. } => {
            format!("there is no key {}", kid.chars().take(64).collect::<String>())
        }
        outcome => outcome.name().to_owned(),
    }
}

#[cfg(test)]
mod tests;
