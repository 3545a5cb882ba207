//! What `make run` and the tests need of a room beside the contract: events as its platform would send them, and the
//! platform's own part for the stand-in.

use crate::{Channel, Request, Response, Secrets};

/// A room that can play its own platform.
pub trait Local: Channel {
    /// A signed webhook request, as the platform would send it when somebody writes `message`.
    fn event(&self, message: &Message<'_>) -> Event;

    /// The request with the signature that its platform would give it at `now` (Unix milliseconds): how recorded
    /// requests are replayed.
    fn sign(&self, request: Request, secrets: &Secrets, now: i64) -> Request;

    /// The key by which the platform knows a repetition of this call; `None` where it shows it again.
    fn known_by(&self, _request: &Request) -> Option<String> {
        None
    }

    /// Plays the platform's API. `request.path` is `/<base>/…`, its base being one of [`crate::Spec::bases`].
    fn answer(&self, request: &Request) -> Answer;
}

/// Something a person writes.
#[derive(Clone, Copy)]
pub struct Message<'a> {
    /// The webhook's public address, account included.
    pub url: &'a str,
    pub account: &'a str,
    pub text: &'a str,
    /// Any text; the room makes the platform's kind of id of it, always the same one.
    pub user: &'a str,
    /// `None` = a 1:1 chat; else a group of that name, the assistant being mentioned.
    pub conversation: Option<&'a str>,
    /// Unique per message: what the platform's ids are made of. The same id again is a redelivery.
    pub id: &'a str,
    /// The account's secrets, `<name>_seed` for signing keys among them.
    pub secrets: &'a Secrets,
    /// The platform's stand-in, without a `/` at the end: what addresses in a payload begin with, `<platform>/<base>/…`.
    pub platform: &'a str,
    /// Unix milliseconds.
    pub now: i64,
}

pub struct Event {
    pub request: Request,
    /// What [`Said::reply_key`] of the answer will be.
    pub reply_key: String,
}

/// How the platform answers a call, and what people see of it.
pub struct Answer {
    pub response: Response,
    pub said: Option<Said>,
}

/// A text that appeared in a conversation.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Said {
    /// Names the conversation (or the message's reply slot) within the channel.
    pub reply_key: String,
    pub text: String,
}

/// A number of up to 12 digits that stands for a name: for platforms whose ids are numbers.
pub fn number(name: &str) -> u64 {
    let known: Option<u64> = name.parse().ok();
    let hash = crate::sign::sha256(name.as_bytes());
    known.unwrap_or_else(|| {
        hash.iter().take(5).fold(0, |sum, byte| sum << 8 | u64::from(*byte)) % 899_999_999_999
            + 100_000_000_000
    })
}
