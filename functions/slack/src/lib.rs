//! Slack: one app, three kinds of requests to one address.
//!
//! - *Events* are JSON (`app_mention`, `message`), retried up to three times when they are not answered within 3 s. One
//!   message may come as two events (a mention in a channel that the app also reads), so a message is known by its
//!   channel and `ts`, not by the event's id.
//! - *Slash commands* are forms. Slack never retries them, and they come from channels that the app is not in; then the
//!   reply goes to the command's `response_url`.
//! - *Interactivity* (buttons, the message shortcut) is a form with one field of JSON.
//!
//! All are signed alike: HMAC-SHA256 over time and raw body. Replies go through `chat.postMessage`, which says failure
//! with a 200 and `"ok": false`. In threads an answer grows as a stream (`chat.startStream`), elsewhere by edits.
//!
//! <https://docs.slack.dev/apis/events-api>

mod file;
#[cfg(any(test, feature = "local"))]
mod local;
mod markdown;
mod parse;
mod render;
mod settle;
mod spec;
mod stream;
#[cfg(test)]
mod tests;
mod verify;

use channel::{
    Address, Channel, Context, Fetch, Later, Part, Post, PostContext, Received, Reject, Request, Response,
    Settled, Spec, Step, Unverified,
};

/// The channel `slack`.
pub struct Slack;

impl Channel for Slack {
    fn spec(&self) -> &'static Spec {
        &spec::SPEC
    }

    fn receive(&self, request: &Request, ctx: &Context<'_>) -> Result<Received, Reject> {
        let verified = verify::verify(Unverified(request), ctx)?;
        Ok(parse::parse(&verified, ctx))
    }

    fn post(&self, parts: &[Part], to: &Address, ctx: &PostContext<'_>) -> Post {
        render::post(parts, to, ctx)
    }

    fn settle(&self, step: &Step, response: &Response) -> Settled {
        settle::settle(step, response)
    }

    fn fetch(&self, what: &Fetch) -> Post {
        render::fetch(what)
    }

    /// By the bot itself: a command's own address is over after 30 minutes.
    fn later(&self, to: &Address, _settings: &serde_json::Value) -> Later {
        Later::without(to, render::RESPONSE_URL)
    }

    /// Slack opens the direct message by itself: <https://docs.slack.dev/reference/methods/chat.postMessage#channels>.
    fn private(&self, account: &str, person: &str) -> Option<Address> {
        Some(Address::of(spec::SPEC.name, account, person))
    }
}
