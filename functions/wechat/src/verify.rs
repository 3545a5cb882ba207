//! Whether a request comes from WeChat: <https://developers.weixin.qq.com/doc/subscription/guide/dev/push/encryption.html>.

use channel::{Context, Reject, Request, Unverified, Verified, sign, tencent};
use serde_json::Value;

use crate::parse::fields;
use crate::spec::{AES_KEY, MAX_AGE, RECEIVE_ID, TOKEN};

pub fn verify<'a>(request: Unverified<'a>, ctx: &Context<'_>) -> Result<Verified<'a>, Reject> {
    let secret = |name| ctx.secrets.get(name).ok_or(Reject::NotSetUp(name));
    let token = secret(TOKEN)?;
    let encrypted = match ctx.secrets.get(AES_KEY) {
        // The check of the address is never encrypted.
        _ if request.0.method == "GET" => None,
        // Whoever sets a key gets nothing that is not encrypted: in plain mode nothing covers the body.
        Some(key) => {
            let sealed = fields(&request.0.body).and_then(|mut fields| fields.remove("Encrypt"));
            Some((key, sealed.ok_or(Reject::Forged("not encrypted"))?))
        }
        None => None,
    };
    let Some((key, encrypted)) = encrypted else {
        signed(request.0, "signature", &[token], ctx)?;
        let needs_key =
            request.0.query("encrypt_type").as_deref() == Some("aes") && request.0.method != "GET";
        return if needs_key { Err(Reject::NotSetUp(AES_KEY)) } else { Ok(request.verified()) };
    };
    signed(request.0, "msg_signature", &[token, &encrypted], ctx)?;
    let (message, receiver) = tencent::decrypt(key, &encrypted).ok_or(Reject::Forged("not decrypted"))?;
    if !sign::equal(receiver.as_bytes(), secret(RECEIVE_ID)?.as_bytes()) {
        return Err(Reject::Forged("meant for another receiver"));
    }
    Ok(request.opened(message))
}

/// The parameter of that name is the signature over these, the time and the nonce.
fn signed(request: &Request, name: &str, over: &[&str], ctx: &Context<'_>) -> Result<(), Reject> {
    let query = |name| request.query(name).unwrap_or_default();
    let (timestamp, nonce) = (query("timestamp"), query("nonce"));
    let expected = tencent::signature(&[over, &[timestamp.as_str(), nonce.as_str()]].concat());
    if !sign::equal(query(name).as_bytes(), expected.as_bytes()) {
        return Err(Reject::Forged("signature"));
    }
    match ctx.settings.get(MAX_AGE).and_then(Value::as_i64) {
        Some(max) if !sign::is_fresh(&timestamp, ctx.now, max) => Err(Reject::Forged("too old")),
        _ => Ok(()),
    }
}
