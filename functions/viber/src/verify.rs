//! Whether a request comes from Viber: <https://developers.viber.com/docs/api/rest-bot-api/#callbacks>.

use channel::{Context, Reject, Unverified, Verified, sign};

use crate::spec::AUTH_TOKEN;

pub const SIGNATURE: &str = "x-viber-content-signature";

pub fn verify<'a>(request: Unverified<'a>, ctx: &Context<'_>) -> Result<Verified<'a>, Reject> {
    let token = ctx.secrets.get(AUTH_TOKEN).ok_or(Reject::NotSetUp(AUTH_TOKEN))?;
    let signature = request.0.headers.get(SIGNATURE).ok_or(Reject::Forged("no signature"))?;
    if !sign::equal(signature.as_bytes(), expected(token, &request.0.body).as_bytes()) {
        return Err(Reject::Forged("signature"));
    }
    Ok(request.verified())
}

/// The signature header that Viber sends. The token is the key as it is written, dashes included.
pub fn expected(token: &str, body: &[u8]) -> String {
    sign::hex(&sign::hmac_sha256(token.as_bytes(), &[body]))
}
