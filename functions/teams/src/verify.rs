//! Whether an activity comes from the Bot Framework:
//! <https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication#connector-to-bot>.

use channel::{Context, Reject, Unverified, Verified, jwt};
use serde::Deserialize;
use serde_json::Value;

use crate::spec::{APP_ID, KEYS, SPEC};

pub const ISSUER: &str = "https://api.botframework.com";
const KEYS_PATH: &str = "/v1/.well-known/keys";
/// "industry-standard clock-skew is 5 minutes"
const SKEW_S: i64 = 300;

/// What the token is compared with.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    service_url: String,
    #[serde(default)]
    channel_id: String,
}

pub fn verify<'a>(request: Unverified<'a>, ctx: &Context<'_>) -> Result<Verified<'a>, Reject> {
    let app = ctx.secrets.get(APP_ID).ok_or(Reject::NotSetUp(APP_ID))?;
    let checks = jwt::Checks { issuers: &[ISSUER], audiences: &[app], now: ctx.now, skew_s: SKEW_S };
    let token = jwt::verify(jwt::bearer(request.0)?, &keys_url(ctx.settings), ctx.keys, &checks)?;
    let verified = request.verified();
    // Without these there is nobody to answer; `parse` leaves such a body alone.
    let Some(named) = verified.json::<Named>() else { return Ok(verified) };
    // The documentation writes it one way and the service the other.
    let claimed = ["serviceurl", "serviceUrl"].iter().find_map(|name| token.claims.get(*name)?.as_str());
    if claimed.map(|url| url.trim_end_matches('/')) != Some(named.service_url.trim_end_matches('/')) {
        return Err(Reject::Forged("the token is for another service URL"));
    }
    let endorsed = token.key.get("endorsements").and_then(Value::as_array);
    if !endorsed.is_some_and(|channels| channels.iter().any(|channel| *channel == named.channel_id)) {
        return Err(Reject::Forged("the key is not endorsed for this channel"));
    }
    Ok(verified)
}

/// Where the Bot Framework publishes its keys.
pub fn keys_url(settings: &Value) -> String {
    format!("{}{KEYS_PATH}", SPEC.base(KEYS, settings).unwrap_or_default())
}
