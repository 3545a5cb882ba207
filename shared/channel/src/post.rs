//! Outbound: what an answer becomes, request by request.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Headers, Home, Media, OnDoubt, RetryAfter};

/// Whether the platform still takes a direct reply, or only a message of our own accord.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    #[default]
    Reply,
    Push,
}

/// Requests in the order in which they must be made. Names secrets, never contains them, so it may be stored and logged.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Post {
    pub steps: Vec<Step>,
}

/// One request to the platform.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    pub method: String,
    pub target: Target,
    #[serde(default, skip_serializing_if = "Auth::is_none")]
    pub auth: Auth,
    #[serde(default)]
    pub headers: Headers,
    pub body: Body,
    /// What a retry does that finds this step begun and not known to have ended.
    #[serde(default)]
    pub on_doubt: OnDoubt,
    /// A sign only: its failure is no failure of the reply.
    #[serde(default)]
    pub optional: bool,
    /// Repeating it changes nothing: the platform knows it by a key of ours, or it replaces what is there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub repeatable: bool,
    /// It begins a stream or adds to one: see [`crate::Grown::Streamed`]. What the stream does not take is settled with
    /// [`Settled::Gone`], and the message is edited from then on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stream: bool,
    /// A file handed over outside of a form: the whole body where that is [`Body::None`], else what the body calls `file` or
    /// `length`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<Upload>,
}

impl Step {
    /// A POST of JSON to a path under one of the channel's bases.
    pub fn json(base: &str, path: impl Into<String>, body: Value) -> Step {
        Step::new("POST", Target::Base { base: base.to_owned(), path: path.into() }, Body::Json(body))
    }

    pub fn new(method: &str, target: Target, body: Body) -> Step {
        Step {
            method: method.to_owned(),
            target,
            auth: Auth::None,
            headers: Headers::default(),
            body,
            on_doubt: OnDoubt::default(),
            optional: false,
            repeatable: false,
            stream: false,
            file: None,
        }
    }

    /// The file that it hands over, in a form or not.
    pub fn upload(&self) -> Option<&Upload> {
        match &self.body {
            Body::Multipart { file, .. } => Some(file),
            _ => self.file.as_ref(),
        }
    }

    pub fn auth(mut self, auth: Auth) -> Step {
        self.auth = auth;
        self
    }

    pub fn method(mut self, method: &str) -> Step {
        self.method = method.to_owned();
        self
    }

    pub fn header(mut self, name: &str, value: impl Into<String>) -> Step {
        self.headers.set(name, value);
        self
    }

    pub fn on_doubt(mut self, on_doubt: OnDoubt) -> Step {
        self.on_doubt = on_doubt;
        self
    }

    pub fn optional(mut self) -> Step {
        self.optional = true;
        self
    }

    pub fn file(mut self, file: Upload) -> Step {
        self.file = Some(file);
        self
    }

    pub fn repeatable(mut self) -> Step {
        self.repeatable = true;
        self
    }

    pub fn stream(mut self) -> Step {
        self.stream = true;
        self
    }
}

/// Where a step goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// A path under a base of [`crate::Spec::bases`]. `{name}` in the path is filled with the secret of that name last
    /// of all; values from payloads go through [`crate::encode::segment`], which leaves no braces. The path begins with
    /// `/` or is empty. Two names are no secrets of the account: `{answer}` is the id that the step before was settled
    /// with ([`Settled::Posted`]), each of its segments through [`crate::encode::segment`], and `{token:<name>}` a token
    /// of [`crate::Spec::tokens`], through it as well.
    Base { base: String, path: String },
    /// An address from a payload: only https, only [`crate::Spec::hosts`], nothing is filled in.
    Url(String),
    /// The address that the step before was settled with, up to a `#`: what holds for [`Target::Url`] holds for it.
    Answer,
}

