//! JSON Web Tokens as platforms use them: RS256 and nothing else.
//! <https://www.rfc-editor.org/rfc/rfc7519>, <https://www.rfc-editor.org/rfc/rfc7517>

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::{self, RSA_PKCS1_2048_8192_SHA256};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use crate::{Keys, Reject, Request, pem, sign};

/// What a token must say.
#[derive(Debug, Clone, Copy)]
pub struct Checks<'a> {
    /// Any of these issued it.
    pub issuers: &'a [&'a str],
    /// It is meant for any of these.
    pub audiences: &'a [&'a str],
    /// Unix milliseconds.
    pub now: i64,
    /// By how much clocks may differ, seconds.
    pub skew_s: i64,
}

/// An authentic token.
#[derive(Debug, Clone, PartialEq)]
pub struct Token {
    pub claims: Value,
    /// The key that it was signed with, as the document of keys has it.
    pub key: Value,
}

/// The token in `Authorization: Bearer <token>`.
///
/// # Errors
/// [`Reject::Forged`] without one.
pub fn bearer(request: &Request) -> Result<&str, Reject> {
    let header = request.headers.get("authorization").ok_or(Reject::Forged("no authorization"))?;
    let (scheme, token) = header.split_once(' ').ok_or(Reject::Forged("no bearer token"))?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Reject::Forged("no bearer token"));
    }
    Ok(token.trim())
}

/// Judges a token by the keys (a JWK set) that are published at `url`. What can be refused without a key is refused
/// first, so that junk fetches nothing.
///
/// # Errors
/// [`Reject::Forged`], or [`Reject::NeedKey`] where the key is not among `keys`.
pub fn verify(token: &str, url: &str, keys: &Keys, checks: &Checks<'_>) -> Result<Token, Reject> {
    let forged = Reject::Forged;
    let (signed, signature) = token.rsplit_once('.').ok_or(forged("no token"))?;
    let (header, claims) = signed.split_once('.').ok_or(forged("no token"))?;
    let header = part(header).ok_or(forged("no token"))?;
    let claims = part(claims).ok_or(forged("no token"))?;
    let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).map_err(|_| forged("no signature"))?;
    if header.get("alg").and_then(Value::as_str) != Some("RS256") {
        return Err(forged("the token's algorithm is not RS256"));
    }
    says(&claims, checks).map_err(forged)?;
    let kid = header.get("kid").and_then(Value::as_str).ok_or(forged("no key id"))?;
    let need = || Reject::NeedKey { url: url.to_owned(), kid: kid.to_owned() };
    let set: Value = keys.get(url).and_then(|set| serde_json::from_str(set).ok()).ok_or_else(need)?;
    let key = key(&set, kid).ok_or_else(need)?;
    if !is_signed(key, signed.as_bytes(), &signature) {
        return Err(forged("signature"));
    }
    Ok(Token { claims, key: key.clone() })
}

/// A token with these claims, signed with a private key (PKCS#8 PEM). `None` where it is none.
pub fn sign_rs256(private_key_pem: &str, kid: &str, claims: &Value) -> Option<String> {
    let pair = signature::RsaKeyPair::from_pkcs8(&pem::decode(private_key_pem)?).ok()?;
    let mut header = json!({"alg": "RS256", "typ": "JWT"});
    if let Some(fields) = header.as_object_mut().filter(|_| !kid.is_empty()) {
        fields.insert("kid".to_owned(), json!(kid));
    }
    let encode = |value: &Value| sign::base64url(value.to_string().as_bytes());
    let signed = format!("{}.{}", encode(&header), encode(claims));
    let mut signature = vec![0; pair.public_modulus_len()];
    let random = SystemRandom::new();
    pair.sign(&signature::RSA_PKCS1_SHA256, &random, signed.as_bytes(), &mut signature).ok()?;
    Some(format!("{signed}.{}", sign::base64url(&signature)))
}

fn part(text: &str) -> Option<Value> {
    let value: Value = serde_json::from_slice(&BASE64URL_NOPAD.decode(text.as_bytes()).ok()?).ok()?;
    value.is_object().then_some(value)
}

