//! Whether a request comes from WeCom: <https://developer.work.weixin.qq.com/document/path/90968>.

use channel::{Context, Reject, Request, Unverified, Verified, encode, sign, tencent, xml};
use serde::Deserialize;
use serde_json::Value;

use crate::spec::{AES_KEY, MAX_AGE, RECEIVE_ID, TOKEN};

#[derive(Deserialize)]
struct Sealed {
    encrypt: String,
}

pub fn verify<'a>(request: Unverified<'a>, ctx: &Context<'_>) -> Result<Verified<'a>, Reject> {
    let secret = |name| ctx.secrets.get(name).ok_or(Reject::NotSetUp(name));
    let (token, key) = (secret(TOKEN)?, secret(AES_KEY)?);
    let query = |name| request.0.query(name).unwrap_or_default();
    let (timestamp, nonce) = (query("timestamp"), query("nonce"));
    let encrypted = encrypted(request.0).ok_or(Reject::Forged("nothing encrypted"))?;
    let expected = tencent::signature(&[token, &timestamp, &nonce, &encrypted]);
    if !sign::equal(query("msg_signature").as_bytes(), expected.as_bytes()) {
        return Err(Reject::Forged("signature"));
    }
    if let Some(max) = ctx.settings.get(MAX_AGE).and_then(Value::as_i64)
        && !sign::is_fresh(&timestamp, ctx.now, max)
    {
        return Err(Reject::Forged("too old"));
    }
    let (message, receiver) = tencent::decrypt(key, &encrypted).ok_or(Reject::Forged("not decrypted"))?;
    // A bot's messages name nobody: developer.work.weixin.qq.com/document/path/101033.
    if !receiver.is_empty() && !sign::equal(receiver.as_bytes(), secret(RECEIVE_ID)?.as_bytes()) {
        return Err(Reject::Forged("meant for another receiver"));
    }
    Ok(request.opened(message))
}

/// The ciphertext: in the check of the address a parameter, else in the body's envelope, XML from apps and JSON from bots.
pub fn encrypted(request: &Request) -> Option<String> {
    if request.method == "GET" {
        return request.query("echostr");
    }
    if let Some(mut fields) = xml::fields(&request.body) {
        return fields.remove("Encrypt");
    }
    if encode::json_depth(&request.body) > encode::MAX_JSON_DEPTH {
        return None;
    }
    serde_json::from_slice(&request.body).ok().map(|sealed: Sealed| sealed.encrypt)
}
