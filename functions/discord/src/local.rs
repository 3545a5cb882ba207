//! Discord's own part, for the local run and the tests.

use channel::local::{Answer, Button, Event, Local, Look, Markup, Message, Said, at, buttons, number};
use channel::{Argument, Headers, Request, Response, Secrets, sign};
use serde_json::{Value, json};

use crate::Discord;
use crate::commands::{ASK, PROMPT, REPLY};
use crate::verify::{SIGNATURE, TIMESTAMP};

const APPLICATION: &str = "1234560123453231555";
const GUILD: &str = "290926798626357999";

/// Beside the public key: what signs in Discord's place.
const SEED: &str = "public_key_seed";

impl Local for Discord {
    fn event(&self, message: &Message<'_>) -> Event {
        let data = match command(message.text) {
            Some((name, options)) => json!({ "id": "1", "type": 1, "name": name, "options": options }),
            None => json!({
                "id": "2", "type": 1, "name": ASK,
                "options": [{ "name": PROMPT, "type": 3, "value": message.text }],
            }),
        };
        let token = format!("token{}", number(message.id));
        let user = json!({
            "id": number(message.user).to_string(), "username": message.user, "global_name": message.user,
        });
        let mut body = json!({
            "id": number(message.id).to_string(), "application_id": APPLICATION, "type": 2, "version": 1,
            "token": token, "data": data, "locale": "en-GB", "entitlements": [],
        });
        let place = match message.conversation {
            None => json!({
                "context": 1, "user": user, "channel_id": private_chat(&number(message.user).to_string()),
                "authorizing_integration_owners": { "0": "0" },
            }),
            Some(name) => json!({
                "context": 0, "member": { "user": user, "roles": [] }, "channel_id": number(name).to_string(),
                "guild_id": GUILD, "authorizing_integration_owners": { "0": GUILD },
            }),
        };
        if let (Value::Object(body), Value::Object(place)) = (&mut body, place) {
            body.extend(place);
        }
        let headers: Headers = [("content-type", "application/json")].into_iter().collect();
        let request = Request::new("POST", message.url, headers, body.to_string());
        Event { request: self.sign(request, message.secrets, message.now), reply_key: token }
    }

    fn sign(&self, mut request: Request, secrets: &Secrets, now: i64) -> Request {
        let timestamp = now.div_euclid(1_000).to_string();
        let seed = secrets.get(SEED).and_then(sign::from_hex).unwrap_or_default();
        let message = [timestamp.as_bytes(), request.body.as_slice()].concat();
        let signature = sign::ed25519_sign(&seed, &message).unwrap_or_default();
        request.headers.set(TIMESTAMP, timestamp);
        request.headers.set(SIGNATURE, sign::hex(&signature));
        request
    }

    fn known_by(&self, request: &Request) -> Option<String> {
        let body: Value = serde_json::from_slice(&request.body).ok()?;
        // An edit is none the second time, either.
        if request.method == "PATCH" {
            return Some(request.path.clone() + body.get("content").and_then(Value::as_str).unwrap_or(""));
        }
        let nonce = body.get("nonce").and_then(Value::as_str)?;
        body.get("enforce_nonce").and_then(Value::as_bool)?.then(|| nonce.to_owned())
    }

    fn edits(&self, request: &Request) -> Option<String> {
        request.path.ends_with("/messages/@original").then(|| request.path.clone())
    }

    fn answer(&self, request: &Request) -> Answer {
        let path: Vec<&str> = request.path.trim_matches('/').split('/').collect();
        let body: Value = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
        let text = body.get("content").and_then(Value::as_str);
        match (request.method.as_str(), path.as_slice()) {
            ("DELETE", _) => Answer { response: Response::empty(204), said: Vec::new() },
            (_, ["api", "webhooks", _, token, ..]) => posted(token, text, request),
            (_, ["api", "channels", channel, "messages"]) => posted(channel, text, request),
            ("POST", ["api", "users", "@me", "channels"]) => {
                let person = at(&body, "/recipient_id").unwrap_or_default();
                let opened = json!({ "id": private_chat(&person), "type": 1 });
                Answer { response: Response::json(200, &opened), said: Vec::new() }
            }
            // Registering: Discord gives back what it was given.
            _ => Answer { response: Response::json(200, &body), said: Vec::new() },
        }
    }

