//! From a planned step to a request on the wire: addresses resolved, secrets filled in last of all.

use std::time::Duration;

use channel::{Auth, Body, Request, Response, Secrets, Settled, Spec, Step, Target, sign};
use egress::{Call, Egress, HeaderMap, HeaderName, HeaderValue, Method, Trust};
use serde_json::Value;

/// A call to a platform takes at most this long; the lease outlasts it.
pub const CALL_TIME_OUT: Duration = Duration::from_millis(CALL_TIME_OUT_MS.unsigned_abs());
pub const CALL_TIME_OUT_MS: i64 = 9_000;
/// Largest answer to a post, bytes.
pub const MAX_ANSWER: usize = 1 << 20;

/// Why a step cannot be sent as the deployment is set up; the text says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotSetUp {
    #[error("the secret {0} is not set: crabhook secrets set")]
    Secret(String),
    #[error("the secret {0} is not of the form that the signature needs")]
    Malformed(String),
    #[error("no address for {0}: set channels.<channel>.urls.{0}")]
    Address(String),
}

/// What a call came to.
pub enum Outcome {
    Answered(Response),
    /// Nothing reached the platform.
    NotSent(String),
    /// It may have.
    Unsure,
    /// It answered with this status; the rest cannot be read.
    Unread(u16),
    /// It must not be sent.
    Refused(String),
}

/// The request of a step that quotes no earlier answer, with every secret in its place. `now` is Unix milliseconds.
///
/// # Errors
/// A secret or an address is missing.
pub fn request(
    step: &Step,
    spec: &Spec,
    settings: &Value,
    secrets: &Secrets,
    now: i64,
) -> Result<Request, NotSetUp> {
    request_after("", step, spec, settings, secrets, now)
}

/// The request of a step with every secret in its place. `answer` is the id that the step before was settled with, empty for the
/// first. `now` is Unix milliseconds.
///
/// # Errors
/// A secret or an address is missing.
pub fn request_after(
    answer: &str,
    step: &Step,
    spec: &Spec,
    settings: &Value,
    secrets: &Secrets,
    now: i64,
) -> Result<Request, NotSetUp> {
    let url = match &step.target {
        Target::Url(url) => url.clone(),
        Target::Base { base, path } => {
            let root = spec.base(base, settings).ok_or_else(|| NotSetUp::Address(base.clone()))?;
            format!("{root}{}", fill(path, secrets, answer)?)
        }
    };
    let (content_type, body) = bytes(&step.body, secrets)?;
    let mut headers = step.headers.clone();
    if let Some(content_type) = content_type.filter(|_| headers.get("content-type").is_none()) {
        headers.set("content-type", content_type);
    }
    match &step.auth {
        Auth::None => {}
        Auth::Scheme { scheme, secret } => {
            headers.set("authorization", format!("{scheme} {}", get(secrets, secret)?))
        }
        Auth::StandardWebhook { secret, id } => {
            let at = now.div_euclid(1_000);
            let signature = sign::sign_webhook(get(secrets, secret)?, id, at, &body);
            headers.set("webhook-id", id.clone());
            headers.set("webhook-timestamp", at.to_string());
            headers.set("webhook-signature", signature.ok_or_else(|| NotSetUp::Malformed(secret.clone()))?);
        }
    }
    Ok(Request::new(&step.method, &url, headers, body))
}

fn get<'a>(secrets: &'a Secrets, name: &str) -> Result<&'a str, NotSetUp> {
    secrets.get(name).ok_or_else(|| NotSetUp::Secret(name.to_owned()))
}

/// A path with its `{name}`s filled in. Values from payloads hold no braces: rooms encode them.
fn fill(path: &str, secrets: &Secrets, answer: &str) -> Result<String, NotSetUp> {
    let mut filled = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        filled.push_str(before);
        match name {
            "answer" => filled
                .push_str(&answer.split('/').map(channel::encode::segment).collect::<Vec<_>>().join("/")),
            name => filled.push_str(get(secrets, name)?),
        }
        rest = after;
    }
    Ok(filled + rest)
}

