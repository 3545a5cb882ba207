//! What Meta's platforms share (WhatsApp, Messenger, Instagram): the handshake, the signature and the errors of the
//! Graph API; and in [`messaging`] what Messenger and Instagram are to us, which is one platform with two front doors.

#[cfg(any(test, feature = "local"))]
pub mod local;
pub mod messaging;
#[cfg(feature = "markdown")]
pub mod reply;

use serde_json::{Value, json};

use crate::{Body, Context, Reject, Response, Settled, Step, Target, Unverified, Verified, sign};

pub const SIGNATURE: &str = "x-hub-signature-256";

/// Names of secrets.
pub const APP_SECRET: &str = "app_secret";
pub const VERIFY_TOKEN: &str = "verify_token";
pub const ACCESS_TOKEN: &str = "access_token";

/// The setting that names the app: a number that is no secret.
pub const APP_ID: &str = "app_id";

/// Whether a request comes from Meta: as a GET the handshake, which quotes our verify token; else signed with one of the
/// secrets of these names.
/// <https://developers.facebook.com/docs/graph-api/webhooks/getting-started#validate-payloads>
///
/// # Errors
/// A [`Reject`]: it does not, or there is nothing to tell it by.
pub fn verify<'a>(
    request: Unverified<'a>,
    secrets: &[&'static str],
    ctx: &Context<'_>,
) -> Result<Verified<'a>, Reject> {
    if request.0.method == "GET" {
        return handshake(request, ctx);
    }
    let known: Vec<&str> = secrets.iter().filter_map(|name| ctx.secrets.get(name)).collect();
    if known.is_empty() {
        return Err(Reject::NotSetUp(secrets.first().copied().unwrap_or(APP_SECRET)));
    }
    let given = request.0.headers.get(SIGNATURE).ok_or(Reject::Forged("no signature"))?;
    // Text with text: Meta writes small letters, and what strangers send is not decoded.
    let made_with =
        |secret: &&str| sign::equal(given.as_bytes(), signature(secret, &request.0.body).as_bytes());
    if !known.iter().any(made_with) {
        return Err(Reject::Forged("signature"));
    }
    Ok(request.verified())
}

/// <https://developers.facebook.com/docs/graph-api/webhooks/getting-started#verification-requests>
fn handshake<'a>(request: Unverified<'a>, ctx: &Context<'_>) -> Result<Verified<'a>, Reject> {
    let token = ctx.secrets.get(VERIFY_TOKEN).ok_or(Reject::NotSetUp(VERIFY_TOKEN))?;
    let given = request.0.query("hub.verify_token").ok_or(Reject::Forged("no verify token"))?;
    let subscribes = request.0.query("hub.mode").is_some_and(|mode| mode == "subscribe");
    if !subscribes || !sign::equal(given.as_bytes(), token.as_bytes()) {
        return Err(Reject::Forged("verify token"));
    }
    Ok(request.verified())
}

/// The answer to the handshake; `None` where the request is another.
pub fn challenge(verified: &Verified<'_>) -> Option<Response> {
    let request = verified.request();
    (request.method == "GET")
        .then(|| Response::text(200, &request.query("hub.challenge").unwrap_or_default()))
}

/// The signature header over the raw bytes, with their `\u` escapes as they came.
pub fn signature(secret: &str, body: &[u8]) -> String {
    format!("sha256={}", sign::hex(&sign::hmac_sha256(secret.as_bytes(), &[body])))
}

/// Registers our address for an object's events, as the app itself, whose token is its id and its secret. Meta calls the
/// address with the verify token before it answers.
/// <https://developers.facebook.com/docs/graph-api/reference/app/subscriptions>
pub fn subscribe(base: &str, app_secret: &str, app_id: &str, object: &str, fields: &str, url: &str) -> Step {
    let app_id = crate::encode::segment(app_id);
    let path = format!("/{app_id}/subscriptions?access_token={app_id}%7C{{{app_secret}}}");
    let value = json!({"object": object, "callback_url": url, "fields": fields, "verify_token": null});
    let fill = vec![("/verify_token".to_owned(), VERIFY_TOKEN.to_owned())];
    let target = Target::Base { base: base.to_owned(), path };
    Step::new("POST", target, Body::JsonWithSecrets { value, fill })
}

/// A setting that may be written as a number.
pub fn id_setting(settings: &Value, name: &str) -> Option<String> {
    match settings.get(name)? {
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        _ => None,
    }
}

/// Why the Graph API refused a call: <https://developers.facebook.com/docs/graph-api/guides/error-handling>.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Failure {
    pub code: u64,
    pub subcode: u64,
    /// Meta's own words, cut.
    pub words: String,
    /// Meta says that it passes.
    pub passes: bool,
}

pub fn failure(response: &Response) -> Failure {
    let body = response.body_json();
    let number =
        |name: &str| body.pointer(&format!("/error/{name}")).and_then(Value::as_u64).unwrap_or_default();
    let words = body.pointer("/error/message").and_then(Value::as_str).unwrap_or_default();
    Failure {
        code: number("code"),
        subcode: number("error_subcode"),
        words: words.chars().take(120).collect(),
        passes: body.pointer("/error/is_transient").and_then(Value::as_bool).unwrap_or_default(),
    }
}

