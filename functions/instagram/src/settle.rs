//! What the Send API's answers mean: see [`channel::graph::reply`].

use channel::{Response, Settled, Step};

use crate::spec::MESSAGING;

pub fn settle(step: &Step, response: &Response) -> Settled {
    MESSAGING.settle(step, response)
}
