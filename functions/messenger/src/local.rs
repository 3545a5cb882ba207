//! Messenger's own part, for the local run and the tests: see [`channel::graph::local`].

use channel::graph::local::signed;
use channel::local::{Answer, Event, Local, Look, Message};
use channel::{Request, Response, Secrets};

use crate::Messenger;
use crate::spec::MESSAGING;

impl Local for Messenger {
    fn event(&self, message: &Message<'_>) -> Event {
        MESSAGING.event(message)
    }

    fn sign(&self, request: Request, secrets: &Secrets, _now: i64) -> Request {
        signed(request, secrets)
    }

    fn answer(&self, request: &Request) -> Answer {
        MESSAGING.answer(request)
    }

    fn look(&self, call: &Request, response: &Response) -> Look {
        MESSAGING.look(call, response)
    }

    fn press(&self, message: &Message<'_>, _under: &str) -> Event {
        MESSAGING.press(message)
    }
}
