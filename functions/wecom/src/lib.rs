//! WeCom (企业微信): an app that a company made for itself, or an AI bot (智能机器人).
//!
//! Both have an address, a Token and an EncodingAESKey. WeCom sends a GET to check the address, then POSTs one message at a
//! time, encrypted and signed: XML from an app, JSON from a bot. It wants an answer within five seconds, and asks three
//! times more.
//!
//! An app is written to by one person at a time and answers by the API, with a token and from an address that WeCom was told
//! of. A bot is mentioned in groups too, and answers once, within an hour, at the address that came with the message.
//! <https://developer.work.weixin.qq.com/document/path/90238>, <https://developer.work.weixin.qq.com/document/path/101039>

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

/// The channel `wecom`.
pub struct WeCom;

impl Channel for WeCom {
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

    /// A bot may say one thing, which is its answer.
    fn later(&self, to: &Address, _settings: &serde_json::Value) -> Later {
        if to.data.contains_key(render::RESPONSE_URL) { Later::until(to, 0) } else { Later::always(to) }
    }

    fn keeps(&self) -> &'static [&'static str] {
        &[render::AGENT]
    }
}
