//! Email through Amazon SES: a receipt rule puts each mail into a bucket and tells an SNS topic, SNS invokes this function,
//! and answers leave by SES's `SendEmail`.
//!
//! There is no address that anybody could call. What proves a notification is the way it came: `verify` takes only events
//! of the stack's own topic, and only SES may publish there. The notification has the headers and SES's verdicts; the text
//! is fetched from the bucket by the invoker ([`channel::Content::Deferred`]). Nobody is believed to be who `From` says
//! without DMARC, or SPF for the very same domain.
//!
//! A conversation is a person in a thread, and a thread is what the first of its `References` names. Mail that machines
//! write is never answered: see `parse`.
//! <https://docs.aws.amazon.com/ses/latest/dg/receiving-email-notifications-contents.html>

#[cfg(any(test, feature = "local"))]
mod local;
mod mime;
mod parse;
mod quotes;
mod render;
mod settle;
mod spec;
#[cfg(test)]
mod tests;
mod thread;
mod verify;

use channel::{
    Address, Channel, Context, Fetch, Part, Post, PostContext, Received, Reject, Request, Response, Settled,
    Spec, Step, Unverified,
};
use serde_json::Value;

/// The channel `email`.
pub struct Email;

impl Channel for Email {
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
        &[render::OWN, render::SUBJECT]
    }

    fn answers_a_day(&self, settings: &Value) -> Option<u32> {
        spec::answers_a_day(settings)
    }
}
