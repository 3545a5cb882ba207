//! WhatsApp by Meta's Cloud API.
//!
//! Meta POSTs signed bodies that hold any number of messages, receipts and other news, and sends again for days what was
//! not answered with 200. Its GET is a handshake. Replies are calls of the Graph API: free text within 24 hours after a
//! person's message, later only approved templates.
//!
//! People are known by their business-scoped id, and by their phone number where they show it. Where the business uses the
//! WhatsApp app beside the API ("coexistence"), what a human writes there comes as an echo.
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/overview>

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

/// The channel `whatsapp`.
pub struct WhatsApp;

impl Channel for WhatsApp {
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
        &[render::NUMBER, render::PHONE, render::GROUP]
    }

    fn unreachable(&self) -> &'static str {
        "the chat is not there any more, or it is later than 24 hours after the person's message, when \
         WhatsApp takes approved templates only: set channels.whatsapp.template to the name of one"
    }
}
