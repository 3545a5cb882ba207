//! WhatsApp's own part, for the local run and the tests.

use channel::graph::local::{id_of, is_proven, posted, quiet, refused, signed};
use channel::local::{Answer, Event, Local, Look, Markup, Message, Said, at, buttons, number};
use channel::{Request, Response, Secrets, sign, text};
use serde_json::{Value, json};

use crate::WhatsApp;
use crate::spec::SPEC;

/// Our number, by its id and as people see it.
const NUMBER_ID: &str = "106540352242922";
const NUMBER: &str = "15550783881";

impl Local for WhatsApp {
    fn event(&self, message: &Message<'_>) -> Event {
        let (phone, user) = (number(message.user).to_string(), format!("US.{}", number(message.user)));
        let mut written = json!({
            "from": phone, "from_user_id": user, "id": format!("wamid.{}", sign::base64url(message.id.as_bytes())),
            "timestamp": message.now.div_euclid(1_000).to_string(), "type": "text", "text": {"body": message.text},
        });
        let group = message.conversation.map(|name| sign::base64url(name.as_bytes()));
        if let (Some(group), Some(fields)) = (&group, written.as_object_mut()) {
            fields.insert("group_id".to_owned(), json!(group));
            fields.insert("text".to_owned(), json!({"body": format!("@{NUMBER} {}", message.text)}));
        }
        let value = json!({
            "messaging_product": "whatsapp",
            "metadata": {"display_phone_number": NUMBER, "phone_number_id": NUMBER_ID},
            "contacts": [{"profile": {"name": message.user}, "wa_id": phone, "user_id": user}],
            "messages": [written],
        });
        let body = json!({"object": "whatsapp_business_account", "entry": [
            {"id": "102290129340398", "changes": [{"field": "messages", "value": value}]},
        ]});
        Event { request: posted(message.url, &body, message.secrets), reply_key: group.unwrap_or(phone) }
    }

    fn sign(&self, request: Request, secrets: &Secrets, _now: i64) -> Request {
        signed(request, secrets)
    }

    fn answer(&self, request: &Request) -> Answer {
        if !is_proven(request) {
            return refused(401, 190, "Invalid OAuth access token.");
        }
        if !request.path.ends_with("/messages") {
            return quiet(Response::json(200, &json!({"success": true})));
        }
        let body: Value = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
        if body.get("status").is_some() {
            return quiet(Response::json(200, &json!({"success": true})));
        }
        let to = body.get("to").or(body.get("recipient")).and_then(Value::as_str);
        let (Some(to), Some(text)) = (to, shown(&body)) else {
            return refused(400, 100, "Invalid parameter");
        };
        let id = format!("wamid.{}", id_of(request));
        let taken =
            json!({"messaging_product": "whatsapp", "contacts": [{"input": to}], "messages": [{"id": id}]});
        Answer { response: Response::json(200, &taken), said: vec![Said { reply_key: to.to_owned(), text }] }
    }

    fn look(&self, call: &Request, response: &Response) -> Look {
        let body: Value = serde_json::from_slice(&call.body).unwrap_or(Value::Null);
        if body.get("typing_indicator").is_some() {
            return Look::writing(None);
        }
        let mut found = buttons(&body, "/interactive/action/buttons", "/reply/title", "/reply/id");
        found.extend(buttons(&body, "/interactive/action/sections/0/rows", "/title", "/id"));
        let id = at(&response.body_json(), "/messages/0/id");
        Look { id, buttons: found, ..Look::message(shown(&body), Markup::Starred) }
    }

    fn press(&self, message: &Message<'_>, under: &str) -> Event {
        let said = self.event(message);
        let mut body: Value = serde_json::from_slice(&said.request.body).unwrap_or(Value::Null);
        let written = body.pointer_mut("/entry/0/changes/0/value/messages/0").and_then(Value::as_object_mut);
        if let Some(fields) = written {
            fields.remove("text");
            fields.insert("type".to_owned(), json!("interactive"));
            fields.insert("context".to_owned(), json!({"from": NUMBER, "id": under}));
            let reply = json!({"id": message.text, "title": message.text});
            fields.insert("interactive".to_owned(), json!({"type": "button_reply", "button_reply": reply}));
        }
        Event { request: posted(message.url, &body, message.secrets), ..said }
    }
}

/// What people see; `None` where WhatsApp would refuse it.
fn shown(body: &Value) -> Option<String> {
    let field = |pointer: &str| body.pointer(pointer).and_then(Value::as_str);
    let kind = field("/type")?;
    let said = match kind {
        "text" => field("/text/body")?.to_owned(),
        "template" => {
            let said = field("/template/components/0/parameters/0/text")?;
            (!said.contains(['\n', '\t'])).then(|| said.to_owned())?
        }
        "interactive" => {
            let buttons = body.pointer("/interactive/action/buttons").and_then(Value::as_array);
            let rows = body.pointer("/interactive/action/sections/0/rows").and_then(Value::as_array);
            let count = buttons.map_or(0, Vec::len) + rows.map_or(0, Vec::len);
            let fits = if buttons.is_some() { count <= 3 } else { (1..=10).contains(&count) };
            field("/interactive/body/text").filter(|_| fits)?.to_owned()
        }
        "image" | "video" | "audio" | "document" => {
            format!("[{kind}: {}]", field(&format!("/{kind}/link"))?)
        }
        _ => return None,
    };
    (!said.trim().is_empty() && text::fits(&said, SPEC.text)).then_some(said)
}
