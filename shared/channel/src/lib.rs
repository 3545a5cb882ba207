//! What every channel has in common: the contract ([`Channel`]), its vocabulary ([`Inbound`], [`Address`], [`Part`],
//! [`Spec`], [`Post`]) and the toolkits that the rooms build on: [`sign`], [`jwt`], [`aes`], [`tencent`], [`graph`], [`sns`],
//! [`text`], and by feature `markdown` and `xml`.
//!
//! Nothing here is `async` or reads clock, environment or network. A room (`functions/<channel>`) is two pure halves:
//! a request becomes messages ([`Channel::receive`]), and an answer becomes requests ([`Channel::post`]).

mod address;
pub mod aes;
mod connect;
pub mod encode;
pub mod graph;
mod http;
mod ids;
mod inbound;
pub mod jwt;
#[cfg(any(test, feature = "local"))]
pub mod local;
#[cfg(feature = "markdown")]
pub mod markdown;
mod part;
pub mod pem;
mod picture;
mod post;
pub mod sign;
pub mod sns;
mod spec;
pub mod tencent;
pub mod text;
mod version;
#[cfg(feature = "xml")]
pub mod xml;

use std::time::Duration;

pub use address::{Address, Later, Window};
pub use connect::{Argument, Connect, Offered, Registration};
pub use http::{Headers, Request, Response, Unverified, Verified};
pub use ids::{ConversationKey, short_id};
pub use inbound::{
    Attachment, Content, Conversation, Home, INBOUND_VERSION, Inbound, Kind, MAX_TEXT_BYTES, Sender,
};
pub use part::{Choice, End, Grown, Media, Outcome, Part};
pub use picture::{MAX_PICTURE, MAX_SIDE, is_too_large};
pub use post::{Auth, Body, Fetch, File, Post, Settled, Step, Target, Upload, Way};
pub use secrecy::{ExposeSecret, SecretString};
pub use spec::{
    AuthKind, Generate, Half, Limit, OnDoubt, Overlap, Pace, Reject401, SecretSpec, Spec, Streaming,
    ThreadRule, TokenSpec, Unit,
};
pub use version::{Shape, shape};

/// One platform, both directions, as values in and values out.
pub trait Channel: Send + Sync {
    /// The facts about the platform that others act on.
    fn spec(&self) -> &'static Spec;

    /// Judges one webhook request. Verification comes before any look at the body's meaning.
    ///
    /// # Errors
    /// A [`Reject`]: what is not authentic, or what cannot be judged yet.
    fn receive(&self, request: &Request, ctx: &Context<'_>) -> Result<Received, Reject>;

    /// The requests that put `parts` into the conversation at `to`, in the order in which they must be made.
    fn post(&self, parts: &[Part], to: &Address, ctx: &PostContext<'_>) -> Post;

    /// What the platform's answer to a step means.
    fn settle(&self, step: &Step, response: &Response) -> Settled;

    /// The requests that fetch what an inbound message only points to.
    fn fetch(&self, what: &Fetch) -> Post;

    /// Whether a program reads what is said there: it gets the words as the model wrote them, nothing before, between or in place of
    /// them, and [`Part::Outcome`].
    fn is_verbatim(&self, _to: &Address) -> bool {
        false
    }

    /// The key in the stack's own bucket, below `media/`, of what the room's function let somebody put there; `None` where the
    /// platform has it. The room makes the key; nothing of it is what a payload says.
    fn kept(&self, _what: &Fetch) -> Option<String> {
        None
    }

    /// How many answers one thread gets a day, or a chat without threads. `None` = as many as the limits allow; where machines
    /// may answer each other, a number.
    fn answers_a_day(&self, _settings: &serde_json::Value) -> Option<u32> {
        None
    }

    /// Whether the webhook function must know who may talk: its settings then hold `access`.
    fn reads_access(&self) -> bool {
        false
    }

    /// How a reminder reaches whoever wrote from that address, and until when.
    fn later(&self, to: &Address, _settings: &serde_json::Value) -> Later {
        Later::always(to)
    }

    /// What a failed message says that is not taken as a reply, nor in any other way: why, and what to do about it.
    fn unreachable(&self) -> &'static str {
        "the chat is not there any more"
    }

    /// Where the person of that id ([`Sender::id`]) is written to in private who never wrote there. `None`: only once they have.
    fn private(&self, _account: &str, _person: &str) -> Option<Address> {
        None
    }

    /// The names in [`Address::data`] that a message of our own accord needs, and that hold for as long as the chat does.
    fn keeps(&self) -> &'static [&'static str] {
        &[]
    }

