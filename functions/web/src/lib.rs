//! Web sites, and programs that speak OpenAI's protocol: the channel whose platform is our own table.
//!
//! A page loads `widget.js` from this function. The widget asks for a **session**: a signed token of an hour, given to the
//! sites in `channels.web.origins` only, and for the same visitor always of the same conversation. With it, it POSTs
//! messages, which take the queue like those of every channel. Replies are *posted* by putting items into the **outbox**
//! `WEB#<account>#<session>` of the table; the function's second handler (`src/main/`) reads them back to the widget, as
//! they are or as server-sent events. `/v1/chat/completions` is the same path for programs: a conversation for each request,
//! held open until its outbox has the answer.
//!
//! An item's key is made of the time of the question and of the part's own key, so that a repetition is refused by the table.

pub mod cors;
mod identity;
#[cfg(any(test, feature = "local"))]
mod local;
pub mod openai;
mod outbox;
mod parse;
mod render;
mod route;
pub mod session;
mod settle;
mod spec;
#[cfg(test)]
mod tests;
pub mod upload;
mod verbatim;
mod verify;
mod view;

use channel::{
    Address, Channel, Context, Fetch, Part, Post, PostContext, Received, Reject, Request, Response, Settled,
    Spec, Step, Unverified,
};

pub use outbox::{FIRST, from, partition};
pub use route::Route;
pub use verify::is_program;
pub use view::{Item, View, Whole};

/// The widget as people read it.
const WIDGET: &str = include_str!("../widget/widget.js");

/// The widget as pages load it: without comments and indentation.
pub fn widget() -> String {
    let lines = WIDGET.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The channel `web`.
pub struct Web;

impl Channel for Web {
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

    fn is_verbatim(&self, to: &Address) -> bool {
        to.chat.starts_with(outbox::PROGRAMS)
    }

    fn reads_access(&self) -> bool {
        true
    }

    fn kept(&self, what: &Fetch) -> Option<String> {
        upload::is_key(&what.id).then(|| what.id.clone())
    }
}