/// What a failed call means on each of Meta's platforms; a room looks at its own codes first.
/// <https://developers.facebook.com/docs/graph-api/overview/rate-limiting>
pub fn settle(channel: &str, response: &Response) -> Settled {
    let Failure { code, words, passes, .. } = failure(response);
    match (response.status, code) {
        (429 | 500..=599, _) => Settled::Later(response.retry_after()),
        (400..=499, 1 | 2 | 4 | 17 | 32 | 341 | 613 | 80_000..=80_014) => {
            Settled::Later(response.retry_after())
        }
        (400..=499, _) if passes => Settled::Later(response.retry_after()),
        (400..=499, 102 | 190) | (401, _) => Settled::Broken(format!(
            "{code}: Meta does not take the access token. Make one and store it as {channel}'s {ACCESS_TOKEN}"
        )),
        (400..=499, 3 | 10 | 200..=299) => Settled::Broken(format!(
            "{code}: the access token lacks a permission, or the app its access: {words}"
        )),
        (400..=499, 1..) => Settled::Broken(format!("{code}: {words}")),
        _ => Settled::by_status(response),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Headers, Request, Secrets};

    fn judged(request: &Request, names: &[&'static str], secrets: &[(&str, &str)]) -> Result<(), Reject> {
        let secrets: Secrets =
            secrets.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let ctx = Context {
            account: "main",
            secrets: &secrets,
            settings: &Value::Null,
            keys: &Default::default(),
            now: 0,
        };
        verify(Unverified(request), names, &ctx).map(drop)
    }

    fn posted(signature: &str) -> Request {
        let headers: Headers = [(SIGNATURE, signature)].into_iter().collect();
        Request::new("POST", "https://x.example/", headers, r#"{"a":"\u00e1"}"#)
    }

    #[test]
    fn each_of_several_secrets_may_have_signed() {
        let good = posted(&signature("two", br#"{"a":"\u00e1"}"#));
        let names = ["app_secret", "other_secret"];
        let secrets = [("app_secret", "one"), ("other_secret", "two")];
        assert_eq!(judged(&good, &names, &secrets), Ok(()));
        assert_eq!(judged(&good, &names[1..], &secrets), Ok(()));
        assert_eq!(judged(&good, &names[..1], &secrets), Err(Reject::Forged("signature")));
        assert_eq!(judged(&good, &names, &[]), Err(Reject::NotSetUp("app_secret")));
        let loud = posted(&signature("two", br#"{"a":"\u00e1"}"#).to_uppercase());
        assert_eq!(judged(&loud, &names, &secrets), Err(Reject::Forged("signature")));
        let unsigned = Request::new("POST", "/", Headers::default(), "{}");
        assert_eq!(judged(&unsigned, &names, &secrets), Err(Reject::Forged("no signature")));
        let put = Request::new("PUT", "/?hub.mode=subscribe&hub.verify_token=v", Headers::default(), "{}");
        assert!(judged(&put, &names, &[("app_secret", "one"), ("verify_token", "v")]).is_err());
    }

    #[test]
    fn the_challenge_is_for_who_knows_the_token() {
        let get = |query: &str| Request::new("GET", &format!("/?{query}"), Headers::default(), "");
        let secrets = [("verify_token", "a b")];
        let good = get("hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=a%20b");
        assert_eq!(judged(&good, &["app_secret"], &secrets), Ok(()));
        let answer = challenge(&Unverified(&good).verified()).unwrap();
        assert_eq!((answer.status, answer.body.as_slice()), (200, b"1158201444".as_slice()));
        assert_eq!(challenge(&Unverified(&posted("")).verified()), None);
        for bad in [
            "",
            "hub.mode=subscribe&hub.challenge=1",
            "hub.mode=subscribe&hub.challenge=1&hub.verify_token=",
            "hub.mode=subscribe&hub.challenge=1&hub.verify_token=b",
            "hub.mode=unsubscribe&hub.challenge=1&hub.verify_token=a%20b",
        ] {
            assert!(matches!(judged(&get(bad), &["app_secret"], &secrets), Err(Reject::Forged(_))), "{bad}");
        }
        assert_eq!(judged(&good, &["app_secret"], &[]), Err(Reject::NotSetUp("verify_token")));
    }

    #[test]
    fn the_app_proves_itself_with_its_secret() {
        let step = subscribe("api", "app_secret", "12/3", "page", "messages", "https://x.example/");
        let Target::Base { path, .. } = &step.target else { panic!("a path") };
        assert_eq!(path, "/12%2F3/subscriptions?access_token=12%2F3%7C{app_secret}");
    }

    #[test]
    fn errors_are_told_apart() {
        let check = |status: u16, error: Value, expected: &str| {
            let settled = settle("messenger", &Response::json(status, &json!({"error": error})));
            assert!(format!("{settled:?}").starts_with(expected), "{status} {error}: {settled:?}");
        };
        check(400, json!({"code": 4}), "Later(None)");
        check(400, json!({"code": 613, "error_subcode": 1}), "Later(None)");
        check(400, json!({"code": 80_006}), "Later(None)");
        check(400, json!({"code": 551, "is_transient": true}), "Later(None)");
        check(500, json!({"code": 100}), "Later(None)");
        check(400, json!({"code": 190}), "Broken(\"190: Meta does not take the access token");
        check(
            403,
            json!({"code": 200, "message": "Requires pages_messaging"}),
            "Broken(\"200: the access token",
        );
        check(400, json!({"code": 100, "message": "No matching user found"}), "Broken(\"100: No matching");
        check(404, json!({}), "Gone");
        check(401, json!({}), "Broken");
    }
}
