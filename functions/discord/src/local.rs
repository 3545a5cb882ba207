//! Discord's own part, for the local run and the tests.

use std::collections::HashSet;

use channel::local::{
    Answer, Button, Event, Local, Look, Markup, Message, Said, at, buttons, fields, number,
};
use channel::{Argument, Headers, Request, Response, Secrets, sign, text};
use serde_json::{Value, json};

use crate::Discord;
use crate::buttons::{pressed, said};
use crate::commands::{ASK, PROMPT, REPLY};
use crate::spec::SPEC;
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
        let body = payload(request);
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
        match (request.method.as_str(), path.as_slice()) {
            ("DELETE", _) => Answer { response: Response::empty(204), said: Vec::new() },
            (_, ["api", "webhooks", _, token, ..]) => posted(token, request),
            (_, ["api", "channels", channel, "messages"]) => posted(channel, request),
            ("POST", ["api", "users", "@me", "channels"]) => {
                let person = at(&payload(request), "/recipient_id").unwrap_or_default();
                let opened = json!({ "id": private_chat(&person), "type": 1 });
                Answer { response: Response::json(200, &opened), said: Vec::new() }
            }
            // Registering: Discord gives back what it was given.
            _ => Answer { response: Response::json(200, &payload(request)), said: Vec::new() },
        }
    }

    fn look(&self, call: &Request, response: &Response) -> Look {
        let path: Vec<&str> = call.path.trim_matches('/').split('/').collect();
        let body = payload(call);
        let (place, own) = match path.as_slice() {
            ["api", "webhooks", _, token, rest @ ..] => (*token, !rest.is_empty()),
            ["api", "channels", channel, "messages"] => (*channel, false),
            _ => return Look::default(),
        };
        // What is seen of a file is what the answer says of it.
        let text = at(&body, "/content").filter(|_| body.get("attachments").is_none());
        // The placeholder and what takes its place are one message, whose id is the interaction's own.
        let id = if own { Some(format!("original of {place}")) } else { at(&response.body_json(), "/id") };
        let replaces = id.clone().filter(|_| own);
        let rows = body.pointer("/components").and_then(Value::as_array);
        let mut found: Vec<Button> = rows
            .into_iter()
            .flatten()
            .flat_map(|row| buttons(row, "/components", "/label", "/custom_id"))
            .collect();
        for button in &mut found {
            button.form = button.says == REPLY;
            button.says = said(&button.says).unwrap_or(&button.says).to_owned();
        }
        Look {
            place: Some(place.to_owned()),
            id,
            replaces,
            buttons: found,
            ..Look::message(text, Markup::Markdown)
        }
    }

    /// The button of the form says nothing by itself.
    fn press(&self, message: &Message<'_>, _under: &str) -> Event {
        let id = if message.text.is_empty() { REPLY.to_owned() } else { pressed(message.text) };
        self.interaction(message, 3, json!({ "custom_id": id, "component_type": 2 }))
    }

    fn fill(&self, message: &Message<'_>, _under: &str) -> Event {
        let field = json!({ "type": 4, "custom_id": PROMPT, "value": message.text });
        let field = json!({ "type": 18, "component": field });
        self.interaction(message, 5, json!({ "custom_id": REPLY, "components": [field] }))
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

impl Discord {
    /// The message's event as an interaction of another kind.
    fn interaction(&self, message: &Message<'_>, kind: u8, data: Value) -> Event {
        let asked = self.event(message);
        let mut body = payload(&asked.request);
        if let Some(fields) = body.as_object_mut() {
            fields.insert("type".to_owned(), json!(kind));
            fields.insert("data".to_owned(), data);
        }
        let request = Request { body: body.to_string().into_bytes(), ..asked.request };
        Event { request: self.sign(request, message.secrets, message.now), ..asked }
    }
}

/// The JSON of a call, which stands in a field of its own where files come along.
fn payload(request: &Request) -> Value {
    let fields = fields(request);
    let field =
        fields.iter().find(|field| field.name == "payload_json").map(|field| field.content.as_slice());
    serde_json::from_slice(field.unwrap_or(&request.body)).unwrap_or(Value::Null)
}

fn posted(reply_key: &str, request: &Request) -> Answer {
    let body = payload(request);
    let refuse = |code: u32, message: &str| {
        let body = json!({ "code": code, "message": message });
        Answer { response: Response::json(400, &body), said: Vec::new() }
    };
    let content = body.get("content").and_then(Value::as_str).unwrap_or("");
    let Some(files) = files(&body, request) else { return refuse(50_035, "Invalid Form Body: attachments") };
    if content.is_empty() && files.is_empty() {
        return refuse(50_006, "Cannot send an empty message");
    }
    if !text::fits(content, SPEC.text) || !are_rows(body.get("components")) {
        return refuse(50_035, "Invalid Form Body");
    }
    let shown = files.iter().fold(content.to_owned(), |shown, name| format!("{shown}\n[file: {name}]"));
    let id = number(&sign::sha256_hex(&request.body)).to_string();
    let said = Said { reply_key: reply_key.to_owned(), text: shown.trim().to_owned() };
    Answer { response: Response::json(200, &json!({ "id": id, "content": content })), said: vec![said] }
}

/// The names of the files; `None` where those that the JSON tells of are not those that come along.
fn files(body: &Value, request: &Request) -> Option<Vec<String>> {
    let told = body.get("attachments").and_then(Value::as_array).cloned().unwrap_or_default();
    let told: Vec<String> = told.iter().filter_map(|file| at(file, "/id")).collect();
    let sent: Vec<(String, String)> =
        fields(request).into_iter().filter_map(|field| Some((field.name, field.file?))).collect();
    let are_told = sent.iter().all(|(name, _)| told.iter().any(|id| *name == format!("files[{id}]")));
    let names: Vec<String> = sent.into_iter().map(|(_, file)| file).collect();
    let are_named = names.iter().all(|name| !name.is_empty());
    (are_told && are_named && told.len() == names.len()).then_some(names)
}

/// At most five rows of at most five buttons, each with a label and an id of its own:
/// <https://docs.discord.com/developers/components/reference#button>.
fn are_rows(rows: Option<&Value>) -> bool {
    let rows = rows.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut ids = HashSet::new();
    rows.len() <= 5
        && rows.iter().all(|row| {
            let buttons =
                row.get("components").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            let mut is_button = |button: &Value| {
                let (label, id) = (at(button, "/label").unwrap_or_default(), at(button, "/custom_id"));
                let id = id.unwrap_or_default();
                let fits =
                    (1..=80).contains(&label.chars().count()) && (1..=100).contains(&id.chars().count());
                fits && ids.insert(id)
            };
            (1..=5).contains(&buttons.len()) && buttons.iter().all(&mut is_button)
        })
}