    fn look(&self, call: &Request, response: &Response) -> Look {
        let path: Vec<&str> = call.path.trim_matches('/').split('/').collect();
        let body: Value = serde_json::from_slice(&call.body).unwrap_or(Value::Null);
        let (place, own) = match path.as_slice() {
            ["api", "webhooks", _, token, rest @ ..] => (*token, !rest.is_empty()),
            ["api", "channels", channel, "messages"] => (*channel, false),
            _ => return Look::default(),
        };
        let text = at(&body, "/content");
        // The placeholder and what takes its place are one message, whose id is the interaction's own.
        let id = if own { Some(format!("original of {place}")) } else { at(&response.body_json(), "/id") };
        let replaces = id.clone().filter(|_| own);
        let rows = body.pointer("/components").and_then(Value::as_array);
        let mut found: Vec<Button> = rows
            .into_iter()
            .flatten()
            .flat_map(|row| buttons(row, "/components", "/label", "/custom_id"))
            .collect();
        found.iter_mut().for_each(|button| button.form = button.says == REPLY);
        Look {
            place: Some(place.to_owned()),
            id,
            replaces,
            buttons: found,
            ..Look::message(text, Markup::Markdown)
        }
    }

    /// The button first, which opens the form; then the form.
    fn press(&self, message: &Message<'_>, _under: &str) -> Event {
        let said = self.event(message);
        let mut body: Value = serde_json::from_slice(&said.request.body).unwrap_or(Value::Null);
        let (kind, data) = if message.text.is_empty() {
            (3, json!({ "custom_id": REPLY, "component_type": 2 }))
        } else {
            let field = json!({ "type": 4, "custom_id": PROMPT, "value": message.text });
            (5, json!({ "custom_id": REPLY, "components": [{ "type": 18, "component": field }] }))
        };
        if let Some(fields) = body.as_object_mut() {
            fields.insert("type".to_owned(), json!(kind));
            fields.insert("data".to_owned(), data);
        }
        let request = Request { body: body.to_string().into_bytes(), ..said.request };
        Event { request: self.sign(request, message.secrets, message.now), ..said }
    }

    fn shows_writing(&self, ack: &Response) -> bool {
        ack.body_json().get("type") == Some(&json!(5))
    }
}

/// What is typed as a command, and what Discord makes of what stands behind it.
fn command(text: &str) -> Option<(&str, Value)> {
    let text = text.strip_prefix('/')?;
    let (head, rest) = text.split_once(' ').map_or((text, None), |(head, rest)| (head, Some(rest)));
    let (name, behind) = head.split_once(':').map_or((head, None), |(name, behind)| (name, Some(behind)));
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c);
    let is_name = (1..=32).contains(&name.len()) && name.chars().all(plain);
    let given = [(Argument::BEHIND_COLON, behind), ("text", rest)];
    let options = given
        .into_iter()
        .filter_map(|(name, value)| Some(json!({ "name": name, "type": 3, "value": value? })))
        .collect();
    is_name.then_some((name, options))
}

/// The direct messages with the person of that id.
fn private_chat(person: &str) -> String {
    number(&format!("dm of {person}")).to_string()
}

fn posted(reply_key: &str, text: Option<&str>, request: &Request) -> Answer {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        let body = json!({ "code": 50_006, "message": "Cannot send an empty message" });
        return Answer { response: Response::json(400, &body), said: Vec::new() };
    };
    let id = number(&sign::sha256_hex(&request.body)).to_string();
    let said = Said { reply_key: reply_key.to_owned(), text: text.to_owned() };
    Answer { response: Response::json(200, &json!({ "id": id, "content": text })), said: vec![said] }
}
