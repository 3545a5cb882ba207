//! The only way out: every HTTP request that is not an AWS SDK call is made here.
//!
//! There are two kinds of address, and one client type for each. A [`Configured`] address came from the
//! operator (a platform's API, a model's endpoint) and may be anything, a server on the local network too.
//! An [`Untrusted`] one came out of a payload, a model or a tool: it must be https, its host must be on the
//! caller's list, and every address it resolves to must be public. Nothing turns that guard off.
//!
//! Neither client follows redirects, decompresses, or reads proxy settings from the environment.

mod client;
mod error;
mod guard;
#[cfg(test)]
mod tests;
mod trust;

use std::time::Duration;

pub use client::{Configured, Untrusted};
pub use error::Error;
pub use guard::is_public;
pub use reqwest::Method;
pub use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
pub use trust::Trust;

/// One request, with the limits it must keep.
pub struct Call<'a> {
    pub method: Method,
    /// Absolute address. It may hold a secret (some platforms put the token into the path), so it never
    /// appears in an [`Error`].
    pub url: &'a str,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    /// From the start of the call to the last byte of the answer.
    pub time_out: Duration,
    /// Most bytes of body to read; an answer with more is [`Error::Unread`].
    pub max_bytes: usize,
    pub trust: Trust<'a>,
}

/// What came back, whatever its status: 4xx and 5xx are answers, redirects too.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// Both clients. Build it once per process and clone it: clones share their connections.
#[derive(Clone)]
pub struct Egress {
    configured: Configured,
    untrusted: Untrusted,
}

impl Egress {
    /// Builds both clients; touches no network.
    ///
    /// # Errors
    /// [`Error::NotSetUp`] when `SSL_CERT_FILE` names a file that cannot be read, or TLS cannot be set up.
    pub fn new() -> Result<Self, Error> {
        let tls = client::tls()?;
        Ok(Self { configured: Configured::new(tls.clone())?, untrusted: Untrusted::new(tls)? })
    }

    /// Makes the call with the client its trust asks for.
    ///
    /// # Errors
    /// [`Error::Refused`] before anything is sent; [`Error::NotSent`], [`Error::InDoubt`] or
    /// [`Error::Unread`] after that.
    pub async fn send(&self, call: Call<'_>) -> Result<Answer, Error> {
        match call.trust {
            Trust::Configured => self.configured.send(call).await,
            Trust::Untrusted { hosts } => self.untrusted.send(call, hosts).await,
        }
    }

    /// The client for addresses of the operator, for libraries that bring their own requests (models).
    /// It has a connect time-out but no total one: the library's caller sets its own deadline.
    #[must_use]
    pub fn configured_client(&self) -> reqwest::Client {
        self.configured.client()
    }
}
