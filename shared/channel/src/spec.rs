//! The facts about a platform, as data.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Connect, Step};

/// Everything others must know about a channel without knowing the channel.
#[derive(Debug)]
pub struct Spec {
    /// `[a-z0-9]+`: folder, crate, binary, logical id, SSM path, URL.
    pub name: &'static str,
    /// For people.
    pub title: &'static str,
    pub secrets: &'static [SecretSpec],
    /// What steps name in [`crate::Auth::Token`].
    pub tokens: &'static [TokenSpec],
    /// Addresses of the platform by name, the main one `api`; the configuration's `urls` overrides each.
    /// An empty address must be configured.
    pub bases: &'static [(&'static str, &'static str)],
    /// Hosts that addresses from payloads may have. `*.example.com` covers every name below it.
    pub hosts: &'static [&'static str],
    /// Hosts that keys may be fetched from.
    pub key_hosts: &'static [&'static str],
    /// Largest webhook body, bytes.
    pub max_body: usize,
    /// Longest text of one message as the platform counts it.
    pub text: Limit,
    /// Milliseconds within which the platform wants its answer.
    pub ack_deadline_ms: u64,
    /// Whether it sends an event again that got a 5xx.
    pub retries: bool,
    /// Seconds for which it does.
    pub retry_window_s: u64,
    pub auth: AuthKind,
    pub reject: Reject401,
    /// There are chats of more than two.
    pub groups: bool,
    pub thread: ThreadRule,
    pub overlap: Overlap,
    pub streaming: Streaming,
    pub pace: Pace,
    /// The platform has tenants, and the room tells whether a sender belongs to ours.
    pub tenant: bool,
    /// The platform removes duplicates by a key that we send.
    pub idempotency_key: bool,
    pub connect: Connect,
    /// Keys that `channels.<name>` may have beside the common ones, with what they mean; given to both halves as `settings`.
    pub settings: &'static [(&'static str, &'static str)],
}

#[derive(Debug, Clone, Copy)]
pub struct SecretSpec {
    pub name: &'static str,
    pub half: Half,
    /// Without it the half that needs it does not work. Where several inbound secrets are alternatives, all are optional
    /// and the room's `receive` says [`crate::Reject::NotSetUp`] when none is there.
    pub required: bool,
    pub generate: Generate,
    /// Where a person finds it.
    pub about: &'static str,
}

/// A credential that the platform issues for some time. It is kept in memory and in the table, for all invocations.
#[derive(Debug, Clone, Copy)]
pub struct TokenSpec {
    pub name: &'static str,
    /// The request that asks for one, given the channel's settings. Where its answer holds no token, the room's `settle`
    /// says what that means.
    pub mint: fn(settings: &Value) -> Step,
    /// Where in the answer the token is: a JSON pointer.
    pub at: &'static str,
    /// Where in the answer its life is, in seconds: a JSON pointer.
    pub expires_in: &'static str,
    /// Its life where the answer does not say, seconds.
    pub ttl_s: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Half {
    In,
    Out,
    Both,
}

/// How the local run makes a secret that nobody gave it, and `crabhook secrets set --generate` a real one where that makes sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generate {
    /// 32 random bytes, base64url: secrets that we choose ourselves.
    Random,
    /// `whsec_` and 32 random bytes in base64.
    StandardWebhook,
    /// An Ed25519 public key in hexadecimal whose seed is kept beside it as `<name>_seed` (hexadecimal), for signing as the platform would.
    Ed25519Hex,
    /// 43 letters and digits, base64 of an AES key: WeCom's and WeChat's EncodingAESKey.
    EncodingAesKey,
    /// The key file (JSON) of a service account, which only Google can issue; the local run makes one of its own key.
    ServiceAccount,
    /// Only the platform can issue it; the local run takes a made-up one.
    Platform,
}

/// A length and what it is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    pub max: usize,
    pub unit: Unit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Bytes,
    Chars,
    Utf16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthKind {
    /// The body is signed.
    Signature,
    /// A shared secret comes along.
    Token,
    /// Nothing but an unguessable path: `/<account>/<path_secret>`.
    Path,
}

/// The answer to everything that is not authentic: the same bytes whatever the cause.
#[derive(Debug, Clone, Copy)]
pub struct Reject401 {
    pub status: u16,
    pub body: &'static str,
}

/// What keeps a history of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThreadRule {
    /// The chat, always.
    Chat,
    /// In groups the thread, opened by a top-level mention; in a 1:1 chat the chat, unless the user wrote inside a thread.
    Thread,
}

/// What happens to messages that arrive during a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overlap {
    /// All that wait are answered together.
    Coalesce,
    /// One answer each: every message has a reply slot of its own.
    Each,
}

/// How an answer can be shown while it is being written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Streaming {
    /// It is posted when it is complete.
    Off,
    /// A message is posted early and edited as it grows.
    Edit,
    /// By a way of the platform's own, where the chat has it; by edits elsewhere.
    Native,
}

/// How often a message may change that is being written: what the platform takes for good, not in a burst.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Milliseconds between two changes.
    pub every_ms: u32,
    /// The same in chats of more than two.
    pub in_groups_ms: u32,
    /// Milliseconds between two additions to a stream.
    pub stream_ms: u32,
    /// Changes of one message, the last one included.
    pub most: u32,
}

impl Pace {
    /// For platforms that show nothing before the answer.
    pub const NONE: Pace = Pace { most: 0, ..Pace::every(0) };

    /// The same everywhere, as often as one likes.
    pub const fn every(ms: u32) -> Pace {
        Pace { every_ms: ms, in_groups_ms: ms, stream_ms: ms, most: u32::MAX }
    }
}

/// What a retry does with a call that was begun and not known to have ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnDoubt {
    /// A double beats silence.
    #[default]
    Repeat,
    Skip,
}

impl Spec {
    /// The address of a base: the configuration's `urls.<base>` or the platform's own. No `/` at the end.
    pub fn base<'a>(&'a self, name: &str, settings: &'a Value) -> Option<&'a str> {
        let configured = settings.get("urls").and_then(|urls| urls.get(name)).and_then(Value::as_str);
        let own = || self.bases.iter().find(|(have, _)| *have == name).map(|(_, url)| *url);
        configured.or_else(own).map(|url| url.trim_end_matches('/')).filter(|url| !url.is_empty())
    }
}
