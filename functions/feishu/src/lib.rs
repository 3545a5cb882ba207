//! Feishu, and Lark outside of China: a bot of a custom app.
//!
//! The platform POSTs one event at a time. With an Encrypt Key the body is `{"encrypt": …}`, signed by a hash over the
//! ciphertext and the key; without one the only proof is the Verification Token inside the body. It wants an answer within
//! three seconds, and sends an event again that got none.
//!
//! Answers are made with a token of the tenant: into the thread of a group's question, in direct messages into the chat.
//! Feishu and Lark are two clouds with the same API at two hosts; apps and tokens of one mean nothing to the other.
//! <https://open.feishu.cn/document/home/index>

#[cfg(any(test, feature = "local"))]
mod local;
mod message;
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

/// The channel `feishu`.
pub struct Feishu;

impl Channel for Feishu {
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
        &[render::GROUP]
    }
}
