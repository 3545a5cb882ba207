//! Standard Webhooks, the receiving side.

use channel::{Context, Reject, Request, Unverified, Verified, sign};

/// Seconds, before and after. The standard leaves the figure open; its libraries take five minutes.
const TOLERANCE_S: i64 = 300;

/// More in one header than any rotation needs is only work for us.
const MAX_SIGNATURES: usize = 10;

pub fn verify<'a>(request: Unverified<'a>, ctx: &Context<'_>) -> Result<Verified<'a>, Reject> {
    let secrets = keys(ctx, "secret", sign::webhook_key);
    let publics = keys(ctx, "public_key", public_key);
    if secrets.is_empty() && publics.is_empty() {
        return Err(Reject::NotSetUp("secret"));
    }
    let Signed { id, timestamp, signatures } = signed(request.0).ok_or(Reject::Forged("headers missing"))?;
    if !sign::is_fresh(timestamp, ctx.now, TOLERANCE_S) {
        return Err(Reject::Forged("stale"));
    }
    let message = [id.as_bytes(), b".", timestamp.as_bytes(), b".", &request.0.body];
    // As text: base64 has several spellings of the same bytes, and only one of them is a signature.
    let macs: Vec<String> =
        secrets.iter().map(|key| sign::base64(&sign::hmac_sha256(key, &message))).collect();
    let whole = if publics.is_empty() { Vec::new() } else { message.concat() };
    let holds = |entry: &str| match entry.split_once(',') {
        Some(("v1", given)) => macs.iter().any(|mac| sign::equal(mac.as_bytes(), given.as_bytes())),
        Some(("v1a", text)) => sign::from_base64(text)
            .filter(|given| sign::base64(given) == text)
            .is_some_and(|given| publics.iter().any(|key| sign::ed25519_verify(key, &whole, &given))),
        _ => false,
    };
    if !signatures.split(' ').take(MAX_SIGNATURES).any(holds) {
        return Err(Reject::Forged("no signature holds"));
    }
    Ok(request.verified())
}

struct Signed<'a> {
    id: &'a str,
    timestamp: &'a str,
    signatures: &'a str,
}

/// Senders on Svix use its older names for the same headers.
fn signed(request: &Request) -> Option<Signed<'_>> {
    ["webhook", "svix"].iter().find_map(|prefix| {
        let header =
            |name| request.headers.get(&format!("{prefix}-{name}")).filter(|value| !value.is_empty());
        Some(Signed { id: header("id")?, timestamp: header("timestamp")?, signatures: header("signature")? })
    })
}

/// The delivery's id, the same on every retry.
pub fn delivery_id(request: &Request) -> &str {
    signed(request).map_or("", |signed| signed.id)
}

/// The keys of a secret that may hold several; what is no key is passed over.
fn keys(ctx: &Context<'_>, name: &str, decode: impl Fn(&str) -> Option<Vec<u8>>) -> Vec<Vec<u8>> {
    ctx.secrets.get(name).unwrap_or("").split_whitespace().filter_map(decode).collect()
}

fn public_key(text: &str) -> Option<Vec<u8>> {
    let bytes = text.strip_prefix("whpk_").map_or_else(|| sign::from_hex(text), sign::from_base64)?;
    (bytes.len() == 32).then_some(bytes)
}