    /// The setting, missing among these, without which nobody is known to belong to the workspace.
    fn lacks(&self, _settings: &serde_json::Value) -> Option<&'static str> {
        None
    }
}

/// What a channel is judged with. All of it belongs to one account.
pub struct Context<'a> {
    /// First segment of the URL's path, `main` unless several bots share the channel.
    pub account: &'a str,
    pub secrets: &'a Secrets,
    /// What `receive` needs of the configuration: the JSON written by `crabhook config push`; `null` without any.
    pub settings: &'a serde_json::Value,
    /// Public keys fetched on [`Reject::NeedKey`], by URL.
    pub keys: &'a Keys,
    /// Unix milliseconds.
    pub now: i64,
}

/// What a reply is written with.
pub struct PostContext<'a> {
    pub settings: &'a serde_json::Value,
    /// Stable over retries of the same turn: the seed of idempotency keys, see [`PostContext::part_key`].
    pub key: &'a str,
    pub way: Way,
    /// Without markup, and with links in place of files: the platform refused them. As many steps as with them: what was sent
    /// keeps its place in the new plan.
    pub plain: bool,
    /// Unix milliseconds.
    pub now: i64,
}

impl PostContext<'_> {
    /// The idempotency key of the part at `index`: 32 hexadecimal characters, the same on every retry.
    pub fn part_key(&self, index: usize) -> String {
        sign::sha256_hex(format!("{}/{index}", self.key).as_bytes()).chars().take(32).collect()
    }
}

/// Secrets of one account by name. Has no `Debug`, on purpose.
#[derive(Clone, Default)]
pub struct Secrets(std::collections::BTreeMap<String, SecretString>);

impl Secrets {
    /// The secret's text, or `None` where it is not set or empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(ExposeSecret::expose_secret).filter(|value| !value.is_empty())
    }

    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<SecretString>) {
        self.0.insert(name.into(), value.into());
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl FromIterator<(String, String)> for Secrets {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Secrets(pairs.into_iter().map(|(name, value)| (name, SecretString::from(value))).collect())
    }
}

/// Bodies of fetched key documents (JWKS, certificates), by URL.
pub type Keys = std::collections::BTreeMap<String, String>;

/// What an authentic request turned out to be.
#[derive(Debug, Clone, PartialEq)]
pub enum Received {
    /// The platform checks that we are there; nothing happened in a conversation.
    Handshake(Response),
    Events {
        /// The answer when everything is in the queue.
        ack: Response,
        /// The answer when the queue did not take it: 5xx where the platform retries, else an honest "please send again".
        on_failure: Response,
        inbound: Vec<Inbound>,
    },
    /// Authentic, and nothing in it to answer: receipts, edits, bots, unknown kinds. Counted under the given name.
    Nothing(Response, &'static str),
}

/// Why a request is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reject {
    /// Not authentic. The reason is for our log only; the platform gets [`Spec::reject`].
    #[error("not authentic: {0}")]
    Forged(&'static str),
    /// A secret that verification needs is not set: 503, named by `doctor`.
    #[error("secret {0} is not set")]
    NotSetUp(&'static str),
    /// A public key must be fetched before the request can be judged.
    #[error("key {kid} of {url} is needed")]
    NeedKey { url: String, kid: String },
}

/// How long the platform asked us to wait, where it said so.
pub type RetryAfter = Option<Duration>;
