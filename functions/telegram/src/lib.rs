//! Telegram by its Bot API.
//!
//! Telegram POSTs one `Update` per event, with the secret that `setWebhook` was given in a header; bodies are not signed.
//! Any 2xx takes the update; anything else makes Telegram send it again for a day, and hold back what follows in the same
//! chat meanwhile. Replies are calls to `https://api.telegram.org/bot<token>/<method>`, each answered by
//! `{"ok": true, "result": …}` or `{"ok": false, "description": …}`.
//!
//! Ids are i64 and go through as text. A chat is a conversation; a topic of a forum is one of its own. A supergroup made
//! of a group has a new id and so a new history.
//! <https://core.telegram.org/bots/api>

mod addressing;
mod html;
#[cfg(any(test, feature = "local"))]
mod local;
mod parse;
mod render;
mod settle;
mod spec;
#[cfg(test)]
mod tests;
mod update;
mod verify;

use channel::{
    Address, Channel, Context, Fetch, Part, Post, PostContext, Received, Reject, Request, Response, Settled,
    Spec, Step, Unverified,
};

pub struct Telegram;

impl Channel for Telegram {
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

    /// A private chat goes by the person's id: <https://core.telegram.org/bots/api#chat>.
    fn private(&self, account: &str, person: &str) -> Option<Address> {
        Some(Address::of(spec::SPEC.name, account, person))
    }
}
