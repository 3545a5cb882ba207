//! What the program's answers mean: as the standard has it, a 410 wants no more, 429 and 5xx want it later. There is no other
//! way to reach it, so nothing is ever `Gone`.

use channel::{Response, Settled, Step, Target};

pub fn settle(step: &Step, response: &Response) -> Settled {
    match (&step.target, Settled::by_status(response)) {
        (Target::Url(_), Settled::Posted(_)) => Settled::Fetched(response.body.clone()),
        (Target::Base { .. }, Settled::Gone) if response.status == 410 => Settled::Broken(
            "HTTP 410: the program wants no more replies there; correct channels.webhook.urls.reply"
                .to_owned(),
        ),
        (Target::Base { .. }, Settled::Gone) => Settled::Broken(
            "HTTP 404: nothing takes replies there; correct channels.webhook.urls.reply".to_owned(),
        ),
        (_, settled) => settled,
    }
}
