//! Whether a request comes from Telegram.

use channel::{Context, Reject, Unverified, Verified, sign};

/// <https://core.telegram.org/bots/api#setwebhook>, `secret_token`
pub const SECRET_HEADER: &str = "x-telegram-bot-api-secret-token";

pub fn verify<'a>(request: Unverified<'a>, ctx: &Context<'_>) -> Result<Verified<'a>, Reject> {
    let secret = ctx.secrets.get("secret_token").ok_or(Reject::NotSetUp("secret_token"))?;
    let given = request.0.headers.get(SECRET_HEADER).ok_or(Reject::Forged("no secret token"))?;
    if !sign::equal(secret.as_bytes(), given.as_bytes()) {
        return Err(Reject::Forged("wrong secret token"));
    }
    Ok(request.verified())
}
