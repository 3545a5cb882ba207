//! Whether a request comes from Slack: <https://docs.slack.dev/authentication/verifying-requests-from-slack>.

use channel::{Context, Reject, Unverified, Verified, sign};

use crate::spec::SIGNING_SECRET;

/// Slack's own SDKs refuse what is older; one of them, as we do, also what is as far in the future.
const TOLERANCE_S: i64 = 300;

pub const TIMESTAMP: &str = "x-slack-request-timestamp";
pub const SIGNATURE: &str = "x-slack-signature";

pub fn verify<'a>(request: Unverified<'a>, ctx: &Context<'_>) -> Result<Verified<'a>, Reject> {
    let secret = ctx.secrets.get(SIGNING_SECRET).ok_or(Reject::NotSetUp(SIGNING_SECRET))?;
    let timestamp = request.0.headers.get(TIMESTAMP).ok_or(Reject::Forged("no timestamp"))?;
    let signature = request.0.headers.get(SIGNATURE).ok_or(Reject::Forged("no signature"))?;
    if !sign::is_fresh(timestamp, ctx.now, TOLERANCE_S) {
        return Err(Reject::Forged("timestamp not within 5 minutes"));
    }
    if !sign::equal(signature.as_bytes(), expected(secret, timestamp, &request.0.body).as_bytes()) {
        return Err(Reject::Forged("signature"));
    }
    Ok(request.verified())
}

/// The signature header that Slack sends.
pub fn expected(secret: &str, timestamp: &str, body: &[u8]) -> String {
    let mac = sign::hmac_sha256(secret.as_bytes(), &[b"v0:", timestamp.as_bytes(), b":", body]);
    format!("v0={}", sign::hex(&mac))
}
