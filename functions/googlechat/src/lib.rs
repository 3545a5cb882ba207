//! Google Chat, by an app with an HTTP endpoint: classic interaction events, and those of Google Workspace add-ons.
//!
//! Every event comes with a token (JWT, RS256) that Google signs. A classic app's is meant for the number of its project,
//! an add-on's for the address of the endpoint and signed by the project's own service account; the email in it is what
//! proves the app. The body is not signed. Events come at once for what is said in a 1:1 chat; in spaces only for mentions
//! and commands. Answers are messages of Google's API, made with a token for a service account of the same project.
//!
//! A space's thread is `spaces/<space>/threads/<thread>`; messages of 1:1 chats name one too, which counts only where
//! somebody answered inside it.
//! <https://developers.google.com/workspace/chat/verify-requests-from-chat>

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
use serde_json::Value;

/// The channel `googlechat`.
pub struct GoogleChat;

impl Channel for GoogleChat {
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
        &[render::ADDON]
    }

    fn lacks(&self, settings: &Value) -> Option<&'static str> {
        let domain = settings.get(spec::DOMAIN).and_then(Value::as_str).unwrap_or("");
        domain.trim().is_empty().then_some(spec::DOMAIN)
    }
}
