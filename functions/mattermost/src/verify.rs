//! Whether a request comes from our Mattermost: <https://developers.mattermost.com/integrate/slash-commands/custom/>.

use channel::{Context, Reject, Request, Unverified, Verified, encode, sign};
use serde::Deserialize;

use crate::spec::TOKEN;

/// What is looked at before anything is known to be authentic.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Proof {
    token: Option<String>,
    command: Option<String>,
}

/// A webhook's token comes in the body, a command's there and as `Authorization: Token …`. Where an administrator has put
/// an OAuth connection in between, that header is `Bearer …` and says nothing to us.
pub fn verify<'a>(request: Unverified<'a>, ctx: &Context<'_>) -> Result<Verified<'a>, Reject> {
    let tokens = ctx.secrets.get(TOKEN).ok_or(Reject::NotSetUp(TOKEN))?;
    let known =
        |given: &str| tokens.split_whitespace().any(|token| sign::equal(token.as_bytes(), given.as_bytes()));
    let proof = proof(request.0);
    let by_header = match request.0.headers.get("authorization").map(|value| value.split_once(' ')) {
        Some(Some(("Token", given))) if known(given) => true,
        Some(Some(("Bearer", _))) => false,
        Some(_) => return Err(Reject::Forged("authorization")),
        None if proof.command.is_some() => return Err(Reject::Forged("a command without authorization")),
        None => false,
    };
    match proof.token {
        Some(given) if !known(&given) => Err(Reject::Forged("token")),
        None if !by_header => Err(Reject::Forged("no token")),
        _ => Ok(request.verified()),
    }
}

fn proof(request: &Request) -> Proof {
    if request.content_type() == "application/json" {
        let deep = encode::json_depth(&request.body) > encode::MAX_JSON_DEPTH;
        return serde_json::from_slice(&request.body).ok().filter(|_| !deep).unwrap_or_default();
    }
    let fields = encode::form(&request.body);
    let field = |name: &str| fields.iter().find(|(have, _)| have == name).map(|(_, value)| value.clone());
    Proof { token: field("token"), command: field("command") }
}
