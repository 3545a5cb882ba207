//! Matrix by the application service API: an own homeserver hands over what is said in the rooms of its assistant.
//!
//! The homeserver PUTs transactions of any number of events, with a token that we chose, and repeats each until it gets its 200;
//! until then it holds back all later ones. So whatever is in a transaction, it is acknowledged. Answers are sent with another
//! token; a transaction id of ours makes a repeated one appear once.
//!
//! An event does not say how many people are in its room. So the address under which an account is registered decides: below
//! `/direct` it serves direct chats, and goes only where an invitation says that it is to one; else it serves rooms, where it wants
//! to be mentioned. Who wants both registers two accounts.
//! <https://spec.matrix.org/latest/application-service-api/>

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

/// The channel `matrix`.
pub struct Matrix;

impl Channel for Matrix {
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
