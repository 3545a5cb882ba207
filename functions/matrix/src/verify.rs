//! Whether a request comes from our homeserver: <https://spec.matrix.org/latest/application-service-api/#authorization>.

use channel::{Context, Reject, Unverified, Verified, sign};

use crate::spec::HS_TOKEN;

/// Older homeservers put the token into the query, some into both places: then both must be right.
pub fn verify<'a>(request: Unverified<'a>, ctx: &Context<'_>) -> Result<Verified<'a>, Reject> {
    let token = ctx.secrets.get(HS_TOKEN).ok_or(Reject::NotSetUp(HS_TOKEN))?;
    let is_right = |given: &str| sign::equal(token.as_bytes(), given.as_bytes());
    let header = request.0.headers.get("authorization");
    let query = request.0.query("access_token");
    let by_header = header.map(|value| value.strip_prefix("Bearer ").is_some_and(is_right));
    let by_query = query.as_deref().map(is_right);
    match (by_header, by_query) {
        (None, None) => Err(Reject::Forged("no token")),
        (Some(false), _) | (_, Some(false)) => Err(Reject::Forged("token")),
        _ => Ok(request.verified()),
    }
}
