//! What the program's answers mean: as the standard has it, a 410 wants no more, 429 and 5xx want it later.

use channel::{Response, Settled, Step, Target};

pub fn settle(step: &Step, response: &Response) -> Settled {
    match (&step.target, Settled::by_status(response)) {
        (Target::Url(_), Settled::Posted(_)) => Settled::Fetched(response.body.clone()),
        // A wrong address in the configuration, which somebody must see, rather than an end of the subscription.
        (Target::Base { .. }, Settled::Gone) if response.status == 404 => {
            Settled::Broken("HTTP 404".to_owned())
        }
        (_, settled) => settled,
    }
}
