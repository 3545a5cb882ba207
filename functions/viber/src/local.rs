//! Viber's own part, for the local run and the tests.

use channel::local::{Answer, Event, Local, Look, Markup, Message, Said, at, buttons, number};
use channel::{Headers, Request, Response, Secrets, sign, text};
use serde_json::{Value, json};

use crate::Viber;
use crate::spec::{AUTH_TOKEN, SPEC};
use crate::verify::{SIGNATURE, expected};

/// <https://developers.viber.com/docs/faq/>
const MAX_CALL: usize = 30_000;

impl Local for Viber {
    fn event(&self, message: &Message<'_>) -> Event {
        let user = id(message.user);
        let body = json!({
            "event": "message", "timestamp": message.now, "chat_hostname": "SN-CHAT-01_",
            "message_token": token(message.id), "silent": false,
            "sender": {"id": user, "name": message.user, "language": "en", "country": "PT", "api_version": 10},
            "message": {"type": "text", "text": message.text},
        });
        let headers: Headers = [("content-type", "application/json")].into_iter().collect();
        let request = Request::new("POST", message.url, headers, body.to_string());
        Event { request: self.sign(request, message.secrets, message.now), reply_key: user }
    }

    fn sign(&self, mut request: Request, secrets: &Secrets, _now: i64) -> Request {
        let signature = expected(secrets.get(AUTH_TOKEN).unwrap_or(""), &request.body);
        request.headers.set(SIGNATURE, signature);
        request
    }

    fn answer(&self, request: &Request) -> Answer {
        if request.headers.get("x-viber-auth-token").is_none_or(str::is_empty) {
            return failed(2, "missing_auth_token");
        }
        let body: Value = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
        let field = |name: &str| body.get(name).and_then(Value::as_str);
        if request.path != "/api/pa/send_message" {
            return Answer {
                response: Response::json(200, &json!({"status": 0, "status_message": "ok"})),
                said: vec![],
            };
        }
        let named = body.pointer("/sender/name").and_then(Value::as_str);
        let named = named.is_some_and(|name| (1..=28).contains(&name.chars().count()));
        let shown = match field("type") {
            Some("text") => field("text").map(str::to_owned),
            Some("picture") => field("media").map(|url| format!("[image: {url}]")),
            _ => None,
        };
        let shown = shown.filter(|text| !text.trim().is_empty() && text::fits(text, SPEC.text));
        match (field("receiver"), shown) {
            (Some(receiver), Some(text)) if named && request.body.len() <= MAX_CALL => {
                let token = token(&sign::sha256_hex(&request.body));
                let body = json!({"status": 0, "status_message": "ok", "message_token": token});
                let said = vec![Said { reply_key: receiver.to_owned(), text }];
                Answer { response: Response::json(200, &body), said }
            }
            _ => failed(3, "badData"),
        }
    }

    fn look(&self, call: &Request, response: &Response) -> Look {
        let body: Value = serde_json::from_slice(&call.body).unwrap_or(Value::Null);
        Look {
            place: at(&body, "/receiver"),
            id: at(&response.body_json(), "/message_token"),
            buttons: buttons(&body, "/keyboard/Buttons", "/Text", "/ActionBody"),
            ..Look::message(at(&body, "/text"), Markup::Starred)
        }
    }
}

/// Viber says in a 200 what went wrong.
fn failed(status: u16, message: &str) -> Answer {
    Answer {
        response: Response::json(200, &json!({"status": status, "status_message": message})),
        said: Vec::new(),
    }
}

/// A message's token: of more bits than a floating-point number holds.
fn token(id: &str) -> u64 {
    5_741_311_803_571_000_000 + number(id)
}

/// A person's id: 16 bytes in base64.
fn id(name: &str) -> String {
    sign::base64(sign::sha256(name.as_bytes()).get(..16).unwrap_or_default())
}
