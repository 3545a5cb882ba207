//! Meta's own part, for the local run and the tests.

use serde_json::{Value, json};

use super::messaging::Messaging;
use super::{APP_SECRET, SIGNATURE, signature};
use crate::local::{Answer, Event, Look, Markup, Message, Said, at, buttons, number};
use crate::{Headers, Request, Response, Secrets, sign, text};

/// Signs with the app secret.
pub fn signed(mut request: Request, secrets: &Secrets) -> Request {
    let signature = signature(secrets.get(APP_SECRET).unwrap_or(""), &request.body);
    request.headers.set(SIGNATURE, signature);
    request
}

/// A signed POST of JSON as Meta writes it: everything beyond ASCII, and `/`, as an escape.
pub fn posted(url: &str, body: &Value, secrets: &Secrets) -> Request {
    let mut written = String::new();
    for c in body.to_string().chars() {
        match c {
            '/' => written.push_str("\\/"),
            c if c.is_ascii() => written.push(c),
            c => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| written += &format!("\\u{unit:04x}")),
        }
    }
    let headers: Headers = [("content-type", "application/json")].into_iter().collect();
    signed(Request::new("POST", url, headers, written), secrets)
}

/// The Graph API's refusal.
pub fn refused(status: u16, code: u64, words: &str) -> Answer {
    let error = json!({"message": format!("(#{code}) {words}"), "type": "OAuthException", "code": code});
    quiet(Response::json(status, &json!({"error": error})))
}

/// An answer by which nothing appears.
pub fn quiet(response: Response) -> Answer {
    Answer { response, said: Vec::new() }
}

/// A short id for what a request made.
pub fn id_of(request: &Request) -> String {
    sign::sha256_hex(&request.body).chars().take(20).collect()
}

/// Whether the call proves who makes it.
pub fn is_proven(request: &Request) -> bool {
    request.headers.get("authorization").is_some_and(|proof| proof.starts_with("Bearer "))
        || request.query("access_token").is_some()
}

impl Messaging {
    /// Somebody writes.
    pub fn event(&self, message: &Message<'_>) -> Event {
        let user = number(message.user).to_string();
        let body = json!({"object": self.object, "entry": [{"id": "17841400000000000", "time": message.now, "messaging": [{
            "sender": {"id": user}, "recipient": {"id": "17841400000000000"}, "timestamp": message.now,
            "message": {"mid": format!("m_{}", sign::base64url(message.id.as_bytes())), "text": message.text},
        }]}]});
        Event { request: posted(message.url, &body, message.secrets), reply_key: user }
    }

    /// The Send API.
    pub fn answer(&self, request: &Request) -> Answer {
        if !is_proven(request) {
            return refused(400, 190, "Invalid OAuth access token.");
        }
        if !request.path.ends_with("/me/messages") {
            return quiet(Response::json(200, &json!({"success": true})));
        }
        let body: Value = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
        let Some(to) = body.pointer("/recipient/id").and_then(Value::as_str) else {
            return refused(400, 100, "No recipient");
        };
        if body.get("sender_action").is_some() {
            return quiet(Response::json(200, &json!({"recipient_id": to})));
        }
        let Some(text) = self.shown(&body) else {
            return refused(400, 100, "Invalid parameter: message");
        };
        let id = format!("m_{}", id_of(request));
        let response = Response::json(200, &json!({"recipient_id": to, "message_id": id}));
        Answer { response, said: vec![Said { reply_key: to.to_owned(), text }] }
    }

    /// How a call of the Send API looks.
    pub fn look(&self, call: &Request, response: &Response) -> Look {
        let body: Value = serde_json::from_slice(&call.body).unwrap_or(Value::Null);
        let place = at(&body, "/recipient/id");
        if body.get("sender_action").is_some() {
            return Look::writing(place);
        }
        let id = at(&response.body_json(), "/message_id");
        let buttons = buttons(&body, "/message/quick_replies", "/title", "/payload");
        Look { place, id, buttons, ..Look::message(self.shown(&body), Markup::Plain) }
    }

    /// Somebody presses a button.
    pub fn press(&self, message: &Message<'_>) -> Event {
        let said = self.event(message);
        let mut body: Value = serde_json::from_slice(&said.request.body).unwrap_or(Value::Null);
        let written = body.pointer_mut("/entry/0/messaging/0/message").and_then(Value::as_object_mut);
        if let Some(fields) = written {
            fields.insert("quick_reply".to_owned(), json!({"payload": message.text}));
        }
        Event { request: posted(message.url, &body, message.secrets), ..said }
    }

    fn shown(&self, body: &Value) -> Option<String> {
        let replies = body.pointer("/message/quick_replies").and_then(Value::as_array);
        let titles = replies.into_iter().flatten().map(|reply| reply.get("title").and_then(Value::as_str));
        if replies.is_some_and(|all| all.len() > 13)
            || titles.into_iter().any(|title| title.is_none_or(|title| title.chars().count() > 20))
        {
            return None;
        }
        let words = body.pointer("/message/text").and_then(Value::as_str);
        let file = body.pointer("/message/attachment/payload/url").and_then(Value::as_str);
        match (words, file) {
            (Some(words), None) => Some(words.to_owned())
                .filter(|words| !words.trim().is_empty() && text::fits(words, self.text)),
            (None, Some(url)) => Some(format!("[file: {url}]")),
            _ => None,
        }
    }
}
