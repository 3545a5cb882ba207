//! `crabhook claim`: how the operator proves to the assistant who they are on a channel.

use channel::sign;

use crate::clock::{date, now};
use crate::place::Place;
use crate::{Error, Where};

/// How long a code can be used, milliseconds.
const VALID_MS: i64 = 3_600_000;

pub async fn run(at: &Where) -> Result<(), Error> {
    let place = Place::find(at).await?;
    let code = turn::commands::claim_code(&sign::random());
    let until = now() + VALID_MS;
    place.store().offer_claim(&code, until).await?;
    println!("{code}");
    eprintln!(
        "Send this text to the assistant in a private chat, on the channel and account that you want to own it on. Whoever \
         sends it first becomes an owner there; it works once, until {}.",
        date(until)
    );
    Ok(())
}
