//! Microsoft Teams by the Bot Framework; Web Chat and Direct Line come to the same address.
//!
//! Every activity comes with a token (JWT, RS256) of the Bot Framework, meant for our app id and naming the `serviceUrl` that
//! the activity names: the one thing of the body that is proven, and where the answer goes. The body itself is not signed.
//! Answers are made with a token of Microsoft Entra, asked for with the app's own secret.
//!
//! A channel's thread is `<chat>;messageid=<first message>`; in group chats and 1:1 chats there are no threads.
//! <https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication>

#[cfg(any(test, feature = "local"))]
mod local;
mod parse;
mod render;
mod settle;
mod spec;
mod stream;
#[cfg(test)]
mod tests;
mod verify;

use channel::{
    Address, Channel, Context, Fetch, Part, Post, PostContext, Received, Reject, Request, Response, Settled,
    Spec, Step, Unverified,
};

/// The channel `teams`.
pub struct Teams;

impl Channel for Teams {
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

    fn keeps(&self) -> &'static [&'static str] {
        &[render::SERVICE_URL]
    }
}
