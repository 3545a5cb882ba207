//! The browser's part and the table's, for the local run and the tests. What is put into the table goes on into the real one.

use channel::local::{Answer, Event, Local, Look, Markup, Message, Said, at, buttons};
use channel::{Headers, Request, Response, Secrets, sign, text};
use serde_json::{Value, json};

use crate::session::{self, Session};
use crate::spec::{API_KEY, SESSION_KEY, SPEC};
use crate::{Route, Web, cors, outbox};

/// The page that the local run writes from.
const ORIGIN: &str = "https://site.example";

impl Local for Web {
    fn event(&self, message: &Message<'_>) -> Event {
        let session = conversation(message.user);
        let body = json!({"id": message.id, "text": message.text});
        let account = if message.account == "main" { "main/" } else { "" };
        let url = format!("{}/{account}messages", message.url.trim_end_matches('/'));
        let headers: Headers =
            [("content-type", "application/json"), ("origin", ORIGIN)].into_iter().collect();
        let request = Request::new("POST", &url, headers, body.to_string());
        let proof = token(message.user, ORIGIN, message.secrets, message.now);
        Event { request: with_proof(request, &proof), reply_key: session }
    }

    /// Of somebody who is signed in on the site; of a program, where it comes to `/v1`.
    fn sign(&self, mut request: Request, secrets: &Secrets, now: i64) -> Request {
        if Route::of(&request).is_of_programs() {
            let key = secrets.get(API_KEY).unwrap_or("").split_whitespace().next().unwrap_or("");
            return with_proof(request, key);
        }
        let origin = cors::origin(&request).unwrap_or(ORIGIN).to_owned();
        request.headers.set("origin", origin.clone());
        let proof = token("replayed", &origin, secrets, now);
        with_proof(request, &proof)
    }

    /// The item's key: the table refuses it the second time.
    fn known_by(&self, request: &Request) -> Option<String> {
        let body: Value = serde_json::from_slice(&request.body).ok()?;
        let field = |name: &str| body.pointer(&format!("/Item/{name}/S")).and_then(Value::as_str);
        let (place, key) = (field("pk")?, field("sk").filter(|key| *key != outbox::SIGN)?);
        Some(format!("{place} {key}"))
    }

    fn is_passed_on(&self, _request: &Request) -> bool {
        true
    }

    fn look(&self, call: &Request, _response: &Response) -> Look {
        let put: Value = serde_json::from_slice(&call.body).unwrap_or(Value::Null);
        let field = |name: &str| at(&put, &format!("/Item/{name}/S"));
        let place = field("pk").and_then(|pk| outbox::session(&pk).map(str::to_owned));
        let (key, text) = (field("sk").unwrap_or_default(), field("text"));
        if key == outbox::SIGN {
            return Look::draft(place, text.filter(|text| !text.is_empty()), Markup::Markdown);
        }
        let choices =
            field("choices").and_then(|text| serde_json::from_str(&text).ok()).unwrap_or(Value::Null);
        let markup =
            if field("format").as_deref() == Some("text") { Markup::Plain } else { Markup::Markdown };
        let buttons = buttons(&json!({"all": choices}), "/all", "/label", "/says");
        Look { place, id: Some(key), buttons, ..Look::message(text, markup) }
    }

    fn answer(&self, request: &Request) -> Answer {
        let signed =
            request.headers.get("authorization").is_some_and(|proof| proof.starts_with("AWS4-HMAC-SHA256 "));
        if !signed {
            return refused("MissingAuthenticationTokenException");
        }
        if request.headers.get("x-amz-target") != Some("DynamoDB_20120810.PutItem") {
            return refused("UnknownOperationException");
        }
        let body: Value = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
        let field = |name: &str| body.pointer(&format!("/Item/{name}/S")).and_then(Value::as_str);
        let (Some(session), Some(key)) = (field("pk").and_then(outbox::session), field("sk")) else {
            return refused("ValidationException");
        };
        if key == outbox::SIGN {
            return Answer { response: Response::json(200, &json!({})), said: Vec::new() };
        }
        let said = field("text").filter(|said| !said.trim().is_empty() && text::fits(said, SPEC.text));
        let Some(said) = said.filter(|_| key.starts_with(outbox::FIRST)) else {
            return refused("ValidationException");
        };
        let said = Said { reply_key: session.to_owned(), text: said.to_owned() };
        Answer { response: Response::json(200, &json!({})), said: vec![said] }
    }
}

fn refused(kind: &str) -> Answer {
    let body = json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{kind}")});
    Answer { response: Response::json(400, &body), said: Vec::new() }
}

/// The conversation of a person by that name.
fn conversation(user: &str) -> String {
    sign::sha256_hex(user.as_bytes()).chars().take(32).collect()
}

fn token(user: &str, origin: &str, secrets: &Secrets, now: i64) -> String {
    let session = Session {
        id: conversation(user),
        user: user.to_owned(),
        name: user.to_owned(),
        known: true,
        origin: origin.to_owned(),
        until: now + session::LIFE_MS,
    };
    session::mint(secrets.get(SESSION_KEY).unwrap_or(""), &session)
}

fn with_proof(mut request: Request, proof: &str) -> Request {
    request.headers.set("authorization", format!("Bearer {proof}"));
    request
}
