//! Whether a request comes from Meta:
//! <https://developers.facebook.com/docs/graph-api/webhooks/getting-started#validate-payloads>.

use channel::graph::{self, APP_SECRET};
use channel::{Context, Reject, Unverified, Verified};

use crate::spec::FACEBOOK_APP_SECRET;

/// Which of the two signs depends on the login.
pub fn verify<'a>(request: Unverified<'a>, ctx: &Context<'_>) -> Result<Verified<'a>, Reject> {
    graph::verify(request, &[APP_SECRET, FACEBOOK_APP_SECRET], ctx)
}
