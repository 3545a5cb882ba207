//! What the Cloud API's answers mean:
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes>.

use channel::{Response, Settled, Step, Target, graph};
use serde_json::Value;

use crate::spec::NAME;

const OUTSIDE_WINDOW: u64 = 131_047;
/// Something went wrong; service unavailable; account in maintenance; too many messages at all, and to one person.
const LATER: [u64; 5] = [131_000, 131_016, 131_057, 130_429, 131_056];
const NOT_A_TESTER: u64 = 131_030;
const TEMPLATES: std::ops::RangeInclusive<u64> = 132_000..=132_999;

pub fn settle(step: &Step, response: &Response) -> Settled {
    if response.is_success() {
        return done(step, response);
    }
    let failed = graph::failure(response);
    match failed.code {
        OUTSIDE_WINDOW => Settled::Gone,
        code if LATER.contains(&code) => Settled::Later(response.retry_after()),
        NOT_A_TESTER => Settled::Broken(format!(
            "{NOT_A_TESTER}: the app is not published, or the number is a test number: only numbers in its list get messages"
        )),
        code if TEMPLATES.contains(&code) => Settled::Broken(format!(
            "{code}: WhatsApp does not take the template (channels.{NAME}.template): {}",
            failed.words
        )),
        _ => graph::settle(NAME, response),
    }
}

fn done(step: &Step, response: &Response) -> Settled {
    let body = response.body_json();
    let id = match (step.method.as_str(), &step.target) {
        ("GET", Target::Answer) => return Settled::Fetched(response.body.clone()),
        ("GET", _) => body.get("url"),
        _ => body.pointer("/messages/0/id"),
    };
    match id.and_then(Value::as_str) {
        None if step.method == "GET" => Settled::Gone,
        id => Settled::Posted(id.map(str::to_owned)),
    }
}
