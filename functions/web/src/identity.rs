//! Who is signed in on the site, as its own server says: a JSON Web Token signed with HS256.
//! <https://www.rfc-editor.org/rfc/rfc7519>, <https://www.rfc-editor.org/rfc/rfc7518#section-3.2>

use channel::sign;
use serde::Deserialize;

use crate::session::{self, ANONYMOUS, PROGRAM};

/// A token must not count for longer, seconds: whoever copies it is that person for so long.
const LONGEST_S: i64 = 24 * 3_600;
/// By how much clocks may differ, seconds.
const SKEW_S: i64 = 60;
const MAX_ID: usize = 128;

#[derive(Debug, PartialEq, Eq)]
pub struct Person {
    pub id: String,
    pub name: String,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    #[serde(default)]
    name: String,
    exp: i64,
}

/// The person that the token names. `now` is Unix milliseconds.
///
/// # Errors
/// What is wrong with it, for the site's author.
pub fn read(token: &str, keys: Option<&str>, now: i64) -> Result<Person, &'static str> {
    let keys =
        keys.ok_or("the secret identity_key is not set: crabhook secrets set web identity_key --generate")?;
    let (signed, signature) = token.rsplit_once('.').ok_or("identity is no token of three parts")?;
    let (header, claims) = signed.split_once('.').ok_or("identity is no token of three parts")?;
    let is_signed = |key: &str| {
        let expected = sign::base64url(&sign::hmac_sha256(key.as_bytes(), &[signed.as_bytes()]));
        sign::equal(expected.as_bytes(), signature.as_bytes())
    };
    if !session::keys(keys).any(is_signed) {
        return Err("identity is not signed with identity_key");
    }
    let header: serde_json::Value = part(header).ok_or("identity has no header")?;
    if header.get("alg").and_then(serde_json::Value::as_str) != Some("HS256") {
        return Err("identity must be signed with HS256");
    }
    let claims: Claims = part(claims).ok_or("identity needs the claims sub (text) and exp (Unix seconds)")?;
    let now = now.div_euclid(1_000);
    if claims.exp.saturating_add(SKEW_S) <= now {
        return Err("identity is over: its exp is past");
    }
    if claims.exp.saturating_sub(now) > LONGEST_S + SKEW_S {
        return Err("identity counts for too long: exp may be 24 hours ahead");
    }
    let id = claims.sub;
    if id.is_empty() || id.len() > MAX_ID || id.starts_with(ANONYMOUS) || id.starts_with(PROGRAM) {
        return Err("sub must be the person's id, of 1 to 128 bytes");
    }
    Ok(Person { name: if claims.name.is_empty() { id.clone() } else { claims.name }, id })
}

fn part<T: serde::de::DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_slice(&sign::from_base64(text)?).ok()
}
