//! Whether a request comes from Discord:
//! <https://docs.discord.com/developers/interactions/overview#setting-up-an-endpoint-validating-security-request-headers>.

use channel::{Context, Reject, Unverified, Verified, sign};

use crate::spec::PUBLIC_KEY;

pub const SIGNATURE: &str = "x-signature-ed25519";
pub const TIMESTAMP: &str = "x-signature-timestamp";

/// The timestamp is signed, but Discord asks for no window and its SDKs keep none. An old request gains nothing: its id
/// is known and its token is dead.
pub fn verify<'a>(request: Unverified<'a>, ctx: &Context<'_>) -> Result<Verified<'a>, Reject> {
    let key = ctx.secrets.get(PUBLIC_KEY).ok_or(Reject::NotSetUp(PUBLIC_KEY))?;
    let key = sign::from_hex(key.trim()).ok_or(Reject::NotSetUp(PUBLIC_KEY))?;
    let timestamp = request.0.headers.get(TIMESTAMP).ok_or(Reject::Forged("no timestamp"))?;
    let signature = request.0.headers.get(SIGNATURE).ok_or(Reject::Forged("no signature"))?;
    let bytes = sign::from_hex(signature).filter(|bytes| sign::hex(bytes) == signature);
    let signature = bytes.ok_or(Reject::Forged("signature is not lower-case hexadecimal"))?;
    let message = [timestamp.as_bytes(), request.0.body.as_slice()].concat();
    if !sign::ed25519_verify(&key, &message, &signature) {
        return Err(Reject::Forged("signature"));
    }
    Ok(request.verified())
}
