//! Any program as a channel: Standard Webhooks 1.0 in both directions.
//!
//! The program POSTs `message.created` events, signed with a key that both sides hold (`v1`, HMAC) or with its own private
//! key (`v1a`, Ed25519). Each answer is a `message.reply` that we POST to the address in the configuration, signed with
//! a key of our own; its `webhook-id` is the same on every retry, so the program can drop doubles.
//!
//! Conversations, people and threads are whatever the program says they are. The shapes are in the README.
//! <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>

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

/// The channel `webhook`.
pub struct Webhook;

impl Channel for Webhook {
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
}
