//! Whether a request comes from Feishu:
//! <https://open.feishu.cn/document/ukTMukTMukTM/uYDNxYjL2QTM24iN0EjN/event-subscription-configure-/encrypt-key-encryption-configuration-case>.

use channel::{Context, Reject, Request, Unverified, Verified, aes, encode, sign};
use serde::Deserialize;
use serde_json::Value;

use crate::spec::{ENCRYPT_KEY, MAX_AGE, VERIFICATION_TOKEN};

pub const TIMESTAMP: &str = "x-lark-request-timestamp";
pub const NONCE: &str = "x-lark-request-nonce";
pub const SIGNATURE: &str = "x-lark-signature";

/// Bytes before the ciphertext: its initialisation vector.
const IV: usize = 16;

#[derive(Deserialize)]
struct Sealed {
    encrypt: String,
}

/// Where the Verification Token stands: in the head of an event, or at the top of older ones and of the address's check.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Named {
    token: String,
    #[serde(rename = "type")]
    kind: String,
    header: Header,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Header {
    token: String,
}

pub fn verify<'a>(request: Unverified<'a>, ctx: &Context<'_>) -> Result<Verified<'a>, Reject> {
    let sealed: Option<Sealed> = read(&request.0.body);
    let Some(key) = ctx.secrets.get(ENCRYPT_KEY) else {
        return match (sealed, ctx.secrets.get(VERIFICATION_TOKEN)) {
            (None, Some(token)) => {
                names(&request.0.body, token).map(|_| request.verified()).ok_or(Reject::Forged("token"))
            }
            _ => Err(Reject::NotSetUp(ENCRYPT_KEY)),
        };
    };
    // Whoever sets an Encrypt Key gets nothing that is not encrypted.
    let sealed = sealed.ok_or(Reject::Forged("not encrypted"))?;
    if request.0.headers.get(SIGNATURE).is_some() {
        signed(request.0, key, ctx)?;
        let plain = open(key, &sealed.encrypt).ok_or(Reject::Forged("not decrypted"))?;
        return Ok(request.opened(plain));
    }
    // The check of the address may come unsigned. It needs the key to be made, and must name the token.
    let plain = open(key, &sealed.encrypt).ok_or(Reject::Forged("no signature"))?;
    let token = ctx.secrets.get(VERIFICATION_TOKEN).ok_or(Reject::Forged("no signature"))?;
    match names(&plain, token) {
        Some(named) if named.kind == "url_verification" => Ok(request.opened(plain)),
        _ => Err(Reject::Forged("no signature")),
    }
}

fn signed(request: &Request, key: &str, ctx: &Context<'_>) -> Result<(), Reject> {
    let header = |name| request.headers.get(name).unwrap_or("");
    let (timestamp, nonce) = (header(TIMESTAMP), header(NONCE));
    if !sign::equal(header(SIGNATURE).as_bytes(), signature(timestamp, nonce, key, &request.body).as_bytes())
    {
        return Err(Reject::Forged("signature"));
    }
    match ctx.settings.get(MAX_AGE).and_then(Value::as_i64) {
        Some(max) if !sign::is_fresh(timestamp, ctx.now, max) => Err(Reject::Forged("too old")),
        _ => Ok(()),
    }
}

/// The signature header that Feishu sends: a plain hash, the key in its midst.
pub fn signature(timestamp: &str, nonce: &str, key: &str, body: &[u8]) -> String {
    let head = [timestamp, nonce, key].concat();
    sign::hex(&sign::sha256(&[head.as_bytes(), body].concat()))
}

/// The plaintext of what is in `encrypt`.
pub fn open(key: &str, encrypt: &str) -> Option<Vec<u8>> {
    let data = sign::from_base64(encrypt)?;
    let (iv, ciphertext) = data.split_at_checked(IV)?;
    aes::decrypt(&sign::sha256(key.as_bytes()), iv, ciphertext, 16)
}

/// What the body names, where it is the right token.
fn names(body: &[u8], token: &str) -> Option<Named> {
    let named: Named = read(body)?;
    let given = if named.header.token.is_empty() { &named.token } else { &named.header.token };
    sign::equal(given.as_bytes(), token.as_bytes()).then_some(named)
}

fn read<T: serde::de::DeserializeOwned>(body: &[u8]) -> Option<T> {
    let shallow = encode::json_depth(body) <= encode::MAX_JSON_DEPTH;
    shallow.then(|| serde_json::from_slice(body).ok()).flatten()
}
