//! Whether a request comes from Meta:
//! <https://developers.facebook.com/documentation/business-messaging/messenger-platform/webhooks>.

use channel::graph::{self, APP_SECRET};
use channel::{Context, Reject, Unverified, Verified};

pub fn verify<'a>(request: Unverified<'a>, ctx: &Context<'_>) -> Result<Verified<'a>, Reject> {
    graph::verify(request, &[APP_SECRET], ctx)
}
