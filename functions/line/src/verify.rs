//! Whether a request comes from LINE: <https://developers.line.biz/en/docs/messaging-api/verify-webhook-signature/>.

use channel::{Context, Reject, Unverified, Verified, sign};

use crate::spec::CHANNEL_SECRET;

pub const SIGNATURE: &str = "x-line-signature";

pub fn verify<'a>(request: Unverified<'a>, ctx: &Context<'_>) -> Result<Verified<'a>, Reject> {
    let secret = ctx.secrets.get(CHANNEL_SECRET).ok_or(Reject::NotSetUp(CHANNEL_SECRET))?;
    let signature = request.0.headers.get(SIGNATURE).ok_or(Reject::Forged("no signature"))?;
    if !sign::equal(signature.as_bytes(), expected(secret, &request.0.body).as_bytes()) {
        return Err(Reject::Forged("signature"));
    }
    Ok(request.verified())
}

/// The signature header that LINE sends.
pub fn expected(secret: &str, body: &[u8]) -> String {
    sign::base64(&sign::hmac_sha256(secret.as_bytes(), &[body]))
}
