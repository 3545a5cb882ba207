//! Twilio: SMS and MMS, WhatsApp and RCS, all by one API.
//!
//! Twilio POSTs a form per message and signs the address that it called together with all fields, HMAC-SHA1 in base64. The
//! address is the public one, byte for byte: what stands in front of the function is named by `public_url`. Replies are
//! calls of the Messages resource, never the answer to the webhook.
//!
//! People are told apart by the address they write from: `+1…`, `whatsapp:+1…`, `rcs:+1…`. There are no groups.
//! <https://www.twilio.com/docs/messaging/guides/webhook-request>

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

/// The channel `twilio`.
pub struct Twilio;

impl Channel for Twilio {
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

    /// Only a template reaches people later than 24 hours after they wrote.
    fn later(&self, to: &Address, settings: &serde_json::Value) -> Later {
        match settings.get(spec::TEMPLATE) {
            Some(_) => Later::always(to),
            None => Later::within_window(to),
        }
    }

    fn keeps(&self) -> &'static [&'static str] {
        &[render::OWN]
    }

    fn unreachable(&self) -> &'static str {
        "the chat is not there any more, or it is later than 24 hours after the person's message, when \
         WhatsApp takes approved templates only: set channels.twilio.template to the ContentSid of one"
    }
}
