//! LINE's own part, for the local run and the tests.

use channel::local::{Answer, Event, Local, Look, Message, Said, at, buttons, number};
use channel::{Headers, Request, Response, Secrets, sign, text};
use serde_json::{Value, json};

use crate::Line;
use crate::render::RETRY_KEY;
use crate::spec::{CHANNEL_SECRET, SPEC};
use crate::verify::{SIGNATURE, expected};

/// How a group's message mentions the bot.
const MENTION: &str = "@crabhook";

impl Local for Line {
    fn event(&self, message: &Message<'_>) -> Event {
        let user = id('U', message.user);
        let chat = message.conversation.map_or_else(|| user.clone(), |name| id('C', name));
        let mentionee = json!({"index": 0, "length": MENTION.len(), "type": "user", "isSelf": true});
        let (source, text, mentionees) = match message.conversation {
            None => (json!({"type": "user", "userId": user}), message.text.to_owned(), json!([])),
            Some(_) => {
                let text = format!("{MENTION} {}", message.text);
                (json!({"type": "group", "groupId": chat, "userId": user}), text, json!([mentionee]))
            }
        };
        let said = json!({
            "id": number(message.id).to_string(), "type": "text", "text": text, "quoteToken": "q-1",
            "mention": {"mentionees": mentionees},
        });
        // The stand-in knows from it which conversation a reply is for.
        let reply_token = format!("{chat}:{}", message.id);
        let body = json!({"destination": id('U', "crabhook"), "events": [{
            "type": "message", "webhookEventId": format!("01J{:023}", number(message.id)), "timestamp": message.now,
            "mode": "active", "replyToken": reply_token, "deliveryContext": {"isRedelivery": false},
            "source": source, "message": said,
        }]});
        let headers: Headers = [("content-type", "application/json")].into_iter().collect();
        let request = Request::new("POST", message.url, headers, body.to_string());
        Event { request: self.sign(request, message.secrets, message.now), reply_key: chat }
    }

    fn sign(&self, mut request: Request, secrets: &Secrets, _now: i64) -> Request {
        let secret = secrets.get(CHANNEL_SECRET).unwrap_or("");
        let signature = expected(secret, &request.body);
        request.headers.set(SIGNATURE, signature);
        request
    }

    fn known_by(&self, request: &Request) -> Option<String> {
        request.headers.get(RETRY_KEY).map(str::to_owned)
    }

    fn answer(&self, request: &Request) -> Answer {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
        let field = |name: &str| body.get(name).and_then(Value::as_str);
        let chat = match request.path.strip_prefix("/api/v2/bot/message/") {
            Some("reply") => {
                field("replyToken").and_then(|token| token.split_once(':')).map(|(chat, _)| chat)
            }
            Some("push") if request.headers.get(RETRY_KEY).is_some_and(|key| key.len() == 36) => field("to"),
            Some(_) => None,
            None => return quiet(Response::json(200, &json!({}))),
        };
        let messages = body.get("messages").and_then(Value::as_array).filter(|m| (1..=5).contains(&m.len()));
        let (Some(chat), Some(messages)) = (chat, messages) else {
            return quiet(Response::json(400, &json!({"message": "Invalid reply token"})));
        };
        let shown: Option<Vec<Said>> = messages.iter().map(|message| shown(message, chat)).collect();
        let Some(said) = shown else {
            return quiet(Response::json(400, &json!({"message": "The request body has 1 error(s)"})));
        };
        let id = number(&sign::sha256_hex(&request.body)).to_string();
        Answer { response: Response::json(200, &json!({"sentMessages": [{"id": id}]})), said }
    }

    fn look(&self, call: &Request, response: &Response) -> Look {
        let body: Value = serde_json::from_slice(&call.body).unwrap_or(Value::Null);
        if call.path.ends_with("/loading/start") {
            return Look::writing(at(&body, "/chatId"));
        }
        let messages = body.get("messages").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let items = |message| buttons(message, "/quickReply/items", "/action/label", "/action/text");
        Look {
            id: at(&response.body_json(), "/sentMessages/0/id"),
            buttons: messages.iter().flat_map(items).collect(),
            ..Look::default()
        }
    }
}

fn shown(message: &Value, chat: &str) -> Option<Said> {
    let field = |name: &str| message.get(name).and_then(Value::as_str);
    let text = match field("type")? {
        "text" => {
            field("text").filter(|text| !text.trim().is_empty() && text::fits(text, SPEC.text))?.to_owned()
        }
        "image" => format!("[image: {}]", field("originalContentUrl")?),
        _ => return None,
    };
    Some(Said { reply_key: chat.to_owned(), text })
}

fn quiet(response: Response) -> Answer {
    Answer { response, said: Vec::new() }
}

/// An id of LINE's form: a letter and 32 hexadecimal digits.
fn id(kind: char, name: &str) -> String {
    let hash: String = sign::sha256_hex(name.as_bytes()).chars().take(32).collect();
    format!("{kind}{hash}")
}
