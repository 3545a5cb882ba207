//! Whether an event comes from Google Chat, and for this app:
//! <https://developers.google.com/workspace/chat/verify-requests-from-chat>.

use channel::{Context, Reject, Unverified, Verified, jwt};
use serde_json::Value;

use crate::spec::{ADDON_ACCOUNT, AUDIENCE, KEYS, SPEC};

/// Who signs for classic apps.
pub const CHAT: &str = "chat@system.gserviceaccount.com";

/// Google writes it either way:
/// <https://developers.google.com/identity/openid-connect/openid-connect#validatinganidtoken>.
pub const GOOGLE: &[&str] = &["https://accounts.google.com", "accounts.google.com"];

/// Chat's own keys, and those of all ID tokens of Google (`jwks_uri` of
/// <https://accounts.google.com/.well-known/openid-configuration>).
const CHAT_KEYS: &str = "/service_accounts/v1/jwk/chat@system.gserviceaccount.com";
const GOOGLE_KEYS: &str = "/oauth2/v3/certs";

const SKEW_S: i64 = 300;

pub fn verify<'a>(request: Unverified<'a>, ctx: &Context<'_>) -> Result<Verified<'a>, Reject> {
    let audience = ctx.secrets.get(AUDIENCE).ok_or(Reject::NotSetUp(AUDIENCE))?;
    let by_google = is_address(audience);
    let issuers: &[&str] = if by_google { GOOGLE } else { &[CHAT] };
    let checks = jwt::Checks { issuers, audiences: &[audience], now: ctx.now, skew_s: SKEW_S };
    let url = keys_url(by_google, ctx.settings);
    let token = jwt::verify(jwt::bearer(request.0)?, &url, ctx.keys, &checks)?;
    // Any account of Google gets ID tokens for any audience: whose it is decides. An add-on's account is its project's
    // own, so with one set the account that all classic apps share is not taken.
    let account = ctx.secrets.get(ADDON_ACCOUNT).unwrap_or(CHAT);
    let claimed = |name: &str| token.claims.get(name);
    if by_google && claimed("email").and_then(Value::as_str) != Some(account) {
        return Err(Reject::Forged("the token is of another account"));
    }
    if by_google && claimed("email_verified") != Some(&Value::Bool(true)) {
        return Err(Reject::Forged("the token's email is not verified"));
    }
    Ok(request.verified())
}

/// The audience is the endpoint's address; else it is the project's number.
pub fn is_address(audience: &str) -> bool {
    audience.starts_with("https://") || audience.starts_with("http://")
}

/// Where the keys are published.
pub fn keys_url(by_google: bool, settings: &Value) -> String {
    let path = if by_google { GOOGLE_KEYS } else { CHAT_KEYS };
    format!("{}{path}", SPEC.base(KEYS, settings).unwrap_or_default())
}
