//! Whether an event comes from the stack's own topic.

use channel::{Context, Reject, Unverified, Verified, sign};

use crate::spec::TOPIC;

/// The method of what is no HTTP request: ingress gives it to a record of SNS at the top of a Lambda event, and to nothing
/// else.
pub const EVENT: &str = "EVENT";
/// Where ingress puts the topic of the record.
pub const TOPIC_HEADER: &str = "x-amz-sns-topic-arn";

pub fn verify<'a>(request: Unverified<'a>, ctx: &Context<'_>) -> Result<Verified<'a>, Reject> {
    let topic = ctx.secrets.get(TOPIC).ok_or(Reject::NotSetUp(TOPIC))?;
    let is_notification = request.0.method == EVENT;
    if !is_notification {
        return Err(Reject::Forged("mail comes by SNS only"));
    }
    let given = request.0.headers.get(TOPIC_HEADER).ok_or(Reject::Forged("no topic"))?;
    if !sign::equal(given.as_bytes(), topic.as_bytes()) {
        return Err(Reject::Forged("another topic"));
    }
    Ok(request.verified())
}
