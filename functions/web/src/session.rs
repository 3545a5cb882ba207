//! Sessions: who a visitor is and which conversation is theirs, in a token that only we can make.
//!
//! A visitor is known by a long random text that the widget makes once and keeps; on a signed token of the site's own server,
//! by the id in it. Nothing is stored: the same visitor gets the same conversation every time.

use channel::{Context, Request, Response, sign};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::spec::{ID_SEED, IDENTITY_KEY, SESSION_KEY};
use crate::{Route, cors, identity};

/// How long a token counts, milliseconds. The widget asks for another one by itself.
pub const LIFE_MS: i64 = 3_600_000;
/// Fewer characters could be guessed.
const VISITOR_CHARS: std::ops::RangeInclusive<usize> = 22..=128;
/// What the ids of those begin with who are not known by an id of the site's.
pub const ANONYMOUS: &str = "visitor:";
pub const PROGRAM: &str = "api:";

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The conversation.
    #[serde(rename = "s")]
    pub id: String,
    /// The person's id: the site's own, or of the address that an unknown visitor comes from, so that the caps on a person
    /// are caps on an address.
    #[serde(rename = "u")]
    pub user: String,
    #[serde(rename = "n")]
    pub name: String,
    /// The site's server says who it is.
    #[serde(rename = "k")]
    pub known: bool,
    #[serde(rename = "o")]
    pub origin: String,
    /// Until when it counts, Unix milliseconds.
    #[serde(rename = "e")]
    pub until: i64,
}

/// What a widget sends for a session.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Asked {
    visitor: String,
    identity: Option<String>,
}

/// More keys than any rotation needs are only work for us.
const MAX_KEYS: usize = 10;

/// The keys of a secret that may hold several: the first signs, all open.
pub fn keys(secret: &str) -> impl Iterator<Item = &str> {
    secret.split_whitespace().take(MAX_KEYS)
}

/// A session for the page that asks. `address` is where the request came from.
pub fn begin(request: &Request, address: &str, ctx: &Context<'_>) -> Response {
    let Some(key) = ctx.secrets.get(SESSION_KEY) else { return refused(503, "not available") };
    let origin = cors::origin(request).unwrap_or("");
    if !cors::allows(ctx.settings, origin) {
        let why =
            format!("{origin:?} is not among channels.web.origins: name it there, and crabhook config push");
        return refused(403, &why);
    }
    let Ok(asked) = serde_json::from_slice::<Asked>(&request.body) else {
        return refused(400, "the body is no JSON with the field visitor");
    };
    let seed = ctx.secrets.get(ID_SEED).or_else(|| keys(key).last()).unwrap_or(key);
    let session = match &asked.identity {
        Some(token) => match identity::read(token, ctx.secrets.get(IDENTITY_KEY), ctx.now) {
            Ok(person) => known(seed, origin, person, ctx.now),
            Err(why) => return refused(401, why),
        },
        None if !answers_strangers(ctx.settings) => {
            return refused(403, "only people who are signed in on this site are answered here");
        }
        None if !is_visitor(&asked.visitor) => {
            return refused(400, "visitor is 22 to 128 random letters, digits, - or _");
        }
        None => unknown(seed, origin, &asked.visitor, address, ctx.now),
    };
    let answer = json!({"token": mint(key, &session), "session": session.id, "expires": session.until, "now": ctx.now});
    Response::json(200, &answer)
}

fn refused(status: u16, why: &str) -> Response {
    Response::json(status, &json!({"error": why}))
}

/// Whether somebody whom the site does not know may be answered at all. Settings of an older release do not say.
fn answers_strangers(settings: &Value) -> bool {
    !matches!(settings.get("access").and_then(Value::as_str), Some("workspace" | "owner"))
}

fn is_visitor(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    VISITOR_CHARS.contains(&text.len()) && text.bytes().all(allowed)
}

