//! Instagram's own part, for the local run and the tests: see [`channel::graph::local`].

use channel::graph::local::signed;
use channel::local::{Answer, Event, Local, Message};
use channel::{Request, Secrets};

use crate::Instagram;
use crate::spec::MESSAGING;

impl Local for Instagram {
    fn event(&self, message: &Message<'_>) -> Event {
        MESSAGING.event(message)
    }

    fn sign(&self, request: Request, secrets: &Secrets, _now: i64) -> Request {
        signed(request, secrets)
    }

    fn answer(&self, request: &Request) -> Answer {
        MESSAGING.answer(request)
    }
}