/// How a step proves who it comes from. Secrets by name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Auth {
    #[default]
    None,
    /// `Authorization: <scheme> <secret>`
    Scheme { scheme: String, secret: String },
    /// `Authorization: Basic <base64 of user:password>`, both secrets.
    Basic { user: String, password: String },
    /// `<name>: <secret>`
    Header { name: String, secret: String },
    /// `Authorization: Bearer <token>`, a token of [`crate::Spec::tokens`].
    Token(String),
    /// Standard Webhooks headers over the body, `webhook-id` as given. The secret's prefix (`whsec_`, `whsk_`) says how.
    StandardWebhook { secret: String, id: String },
    /// AWS Signature Version 4 for this service, with the credentials and the region of the process. In an address
    /// `{aws:region}` is that region.
    SigV4(String),
    /// The body becomes the form that Google trades for an access token: an assertion for `scope`, signed with the
    /// service account's key file (JSON), which is the secret.
    /// <https://developers.google.com/identity/protocols/oauth2/service-account#httprest>
    ServiceAccount { secret: String, scope: String },
}

impl Auth {
    /// `Authorization: Bearer <secret>`
    pub fn bearer(secret: &str) -> Auth {
        Auth::Scheme { scheme: "Bearer".to_owned(), secret: secret.to_owned() }
    }

    fn is_none(&self) -> bool {
        *self == Auth::None
    }
}

/// A step's body. Nothing is ever substituted inside text: see `fill`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    None,
    Json(Value),
    /// JSON in which the values at these JSON pointers are secrets, by name, or `answer`: the id that the step before was
    /// settled with, or `earlier`: that of the step before it (`earlier#`: what stands in it behind the first `#`), or `file`:
    /// [`Step::file`] in Base64, or `length`: its bytes in decimal. Text from a payload or of a message never decides where a
    /// value is filled in.
    JsonWithSecrets {
        value: Value,
        fill: Vec<(String, String)>,
    },
    Form(Vec<(String, String)>),
    /// A form; the fields of `fill` are secrets, by field and name of the secret, or what those of JSON may be.
    FormWithSecrets {
        fields: Vec<(String, String)>,
        fill: Vec<(String, String)>,
    },
    /// `multipart/form-data`: a file handed over.
    Multipart {
        fields: Vec<(String, String)>,
        file: Upload,
    },
}

/// A file on its way to a platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// The form's field; empty where there is no form.
    pub field: String,
    pub name: String,
    pub media_type: String,
    /// Where its bytes are fetched from, just before the step is made: https, public, at most 20 MB. Where they cannot be had,
    /// the reply is rendered once more, plain.
    pub url: String,
}

impl Upload {
    /// The file of a part, under this field of a form.
    pub fn of(media: &Media, field: &str) -> Upload {
        Upload {
            field: field.to_owned(),
            name: media.name.clone(),
            media_type: media.media_type.clone(),
            url: media.url.clone(),
        }
    }
}

/// A file that was fetched together with others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    pub name: String,
    /// Media type as declared, empty where unknown.
    pub media_type: String,
    pub bytes: Vec<u8>,
}

/// What a platform's answer to a step means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// Done; the platform's id of what was posted, where it gives one.
    Posted(Option<String>),
    /// Not now. How long to wait, where the platform says so.
    Later(RetryAfter),
    /// The reply window is over or the chat is not there for a direct reply.
    Gone,
    /// It will never be taken; the platform's own words, without our text.
    Broken(String),
    /// The person stopped it there, in the middle of a stream: nothing can be added.
    Stopped,
    /// The platform refused our markup, or a file: to be rendered once more, plain.
    Unformatted,
    /// The body of a fetch.
    Fetched(Vec<u8>),
    /// The files in what was fetched, where one thing holds several: a mail does.
    Files(Vec<File>),
    /// The token of this name ([`crate::Spec::tokens`]) is no longer taken: a new one is asked for, and the step made
    /// once more.
    Renew(String),
    /// Who a sender is, where [`crate::Sender::lookup`] asked.
    Person(Home),
}

impl Settled {
    /// The meaning that a status has on every platform: 2xx is done, 429 and 5xx wait, 404 and 410 are gone, other 4xx broken.
    pub fn by_status(response: &crate::Response) -> Settled {
        match response.status {
            200..=299 => Settled::Posted(None),
            408 | 425 | 429 | 500..=599 => Settled::Later(response.retry_after()),
            404 | 410 => Settled::Gone,
            status => Settled::Broken(format!("HTTP {status}")),
        }
    }
}

/// Something at the platform that a message points to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fetch {
    pub account: String,
    /// What the room's `fetch` knows it by: a file id, a URL.
    pub id: String,
}