fn known(seed: &str, origin: &str, person: identity::Person, now: i64) -> Session {
    let identity::Person { id, name } = person;
    Session {
        id: derived(seed, &["user", &id]),
        user: id,
        name,
        known: true,
        origin: origin.to_owned(),
        until: now + LIFE_MS,
    }
}

/// Another site's page knows another visitor.
fn unknown(seed: &str, origin: &str, visitor: &str, address: &str, now: i64) -> Session {
    let address: String = derived(seed, &["address", network(address).as_str()]).chars().take(16).collect();
    Session {
        id: derived(seed, &["visitor", origin, visitor]),
        user: format!("{ANONYMOUS}{address}"),
        name: "visitor".to_owned(),
        known: false,
        origin: origin.to_owned(),
        until: now + LIFE_MS,
    }
}

/// 32 hexadecimal characters that say nothing about what they are made of.
fn derived(seed: &str, parts: &[&str]) -> String {
    let joined = parts.join("\0");
    sign::hex(&sign::hmac_sha256(seed.as_bytes(), &[b"crabhook web id\0", joined.as_bytes()]))
        .chars()
        .take(32)
        .collect()
}

/// The address, of IPv6 the network: one household has all the others in it.
pub fn network(address: &str) -> String {
    match address.parse::<core::net::IpAddr>() {
        Ok(core::net::IpAddr::V6(v6)) if v6.to_ipv4_mapped().is_none() => {
            let [a, b, c, d, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
        Ok(core::net::IpAddr::V6(v6)) => v6.to_ipv4_mapped().map(|v4| v4.to_string()).unwrap_or_default(),
        _ => address.to_owned(),
    }
}

/// The token: what it says in base64, a dot, the signature of that text by the first of the keys.
pub fn mint(keys: &str, session: &Session) -> String {
    let said = serde_json::to_vec(session).unwrap_or_default();
    let said = sign::base64url(&said);
    format!("{said}.{}", seal(self::keys(keys).next().unwrap_or(keys), &said))
}

fn seal(key: &str, said: &str) -> String {
    sign::base64url(&sign::hmac_sha256(key.as_bytes(), &[b"crabhook web session\0", said.as_bytes()]))
}

/// What an authentic token says that still counts, and was given to the page that sends it.
///
/// # Errors
/// Why it does not count, for our log.
pub fn open(keys: &str, token: &str, origin: Option<&str>, now: i64) -> Result<Session, &'static str> {
    let (said, given) = token.split_once('.').ok_or("no session token")?;
    let signed = |key: &str| sign::equal(seal(key, said).as_bytes(), given.as_bytes());
    if !self::keys(keys).any(signed) {
        return Err("the session's signature does not hold");
    }
    let said = sign::from_base64(said).ok_or("no session token")?;
    let session: Session = serde_json::from_slice(&said).map_err(|_| "no session token")?;
    if now >= session.until {
        return Err("the session is over");
    }
    if origin != Some(session.origin.as_str()) {
        return Err("the session is another site's");
    }
    Ok(session)
}

/// Whether the keys as they are known take the proof of a page that asks for something, where it needs one.
pub fn is_taken(request: &Request, ctx: &Context<'_>) -> bool {
    match Route::of(request) {
        Route::Session => {
            let asked = serde_json::from_slice::<Asked>(&request.body).unwrap_or_default();
            let read = |token: String| identity::read(&token, ctx.secrets.get(IDENTITY_KEY), ctx.now).is_ok();
            asked.identity.is_none_or(read)
        }
        Route::Read | Route::Events | Route::File => of(request, ctx).is_ok(),
        _ => true,
    }
}

/// The session of a request that only reads.
///
/// # Errors
/// The answer to it.
pub fn of(request: &Request, ctx: &Context<'_>) -> Result<Session, Response> {
    let key = ctx.secrets.get(SESSION_KEY).ok_or_else(|| refused(503, "not available"))?;
    let token = channel::jwt::bearer(request).map_err(|_| refused(401, "no session"))?;
    let opened = open(key, token, cors::origin(request), ctx.now);
    opened.map_err(|why| refused(401, why))
}
