//! WeChat (微信): an Official Account (公众号).
//!
//! WeChat sends a GET to check the address, then POSTs one message at a time, XML or JSON. In secure mode it is encrypted
//! and signed; in plain mode only the time is signed, and the body by nothing. It wants an answer within five seconds, and
//! tells the person that the service is not available when it got none three times.
//!
//! Answers are customer service messages, which only verified accounts may send: five of them within 48 hours after a
//! person's message. Chats are always of two.
//! <https://developers.weixin.qq.com/doc/service/guide/product/message/Receiving_standard_messages.html>

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

/// The channel `wechat`.
pub struct WeChat;

impl Channel for WeChat {
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

    /// For 48 hours after the person wrote.
    fn later(&self, to: &Address, _settings: &serde_json::Value) -> Later {
        Later::within_window(to)
    }

    /// A chat goes by the person's OpenID.
    fn private(&self, account: &str, person: &str) -> Option<Address> {
        Some(Address::of(spec::SPEC.name, account, person))
    }
}
