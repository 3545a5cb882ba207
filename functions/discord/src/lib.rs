//! Discord: interactions over HTTP, without the Gateway.
//!
//! Discord calls us when somebody uses a command, a button or a form of ours; ordinary messages never come. Within 3 s
//! it wants an answer, and it asks only once: we answer "deferred" (people see "is thinking…") and have 15 minutes to
//! put the text in its place, with the interaction's own token and no other proof. Later than that only the bot's token
//! may write to the channel.
//!
//! Every answer carries a *Reply* button that opens a form, so that a conversation goes on without typing a command. A button of
//! a question is answered "deferred" like a command: the answer has a message of its own, and what was asked stays readable.
//!
//! Requests are signed with Ed25519. Discord sends wrong signatures on purpose and drops an address that takes one.
//!
//! <https://docs.discord.com/developers/interactions/receiving-and-responding>

mod buttons;
mod commands;
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

/// The channel `discord`.
pub struct Discord;

impl Channel for Discord {
    fn spec(&self) -> &'static Spec {
        &spec::SPEC
    }

    fn receive(&self, request: &Request, ctx: &Context<'_>) -> Result<Received, Reject> {
        let verified = verify::verify(Unverified(request), ctx)?;
        Ok(parse::parse(&verified, ctx))
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

    /// Where only the user has installed the app there is no bot that could write.
    fn later(&self, to: &Address, _settings: &serde_json::Value) -> Later {
        let user_install = to.window.is_some_and(|window| window.uses.is_some());
        if user_install { Later::until(to, 0) } else { Later::always(to) }
    }

    /// A private chat has an id of its own, which Discord tells when it is opened.
    fn private(&self, account: &str, person: &str) -> Option<Address> {
        Some(Address {
            channel: spec::NAME.to_owned(),
            account: account.to_owned(),
            chat: format!("direct messages of {person}"),
            data: [(render::PERSON.to_owned(), person.to_owned())].into(),
            ..Address::default()
        })
    }
}
