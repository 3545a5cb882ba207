//! Whether a request comes from Twilio: <https://www.twilio.com/docs/usage/security#validating-requests>.

use std::collections::{BTreeMap, BTreeSet};

use channel::{Context, Reject, Request, Unverified, Verified, sign};

use crate::spec::AUTH_TOKEN;

pub const SIGNATURE: &str = "x-twilio-signature";

pub fn verify<'a>(request: Unverified<'a>, ctx: &Context<'_>) -> Result<Verified<'a>, Reject> {
    let tokens = ctx.secrets.get(AUTH_TOKEN).ok_or(Reject::NotSetUp(AUTH_TOKEN))?;
    let given = request.0.headers.get(SIGNATURE).ok_or(Reject::Forged("no signature"))?;
    if !hash_holds(request.0) {
        return Err(Reject::Forged("the body is not the one that was signed"));
    }
    let fields = fields(request.0);
    let urls = spellings(&request.0.url);
    let signed = |token: &str| {
        let same = |url: &String| sign::equal(expected(token, url, &fields).as_bytes(), given.as_bytes());
        urls.iter().any(same)
    };
    if !tokens.split_whitespace().any(signed) {
        return Err(Reject::Forged("signature"));
    }
    Ok(request.verified())
}

/// The signature header over an address and what [`fields`] makes of the body.
pub fn expected(token: &str, url: &str, fields: &str) -> String {
    sign::base64(&sign::hmac_sha1(token.as_bytes(), &[url.as_bytes(), fields.as_bytes()]))
}

/// The fields of a form, names and values one after another: names sorted, of each name its different values sorted.
/// Nothing for JSON, which is signed by its hash.
pub fn fields(request: &Request) -> String {
    if request.method == "GET" || request.content_type() == "application/json" {
        return String::new();
    }
    let mut sorted: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, value) in channel::encode::form(&request.body) {
        sorted.entry(name).or_default().insert(value);
    }
    let pairs =
        sorted.iter().flat_map(|(name, values)| values.iter().map(move |value| format!("{name}{value}")));
    pairs.collect()
}

/// A JSON body's hash is in the address, which is signed.
fn hash_holds(request: &Request) -> bool {
    match request.query("bodySHA256") {
        Some(hash) => sign::equal(hash.as_bytes(), sign::sha256_hex(&request.body).as_bytes()),
        None => request.content_type() != "application/json" || request.body.is_empty(),
    }
}

/// The address as it was called, without its port, and with the one that its scheme stands for: Twilio's own libraries
/// take each, because Twilio signs now one, now the other.
fn spellings(url: &str) -> Vec<String> {
    let Some((scheme, rest)) = url.split_once("://") else { return vec![url.to_owned()] };
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    let port = if scheme == "http" { 80 } else { 443 };
    vec![url.to_owned(), format!("{scheme}://{host}{path}"), format!("{scheme}://{host}:{port}{path}")]
}