fn says(claims: &Value, checks: &Checks<'_>) -> Result<(), &'static str> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if !text("iss").is_some_and(|issuer| checks.issuers.contains(&issuer)) {
        return Err("another issuer");
    }
    let meant = match claims.get("aud") {
        Some(Value::String(audience)) => checks.audiences.contains(&audience.as_str()),
        Some(Value::Array(several)) => {
            several.iter().filter_map(Value::as_str).any(|audience| checks.audiences.contains(&audience))
        }
        _ => false,
    };
    if !meant {
        return Err("another audience");
    }
    let now = checks.now.div_euclid(1_000);
    let time = |name: &str| claims.get(name).and_then(Value::as_f64).map(|seconds| seconds as i64);
    match time("exp") {
        Some(end) if now <= end.saturating_add(checks.skew_s) => {}
        _ => return Err("the token is over"),
    }
    match time("nbf") {
        Some(begin) if now < begin.saturating_sub(checks.skew_s) => Err("the token does not count yet"),
        _ => Ok(()),
    }
}

fn key<'a>(set: &'a Value, kid: &str) -> Option<&'a Value> {
    let keys = set.get("keys").and_then(Value::as_array)?;
    keys.iter().find(|key| {
        let is = |name: &str, value: &str| key.get(name).and_then(Value::as_str) == Some(value);
        is("kid", kid) && is("kty", "RSA") && key.get("use").is_none_or(|for_what| for_what == "sig")
    })
}

fn is_signed(key: &Value, signed: &[u8], signature: &[u8]) -> bool {
    let number = |name: &str| BASE64URL_NOPAD.decode(key.get(name)?.as_str()?.as_bytes()).ok();
    let (Some(n), Some(e)) = (number("n"), number("e")) else { return false };
    PublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, signed, signature).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local::platform_key;

    const URL: &str = "https://keys.example/jwks";
    const NOW: i64 = 1_795_000_000_000;

    fn judge(token: &str, keys: &Keys) -> Result<Token, Reject> {
        let checks = Checks { issuers: &["us"], audiences: &["them", "bot"], now: NOW, skew_s: 300 };
        verify(token, URL, keys, &checks)
    }

    fn token(claims: &Value) -> String {
        sign_rs256(platform_key().0, "local", claims).unwrap()
    }

    #[test]
    fn only_what_is_pinned_is_taken() {
        let (_, jwks) = platform_key();
        let keys = Keys::from([(URL.to_owned(), jwks.to_string())]);
        let s = NOW / 1_000;
        let good = json!({"iss": "us", "aud": "bot", "exp": s + 60, "nbf": s - 60, "extra": 1});
        assert_eq!(judge(&token(&good), &keys).unwrap().claims, good);
        let check = |name: &str, value: Value, ok: bool| {
            let mut claims = good.clone();
            claims[name] = value;
            assert_eq!(judge(&token(&claims), &keys).is_ok(), ok, "{claims}");
        };
        check("aud", json!(["x", "bot"]), true);
        check("aud", json!("other"), false);
        check("aud", json!(null), false);
        check("iss", json!("other"), false);
        check("exp", json!(s - 300), true);
        check("exp", json!(s - 301), false);
        check("exp", json!(null), false);
        check("nbf", json!(s + 300), true);
        check("nbf", json!(s + 301), false);
    }

    #[test]
    fn keys_that_are_not_there_are_asked_for_and_junk_is_not() {
        let (key, jwks) = platform_key();
        let keys = Keys::from([(URL.to_owned(), jwks.to_string())]);
        let claims = json!({"iss": "us", "aud": "bot", "exp": NOW});
        let other = sign_rs256(key, "other", &claims).unwrap();
        let need = |kid: &str| Err(Reject::NeedKey { url: URL.into(), kid: kid.into() });
        assert_eq!(judge(&other, &keys), need("other"));
        assert_eq!(judge(&token(&claims), &Keys::new()), need("local"));
        let good = token(&claims);
        let (signed, signature) = good.rsplit_once('.').unwrap();
        let none = sign::base64url(br#"{"alg":"none","kid":"local"}"#);
        let claims = signed.split_once('.').unwrap().1;
        for junk in [
            "",
            ".",
            "..",
            "a.b.c",
            &good[1..],
            &format!("{signed}."),
            &format!("{signed}.{}", &signature[4..]),
            &format!("{none}.{claims}.{signature}"),
            &format!("{good}="),
            &good.replace('.', ".."),
        ] {
            assert!(matches!(judge(junk, &keys), Err(Reject::Forged(_))), "{junk}");
        }
    }
}
