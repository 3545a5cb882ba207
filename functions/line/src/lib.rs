//! LINE by its Messaging API.
//!
//! LINE POSTs one body with any number of events, signed with the channel secret. It wants an answer within two seconds
//! and, where "webhook redelivery" is switched on, sends events again that got none.
//!
//! An answer goes out in either of two ways. The reply token of an event is free, takes five messages once, and counts for
//! about a minute; after that a push does the same, at the cost of the account's monthly quota. A push has a key by which
//! LINE knows a repetition.
//! <https://developers.line.biz/en/reference/messaging-api/>

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
    Address, Channel, Context, Fetch, Part, Post, PostContext, Received, Reject, Request, Response, Settled,
    Spec, Step, Unverified,
};

/// The channel `line`.
pub struct Line;

impl Channel for Line {
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

    /// <https://developers.line.biz/en/reference/messaging-api/#send-push-message>: `to` is a person's id.
    fn private(&self, account: &str, person: &str) -> Option<Address> {
        Some(Address::of(spec::SPEC.name, account, person))
    }
}
