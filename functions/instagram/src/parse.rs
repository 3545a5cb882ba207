//! What an authentic request says: see [`channel::graph::messaging`].

use channel::{Context, Received, Verified};

use crate::spec::MESSAGING;

pub fn parse(verified: &Verified<'_>, ctx: &Context<'_>) -> Received {
    MESSAGING.parse(verified, ctx)
}
