//! Instagram: people write to a professional account.
//!
//! Meta POSTs signed bodies that hold any number of events, and sends again what was not answered with 200. Its GET is a
//! handshake. Replies are calls of the Send API as the account, free within 24 hours after a person's message. What a human
//! writes in the account's inbox comes as an echo, and so does what we post ourselves.
//!
//! The account is reached by either of two logins, each with an app secret of its own: Instagram's (`graph.instagram.com`) or
//! Facebook's with a linked Page (`graph.facebook.com`). Events, replies and answers are those of the Messenger Platform
//! ([`channel::graph::messaging`]), which Messenger shares.
//! <https://developers.facebook.com/documentation/instagram-platform/instagram-api-with-instagram-login/messaging-api>

#[cfg(any(test, feature = "local"))]
mod local;
mod parse;
mod render;
mod settle;
mod spec;
#[cfg(test)]
mod tests;
mod verify;

use channel::{
    Address, Channel, Context, Fetch, Later, Part, Post, PostContext, Received, Reject, Request, Response,
    Settled, Spec, Step, Unverified,
};

/// The channel `instagram`.
pub struct Instagram;

impl Channel for Instagram {
    fn spec(&self) -> &'static Spec {
        &spec::SPEC
    }

    fn receive(&self, request: &Request, ctx: &Context<'_>) -> Result<Received, Reject> {
        Ok(parse::parse(&verify::verify(Unverified(request), ctx)?, ctx))
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

    fn later(&self, to: &Address, settings: &serde_json::Value) -> Later {
        channel::graph::reply::later(to, settings)
    }

    /// A chat goes by the person's id at this account.
    fn private(&self, account: &str, person: &str) -> Option<Address> {
        Some(Address::of(spec::SPEC.name, account, person))
    }

    fn unreachable(&self) -> &'static str {
        "the chat is not there any more, or it is later than 24 hours after the person's message, when \
         Instagram takes replies with a tag only: set channels.instagram.tag where Meta granted one"
    }
}
