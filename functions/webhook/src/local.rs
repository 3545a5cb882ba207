//! The program at the other end, for the local run and the tests.

use channel::local::{Answer, Event, Local, Look, Markup, Message, Said, at};
use channel::{Headers, Request, Response, Secrets, sign};
use serde_json::{Value, json};

use crate::Webhook;

impl Local for Webhook {
    fn event(&self, message: &Message<'_>) -> Event {
        let conversation = message.conversation.map_or_else(|| format!("dm-{}", message.user), str::to_owned);
        let is_group = message.conversation.is_some();
        let event = json!({
            "type": "message.created",
            "timestamp": jiff::Timestamp::from_millisecond(message.now).unwrap_or_default().to_string(),
            "data": {
                "message_id": message.id,
                "conversation_id": conversation,
                "thread_id": null,
                "is_group": is_group,
                "mentions_bot": is_group,
                "user": {"id": message.user, "name": message.user},
                "text": message.text,
                "attachments": [],
                "reply_to": null,
            },
        });
        let headers: Headers =
            [("content-type", "application/json"), ("webhook-id", message.id)].into_iter().collect();
        let request = Request::new("POST", message.url, headers, event.to_string());
        Event { request: self.sign(request, message.secrets, message.now), reply_key: conversation }
    }

    /// With one signature, so that whoever changes a character of it has changed all.
    fn sign(&self, mut request: Request, secrets: &Secrets, now: i64) -> Request {
        let id = request.headers.get("webhook-id").unwrap_or("msg_replayed").to_owned();
        let seed = secrets.get("public_key_seed").and_then(sign::from_hex);
        let private = seed.map(|seed| format!("whsk_{}", sign::base64(&seed)));
        let secret = secrets.get("secret").map(str::to_owned).or(private).unwrap_or_default();
        let at = now.div_euclid(1000);
        let signature = sign::sign_webhook(&secret, &id, at, &request.body).unwrap_or_default();
        request.headers.set("webhook-id", id);
        request.headers.set("webhook-timestamp", at.to_string());
        request.headers.set("webhook-signature", signature);
        request
    }

    /// As the standard asks of receivers.
    fn known_by(&self, request: &Request) -> Option<String> {
        request.headers.get("webhook-id").map(str::to_owned)
    }

    fn answer(&self, request: &Request) -> Answer {
        let signed = ["webhook-id", "webhook-timestamp", "webhook-signature"];
        if signed.iter().any(|name| request.headers.get(name).is_none()) {
            return Answer { response: Response::text(401, "not signed"), said: Vec::new() };
        }
        let reply: Value = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
        let field = |name| reply.pointer(&format!("/data/{name}")).and_then(Value::as_str);
        match (field("conversation_id"), field("text")) {
            (Some(conversation), Some(text)) => Answer {
                response: Response::empty(204),
                said: vec![Said { reply_key: conversation.to_owned(), text: text.to_owned() }],
            },
            _ => Answer { response: Response::text(422, "no message.reply"), said: Vec::new() },
        }
    }

    fn look(&self, call: &Request, _response: &Response) -> Look {
        let reply: Value = serde_json::from_slice(&call.body).unwrap_or(Value::Null);
        let id = call.headers.get("webhook-id").map(str::to_owned);
        let place = at(&reply, "/data/conversation_id");
        Look { place, id, ..Look::message(at(&reply, "/data/text"), Markup::Markdown) }
    }
}
