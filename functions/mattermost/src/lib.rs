//! Mattermost by an outgoing webhook, slash commands and a bot account.
//!
//! An outgoing webhook tells of posts in public channels, those that begin with a trigger word or all of one channel. A slash
//! command works everywhere, direct messages included, and waits for words that only its writer sees. Each hook and each
//! command has a token of its own, which comes along; nothing is signed, and nothing is sent again.
//!
//! Answers are posts of a bot account. Where it is no member, a command's own address takes five messages within 30 minutes.
//! <https://developers.mattermost.com/integrate/webhooks/outgoing/>,
//! <https://developers.mattermost.com/integrate/slash-commands/custom/>

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

/// The channel `mattermost`.
pub struct Mattermost;

impl Channel for Mattermost {
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

    /// By the bot itself: a command's own address is over after 30 minutes.
    fn later(&self, to: &Address, _settings: &serde_json::Value) -> Later {
        Later::without(to, render::HOOK)
    }
}
