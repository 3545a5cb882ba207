//! The homeserver's own part, for the local run and the tests.

use channel::local::{Answer, Event, Local, Look, Markup, Message, Said, at, number};
use channel::{Headers, Request, Response, Secrets, encode, sign, text};
use serde_json::{Value, json};

use crate::Matrix;
use crate::render::UPLOAD;
use crate::spec::{HS_TOKEN, SPEC, USER_ID};

/// Bytes of an event: <https://spec.matrix.org/latest/client-server-api/#size-limits>; some are the homeserver's own.
const MAX_EVENT: usize = 64_000;

impl Local for Matrix {
    fn event(&self, message: &Message<'_>) -> Event {
        let us = message.secrets.get(USER_ID).unwrap_or("");
        let (room, path, content) = match message.conversation {
            None => {
                let content = json!({"msgtype": "m.text", "body": message.text, "m.mentions": {}});
                (room("direct", message.user), "direct/", content)
            }
            Some(name) => {
                let content = json!({
                    "msgtype": "m.text", "body": format!("{us}: {}", message.text), "m.mentions": {"user_ids": [us]},
                });
                (room("room", name), "", content)
            }
        };
        let event = json!({
            "type": "m.room.message", "event_id": format!("$e{}", number(message.id)), "room_id": room,
            "sender": format!("@u{}:local", number(message.user)), "origin_server_ts": message.now,
            "content": content, "unsigned": {"age": 5},
        });
        // The registration's address names the account, so that what is below it is not taken for one.
        let account = if message.account == "main" { "main/" } else { "" };
        let url = format!(
            "{}/{account}{path}_matrix/app/v1/transactions/{}",
            message.url.trim_end_matches('/'),
            number(message.id)
        );
        let headers: Headers = [("content-type", "application/json")].into_iter().collect();
        let request = Request::new("PUT", &url, headers, json!({"events": [event]}).to_string());
        Event { request: self.sign(request, message.secrets, message.now), reply_key: room }
    }

    fn sign(&self, mut request: Request, secrets: &Secrets, _now: i64) -> Request {
        request.headers.set("authorization", format!("Bearer {}", secrets.get(HS_TOKEN).unwrap_or("")));
        request
    }

    fn known_by(&self, request: &Request) -> Option<String> {
        // It ends in our key.
        request.path.contains("/send/").then(|| request.path.clone())
    }

    fn edits(&self, request: &Request) -> Option<String> {
        let body: Value = serde_json::from_slice(&request.body).ok()?;
        body.get("m.new_content")?;
        body.pointer("/m.relates_to/event_id").and_then(Value::as_str).map(str::to_owned)
    }

    fn answer(&self, request: &Request) -> Answer {
        if !request.headers.get("authorization").is_some_and(|proof| proof.starts_with("Bearer ")) {
            return quiet(401, json!({"errcode": "M_MISSING_TOKEN"}));
        }
        if request.method == "POST" && request.path == format!("/api{UPLOAD}") {
            return uploaded(request);
        }
        let path = request.path.strip_prefix("/api/_matrix/client/").unwrap_or("");
        let segments: Vec<&str> = path.split('/').collect();
        let body: Value = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
        match (request.method.as_str(), segments.as_slice()) {
            ("PUT", ["v3", "rooms", room, "send", "m.room.message", key]) => {
                sent(&encode::decode(room), key, &body, request.body.len())
            }
            ("PUT", ["v3", "rooms", _, "typing", _]) => quiet(200, json!({})),
            ("POST", ["v3", "join", room]) => quiet(200, json!({"room_id": encode::decode(room)})),
            ("GET", ["v1", "media", "download" | "thumbnail", _, _]) => {
                Answer { response: Response::text(200, "a file"), said: Vec::new() }
            }
            ("GET", ["v3", "account", "whoami"]) => quiet(200, json!({"user_id": "@assistant:local"})),
            _ => quiet(404, json!({"errcode": "M_UNRECOGNIZED"})),
        }
    }

    fn look(&self, call: &Request, response: &Response) -> Look {
        let segments: Vec<&str> =
            call.path.trim_start_matches("/api/_matrix/client/v3/rooms/").split('/').collect();
        let sent: Value = serde_json::from_slice(&call.body).unwrap_or(Value::Null);
        let place = segments.first().map(|room| encode::decode(room));
        match segments.get(1) {
            Some(&"typing") => Look::writing(place),
            Some(&"send") => {
                let content = sent.get("m.new_content").unwrap_or(&sent);
                let html = at(content, "/formatted_body");
                let markup = if html.is_some() { Markup::Html } else { Markup::Plain };
                let replaces = sent.get("m.new_content").and_then(|_| at(&sent, "/m.relates_to/event_id"));
                let id = at(&response.body_json(), "/event_id");
                // What is seen of a file is what the answer says of it.
                let text = html.or(at(content, "/body")).filter(|_| content.get("url").is_none());
                Look { place, id, replaces, ..Look::message(text, markup) }
            }
            _ => Look::default(),
        }
    }
}

fn sent(room: &str, key: &str, content: &Value, bytes: usize) -> Answer {
    let edit = content.pointer("/m.new_content/body");
    let text = edit.or(content.get("body")).and_then(Value::as_str).unwrap_or("");
    let shown = match file(content) {
        Ok(None) => text.to_owned(),
        Ok(Some(file)) => format!("{text}\n{file}"),
        Err(why) => return quiet(400, json!({"errcode": "M_BAD_JSON", "error": why})),
    };
    if bytes > MAX_EVENT || !text::fits(text, SPEC.text) {
        return quiet(413, json!({"errcode": "M_TOO_LARGE"}));
    }
    if text.trim().is_empty() {
        return quiet(400, json!({"errcode": "M_BAD_JSON"}));
    }
    // The same transaction again is answered with the event that there is.
    let id = format!("$p{}", number(&sign::sha256_hex(key.as_bytes())));
    Answer {
        response: Response::json(200, &json!({"event_id": id})),
        said: vec![Said { reply_key: room.to_owned(), text: shown }],
    }
}

/// A file by its address here: what people see of it beside its words.
fn file(content: &Value) -> Result<Option<String>, &'static str> {
    let text = |at: &str| content.pointer(at).and_then(Value::as_str);
    match text("/msgtype") {
        Some("m.text") => Ok(None),
        Some("m.image" | "m.file" | "m.audio" | "m.video") => match (text("/url"), text("/filename")) {
            (Some(url), Some(name)) if url.starts_with("mxc://") => Ok(Some(format!("[{name}: {url}]"))),
            _ => Err("a file without its address"),
        },
        _ => Err("no kind of message"),
    }
}

/// Its address is made of what it is.
fn uploaded(request: &Request) -> Answer {
    let named = encode::form(request.query.as_bytes()).into_iter().any(|(name, _)| name == "filename");
    if !named || request.headers.get("content-type").is_none() {
        return quiet(400, json!({"errcode": "M_BAD_JSON", "error": "a file has a name and a media type"}));
    }
    let id = number(&sign::sha256_hex(&request.body));
    quiet(200, json!({"content_uri": format!("mxc://local/{id}")}))
}

fn quiet(status: u16, body: Value) -> Answer {
    Answer { response: Response::json(status, &body), said: Vec::new() }
}

fn room(kind: &str, name: &str) -> String {
    format!("!{kind}{}:local", number(name))
}
