//! What `make run` and the tests need of a room beside the contract: events as its platform would send them, and the
//! platform's own part for the stand-in.

mod form;
mod look;
pub mod recorded;

use std::collections::BTreeMap;

use serde_json::{Value, json};

pub use form::{Field, fields};
pub use look::{Button, Look, Markup, at, buttons};

use crate::{Channel, Keys, Request, Response, Secrets};

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

    /// Whether a call that was answered well goes on into the local cloud, whose answer then counts: where the platform is a
    /// service of AWS that the product reads back itself.
    fn is_passed_on(&self, _request: &Request) -> bool {
        false
    }

    /// The id of the message that this call changes; `None` where it makes a new one, or none.
    fn edits(&self, _request: &Request) -> Option<String> {
        None
    }

    /// The documents of keys that its requests are judged by, where it signs with keys that must be fetched: by the
    /// addresses that [`crate::Reject::NeedKey`] names under these settings. Signed with [`platform_key`].
    fn keys(&self, _settings: &Value) -> Keys {
        Keys::new()
    }

    /// The secrets under which a recorded request is judged whose token must say `claims` (`iss`, `aud`).
    fn expecting(&self, _claims: &Value) -> Secrets {
        Secrets::default()
    }

    /// Plays the platform's API. `request.path` is `/<base>/…`, its base being one of [`crate::Spec::bases`].
    fn answer(&self, request: &Request) -> Answer;

    /// The same with the memory that its streams need: what the call changes of them is remembered where it is acted on.
    fn play(&self, request: &Request, _streams: &mut Streams) -> Answer {
        self.answer(request)
    }

    /// How a call that succeeded looks to people, beside the texts of its [`Answer`].
    fn look(&self, _call: &Request, _response: &Response) -> Look {
        Look::default()
    }

    /// Somebody presses a button under the message of the id `under`; `message.text` is what the button says. By default
    /// the platform says it in the person's name. A button that opens a form is pressed with an empty text.
    fn press(&self, message: &Message<'_>, _under: &str) -> Event {
        self.event(message)
    }

    /// Somebody sends the form that a button under that message opened, with what was written into it.
    fn fill(&self, message: &Message<'_>, under: &str) -> Event {
        self.press(message, under)
    }

    /// Whether this answer to an event makes the platform show that an answer is being written.
    fn shows_writing(&self, _ack: &Response) -> bool {
        false
    }
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
    /// The channel's stand-in, without a `/` at the end: what addresses in a payload begin with, `<platform>/<base>/…`.
    pub platform: &'a str,
    /// Unix milliseconds.
    pub now: i64,
}

pub struct Event {
    pub request: Request,
    /// What [`Said::reply_key`] of the answer will be.
    pub reply_key: String,
}

/// The request as it goes over HTTP. A notification of SNS (method `EVENT`) does so as an invocation of its function.
pub fn delivered(request: Request) -> Request {
    if request.method != "EVENT" {
        return request;
    }
    let topic = request.headers.get("x-amz-sns-topic-arn").unwrap_or("");
    let sns =
        json!({"Type": "Notification", "TopicArn": topic, "Message": String::from_utf8_lossy(&request.body)});
    let event = json!({"Records": [{"EventSource": "aws:sns", "Sns": sns}]});
    // The local cloud asks who calls, and takes the account's root by its name alone.
    let caller = "AWS4-HMAC-SHA256 Credential=test/20261121/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=0";
    let headers = [("authorization", caller), ("x-amz-date", "20261121T000000Z")].into_iter().collect();
    Request::new("POST", &request.url, headers, event.to_string())
}

/// The status that the webhook gave to a request of this method, out of the answer over HTTP: an invocation's is another one
/// than the function's. Lambda tries again what failed, as platforms do on a 500.
pub fn acknowledged(method: &str, status: u16, body: &[u8]) -> u16 {
    if method != "EVENT" || !(200..300).contains(&status) {
        return status;
    }
    let answer: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let given = answer.get("statusCode").and_then(Value::as_u64);
    given.and_then(|status| u16::try_from(status).ok()).unwrap_or(500)
}

/// How the platform answers a call, and what people see of it.
pub struct Answer {
    pub response: Response,
    /// The messages that the call made appear, in order.
    pub said: Vec<Said>,
}

/// The messages that grow as streams, by the platform's id.
pub type Streams = BTreeMap<String, Growing>;

/// A message that grows as a stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Growing {
    /// Where it stands, as [`Said::reply_key`].
    pub place: String,
    /// All that it says.
    pub text: String,
    /// The number of the last call that added to it.
    pub calls: u64,
    pub open: bool,
}

/// A text that appeared in a conversation.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Said {
    /// Names the conversation (or the message's reply slot) within the channel.
    pub reply_key: String,
    pub text: String,
}

/// The key pair of a platform that signs with one: the private half (PEM) and the public one (a JWK set, key id `local`).
/// No secret: who points a channel's `urls` at the stand-in trusts it, and nobody else does.
pub fn platform_key() -> (&'static str, Value) {
    let public = serde_json::from_str(include_str!("local/platform_key.json"));
    (include_str!("local/platform_key.pem"), public.unwrap_or(Value::Null))
}

/// Google's key file with that key.
pub fn key_file() -> String {
    let (private_key, _) = platform_key();
    let email = "crabhook@local.iam.gserviceaccount.com";
    json!({"type": "service_account", "client_email": email, "private_key": private_key, "private_key_id": "local"})
        .to_string()
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