fn bytes(body: &Body, secrets: &Secrets) -> Result<(Option<&'static str>, Vec<u8>), NotSetUp> {
    let json = Some("application/json; charset=utf-8");
    Ok(match body {
        Body::None => (None, Vec::new()),
        Body::Json(value) => (json, value.to_string().into_bytes()),
        Body::JsonWithSecrets { value, fill } => {
            let mut value = value.clone();
            for (pointer, name) in fill {
                if let Some(place) = value.pointer_mut(pointer) {
                    *place = Value::from(get(secrets, name)?);
                }
            }
            (json, value.to_string().into_bytes())
        }
        Body::Form(fields) => {
            let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
            (Some("application/x-www-form-urlencoded"), form.into_bytes())
        }
    })
}

/// Makes the call. An address from a payload goes through the guard, unless it begins with an address that the
/// operator set.
pub async fn send(egress: &Egress, step: &Step, request: Request, spec: &Spec, settings: &Value) -> Outcome {
    let overridden = settings.get("urls").and_then(Value::as_object);
    let bases = overridden.into_iter().flat_map(|urls| urls.values().filter_map(Value::as_str));
    let trust = match &step.target {
        Target::Base { .. } => Trust::Configured,
        Target::Url(url) => Trust::of(url, bases, spec.hosts),
    };
    let Ok(method) = Method::from_bytes(request.method.as_bytes()) else {
        return Outcome::Refused(format!("{} is no HTTP method", request.method));
    };
    let headers: HeaderMap = request
        .headers
        .iter()
        .filter_map(|(name, value)| {
            Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?))
        })
        .collect();
    let call = Call {
        method,
        url: &request.url,
        headers,
        body: request.body,
        time_out: CALL_TIME_OUT,
        max_bytes: MAX_ANSWER,
        trust,
    };
    match egress.send(call).await {
        Ok(answer) => Outcome::Answered(Response {
            status: answer.status,
            headers: answer
                .headers
                .iter()
                .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
                .collect(),
            body: answer.body,
        }),
        Err(egress::Error::NotSent(why)) => Outcome::NotSent(why),
        Err(egress::Error::InDoubt(_)) => Outcome::Unsure,
        Err(egress::Error::Unread { status, .. }) => Outcome::Unread(status),
        Err(error @ (egress::Error::Refused(_) | egress::Error::NotSetUp(_))) => {
            Outcome::Refused(error.to_string())
        }
    }
}

/// What the outcome of a step means, in the room's judgement where there is an answer. `None` = unsure.
pub fn settle(room: &dyn channel::Channel, step: &Step, outcome: Outcome) -> Option<Settled> {
    let settled = match outcome {
        Outcome::Answered(response) => answered(room, step, &response),
        Outcome::Unread(status) => match answered(room, step, &Response::empty(status)) {
            // What was asked for did not come.
            Some(Settled::Fetched(_) | Settled::Person(_)) => None,
            settled => settled,
        },
        Outcome::NotSent(_) => Some(Settled::Later(None)),
        Outcome::Unsure => None,
        Outcome::Refused(why) => Some(Settled::Broken(why)),
    };
    let done = matches!(settled, Some(Settled::Posted(_) | Settled::Fetched(_) | Settled::Person(_)));
    if step.optional && !done { Some(Settled::Posted(None)) } else { settled }
}

fn answered(room: &dyn channel::Channel, step: &Step, response: &Response) -> Option<Settled> {
    if (300..400).contains(&response.status) {
        let why =
            "redirects are not followed; where the platform's address has moved, set channels.<channel>.urls";
        return Some(Settled::Broken(format!("HTTP {}: {why}", response.status)));
    }
    match room.settle(step, response) {
        // A success in words that cannot be read is no refusal: it may be posted.
        Settled::Broken(_)
            if response.is_success() && step.method != "GET" && response.body_json().is_null() =>
        {
            None
        }
        settled => Some(settled),
    }
}

#[cfg(test)]
mod tests {
    use channel::Target;
    use serde_json::json;

    use super::*;

    fn secrets() -> Secrets {
        [("bot_token".to_owned(), "123:ABC".to_owned())].into_iter().collect()
    }

    fn check(step: &Step, settings: Value) -> Result<Request, NotSetUp> {
        request(step, telegram_spec(), &settings, &secrets(), 1_000_000)
    }

