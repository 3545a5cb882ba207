//! Twilio's own part, for the local run and the tests. People write text messages.

use channel::local::{Answer, Event, Local, Look, Markup, Message, Said, at, number};
use channel::{Headers, Request, Response, Secrets, encode, sign, text};
use serde_json::{Value, json};

use crate::Twilio;
use crate::spec::{AUTH_TOKEN, SPEC};
use crate::verify::{SIGNATURE, expected, fields};

/// The number that is written to.
const OWN: &str = "+14155238886";

impl Local for Twilio {
    fn event(&self, message: &Message<'_>) -> Event {
        let from = format!("+1{:012}", number(message.user));
        let id = sign::sha256_hex(message.id.as_bytes());
        let id = format!("SM{}", id.get(..32).unwrap_or(""));
        let body = encode::to_form(&[
            ("MessageSid", &id),
            ("SmsMessageSid", &id),
            ("AccountSid", "AC00000000000000000000000000000001"),
            ("From", &from),
            ("To", OWN),
            ("Body", message.text),
            ("NumMedia", "0"),
            ("SmsStatus", "received"),
        ]);
        let headers: Headers = [("content-type", "application/x-www-form-urlencoded")].into_iter().collect();
        let request = Request::new("POST", message.url, headers, body);
        Event { request: self.sign(request, message.secrets, message.now), reply_key: from }
    }

    fn sign(&self, mut request: Request, secrets: &Secrets, _now: i64) -> Request {
        let token = secrets.get(AUTH_TOKEN).and_then(|tokens| tokens.split_whitespace().next()).unwrap_or("");
        let signature = expected(token, &request.url, &fields(&request));
        request.headers.set(SIGNATURE, signature);
        request
    }

    fn answer(&self, request: &Request) -> Answer {
        if !request.headers.get("authorization").is_some_and(|proof| proof.starts_with("Basic ")) {
            return quiet(401, json!({"code": 20_003, "message": "Authenticate", "status": 401}));
        }
        if !request.path.ends_with("/Messages.json") {
            return quiet(201, json!({"success": true}));
        }
        let fields = encode::form(&request.body);
        let field = |name: &str| fields.iter().find(|(have, _)| have == name).map(|(_, value)| value.clone());
        let variables = field("ContentVariables").and_then(|json| serde_json::from_str::<Value>(&json).ok());
        let variable = variables.and_then(|all| all.get("1").and_then(Value::as_str).map(str::to_owned));
        let shown = field("Body").or(variable).or(field("MediaUrl").map(|url| format!("[file: {url}]")));
        let sender = field("From").or(field("MessagingServiceSid"));
        match (field("To"), shown, sender) {
            (Some(to), Some(text), Some(_)) if !text.trim().is_empty() && text::fits(&text, SPEC.text) => {
                Answer {
                    response: Response::json(
                        201,
                        &json!({"sid": format!("SM{}", number(&text)), "status": "queued"}),
                    ),
                    said: vec![Said { reply_key: to, text }],
                }
            }
            _ => quiet(400, json!({"code": 21_602, "message": "Message body is required.", "status": 400})),
        }
    }

    fn look(&self, call: &Request, response: &Response) -> Look {
        if call.path.ends_with("/Typing.json") {
            return Look::writing(None);
        }
        let fields = encode::form(&call.body);
        let field = |name: &str| fields.iter().find(|(have, _)| have == name).map(|(_, value)| value.clone());
        let place = field("To");
        let whatsapp = place.as_ref().is_some_and(|to| to.starts_with("whatsapp:"));
        let markup = if whatsapp { Markup::Starred } else { Markup::Plain };
        Look { place, id: at(&response.body_json(), "/sid"), ..Look::message(field("Body"), markup) }
    }
}

fn quiet(status: u16, body: Value) -> Answer {
    Answer { response: Response::json(status, &body), said: Vec::new() }
}
