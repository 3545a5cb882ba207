//! Viber by its REST bot API.
//!
//! Viber POSTs one event a body, signed with the account's token, and tries for an hour while nobody answers 200. Answers go to
//! one address with that same token; what went wrong stands in the body of a 200. Bots talk to people one by one: there are no
//! groups, no threads, no edits and no sign of writing.
//! <https://developers.viber.com/docs/api/rest-bot-api/>

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

/// The channel `viber`.
pub struct Viber;

impl Channel for Viber {
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

    /// A chat goes by the person's id: <https://developers.viber.com/docs/api/rest-bot-api/#send-message>.
    fn private(&self, account: &str, person: &str) -> Option<Address> {
        Some(Address::of(spec::SPEC.name, account, person))
    }
}