    fn telegram_spec() -> &'static Spec {
        crate::channels::named("telegram").unwrap().spec()
    }

    #[test]
    fn secrets_are_filled_in_last_and_only_where_a_room_put_them() {
        let text = "what is {bot_token}?";
        let chat = channel::encode::segment("{bot_token}");
        let step = Step::json("api", format!("/bot{{bot_token}}/x/{chat}"), json!({"text": text}));
        let made = check(&step, json!({"urls": {"api": "http://127.0.0.1:1/telegram/api/"}})).unwrap();
        assert_eq!(made.url, "http://127.0.0.1:1/telegram/api/bot123:ABC/x/%7Bbot_token%7D");
        assert_eq!(String::from_utf8(made.body).unwrap(), format!("{{\"text\":\"{text}\"}}"));
        assert!(!serde_json::to_string(&step).unwrap().contains("123:ABC"));
    }

    #[test]
    fn what_is_missing_is_named() {
        let step = Step::json("api", "/bot{bot}/x", json!({}));
        assert_eq!(check(&step, json!({})), Err(NotSetUp::Secret("bot".into())));
        let step = Step::json("nowhere", "/x", json!({}));
        assert_eq!(check(&step, json!({})), Err(NotSetUp::Address("nowhere".into())));
        let step = Step::json("api", "", json!({})).auth(Auth::bearer("bot_token"));
        assert_eq!(check(&step, json!({})).unwrap().headers.get("authorization"), Some("Bearer 123:ABC"));
    }

    #[test]
    fn a_step_may_name_the_answer_before_it() {
        let target = Target::Base { base: "api".into(), path: "/file/bot{bot_token}/{answer}".into() };
        let step = Step::new("GET", target, Body::None);
        let made =
            request_after("photos/a {bot_token}.jpg", &step, telegram_spec(), &json!({}), &secrets(), 0)
                .unwrap();
        assert!(made.url.ends_with("/file/bot123:ABC/photos/a%20%7Bbot_token%7D.jpg"), "{}", made.url);
    }

    #[test]
    fn an_answer_that_cannot_be_read_is_judged_by_its_status() {
        let check = |channel: &str, path: &str, outcome: Outcome, expected: Option<Settled>| {
            let step = Step::json("api", path, json!({}));
            let settled = settle(crate::channels::named(channel).unwrap(), &step, outcome);
            assert_eq!(settled, expected, "{channel} {path}");
        };
        let cut = || Outcome::Answered(Response::text(200, r#"{"ok":tr"#));
        check("telegram", "/bot/sendMessage", cut(), Some(Settled::Posted(None)));
        check("telegram", "/bot/sendMessage", Outcome::Unread(200), Some(Settled::Posted(None)));
        check("telegram", "/bot/sendMessage", Outcome::Unread(500), Some(Settled::Later(None)));
        check("telegram", "/file/bot/x", Outcome::Unread(200), None);
        // Slack says no with a 200, so a 200 alone says nothing.
        check("slack", "/chat.postMessage", cut(), None);
        check("slack", "/chat.postMessage", Outcome::Unread(200), None);
        check("slack", "/chat.postMessage", Outcome::Unread(429), Some(Settled::Later(None)));
        check("discord", "/webhooks/1/t", cut(), Some(Settled::Posted(None)));
        check("webhook", "", Outcome::Unread(202), Some(Settled::Posted(None)));
        let refused = Outcome::Answered(Response::json(200, &json!({"ok": false, "error": "is_archived"})));
        check("slack", "/chat.postMessage", refused, Some(Settled::Broken("is_archived".into())));
        for channel in ["telegram", "slack", "discord", "webhook"] {
            let step = Step::json("api", "/x", json!({}));
            let moved = settle(crate::channels::named(channel).unwrap(), &step, Outcome::Unread(302));
            assert!(
                matches!(moved, Some(Settled::Broken(why)) if why.starts_with("HTTP 302: redirects are not"))
            );
        }
    }

    #[test]
    fn registration_bodies_may_hold_secrets() {
        let body = Body::JsonWithSecrets {
            value: json!({"secret_token": null, "url": "u"}),
            fill: vec![("/secret_token".into(), "bot_token".into())],
        };
        let step = Step::new("POST", Target::Base { base: "api".into(), path: "/set".into() }, body);
        let made = check(&step, json!({})).unwrap();
        assert_eq!(
            serde_json::from_slice::<Value>(&made.body).unwrap(),
            json!({"secret_token": "123:ABC", "url": "u"})
        );
    }
}
