//! Feishu's own part, for the local run and the tests. People write text, with an Encrypt Key.

use channel::local::{Answer, Event, Local, Look, Markup, Message, Said, at, buttons, number};
use channel::{Headers, Request, Response, Secrets, aes, sign, text};
use serde_json::{Value, json};

use crate::Feishu;
use crate::render::GROUP;
use crate::spec::{ENCRYPT_KEY, MINT, SPEC, VERIFICATION_TOKEN};
use crate::verify::{NONCE, SIGNATURE, TIMESTAMP, signature};

/// The tenant, and the bot as mentions name it.
const TENANT: &str = "2ca1d211f64f6438";
const BOT: &str = "ou_00000000000000000000000000000000";

impl Local for Feishu {
    fn event(&self, message: &Message<'_>) -> Event {
        let user = id("ou", message.user);
        let chat = id("oc", message.conversation.unwrap_or(message.user));
        let (kind, text, mentions) = match message.conversation {
            None => ("p2p", message.text.to_owned(), json!([])),
            Some(_) => {
                let bot = json!({"key": "@_user_1", "id": {"open_id": BOT, "user_id": ""}, "name": "crabhook", "tenant_key": TENANT});
                ("group", format!("@_user_1 {}", message.text), json!([bot]))
            }
        };
        let now = message.now.to_string();
        let body = json!({
            "schema": "2.0",
            "header": {
                "event_id": hash(message.id), "event_type": "im.message.receive_v1", "create_time": now,
                "token": message.secrets.get(VERIFICATION_TOKEN), "app_id": "cli_local", "tenant_key": TENANT,
            },
            "event": {
                "sender": {"sender_id": {"open_id": user}, "sender_type": "user", "tenant_key": TENANT},
                "message": {
                    "message_id": id("om", message.id), "create_time": now, "chat_id": chat, "chat_type": kind,
                    "message_type": "text", "content": json!({"text": text}).to_string(), "mentions": mentions,
                },
            },
        });
        // What goes into a thread names the message that it began with; the stand-in cannot tell the chat from it.
        let reply_key = if kind == "group" { id("om", message.id) } else { chat };
        let headers: Headers = [("content-type", "application/json")].into_iter().collect();
        let request = Request::new("POST", message.url, headers, body.to_string());
        Event { request: self.sign(request, message.secrets, message.now), reply_key }
    }

    fn sign(&self, mut request: Request, secrets: &Secrets, now: i64) -> Request {
        let key = secrets.get(ENCRYPT_KEY).unwrap_or("");
        let iv: Vec<u8> = sign::sha256(&request.body).into_iter().take(16).collect();
        let sealed = aes::encrypt(&sign::sha256(key.as_bytes()), &iv, &request.body, 16).unwrap_or_default();
        let encrypt = sign::base64(&[iv, sealed].concat());
        request.body = json!({"encrypt": encrypt}).to_string().into_bytes();
        let (timestamp, nonce) = (now.div_euclid(1_000).to_string(), "4b1d7c8e9f");
        request.headers.set(SIGNATURE, signature(&timestamp, nonce, key, &request.body));
        request.headers.set(TIMESTAMP, timestamp);
        request.headers.set(NONCE, nonce);
        request
    }

    fn known_by(&self, request: &Request) -> Option<String> {
        // An edit is none the second time.
        if request.method == "PUT" {
            return Some(format!("{} {}", request.path, sign::sha256_hex(&request.body)));
        }
        let body: Value = serde_json::from_slice(&request.body).ok()?;
        body.get("uuid").and_then(Value::as_str).map(str::to_owned)
    }

    fn edits(&self, request: &Request) -> Option<String> {
        request.path.rsplit('/').next().filter(|_| request.method == "PUT").map(str::to_owned)
    }

    fn answer(&self, request: &Request) -> Answer {
        let path = request.path.strip_prefix("/api").or(request.path.strip_prefix("/lark")).unwrap_or("");
        if path == MINT {
            let token = json!({"code": 0, "msg": "ok", "tenant_access_token": "t-local", "expire": 7_200});
            return quiet(200, token);
        }
        if !request.headers.get("authorization").is_some_and(|proof| proof.starts_with("Bearer ")) {
            return quiet(400, json!({"code": 99_991_661, "msg": "Missing access token for authorization"}));
        }
        match path {
            "/open-apis/im/v1/images" => return ok(json!({"image_key": "img_v3_local"})),
            "/open-apis/im/v1/files" => return ok(json!({"file_key": "file_v3_local"})),
            "/open-apis/bot/v3/info" => return ok(json!({})),
            path if path.ends_with("/reactions") => return ok(json!({"reaction_id": "local"})),
            _ => {}
        }
        let body: Value = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
        let field = |name: &str| body.get(name).and_then(Value::as_str);
        let thread = path.strip_suffix("/reply").and_then(|path| path.rsplit('/').next());
        let edited = path.rsplit('/').next().filter(|_| request.method == "PUT");
        let shown = field("msg_type").zip(field("content")).and_then(|(kind, content)| shown(kind, content));
        match (thread.or(field("receive_id")).or(edited), shown) {
            (Some(key), Some(text)) => {
                // The same `uuid` again is answered with the message that there is.
                let made_of = field("uuid").map_or_else(|| format!("{key} {text}"), str::to_owned);
                let id = edited.map_or_else(|| id("om", &made_of), str::to_owned);
                Answer {
                    said: vec![Said { reply_key: key.to_owned(), text }],
                    ..ok(json!({"message_id": id}))
                }
            }
            _ => quiet(
                400,
                json!({"code": 230_001, "msg": "Your request contains an invalid request parameter."}),
            ),
        }
    }

    fn look(&self, call: &Request, response: &Response) -> Look {
        let body: Value = serde_json::from_slice(&call.body).unwrap_or(Value::Null);
        let content = at(&body, "/content").and_then(|content| serde_json::from_str::<Value>(&content).ok());
        let Some(content) = content else { return Look::default() };
        let marked = at(&content, "/zh_cn/content/0/0/text").or(at(&content, "/elements/0/content"));
        let markup = if marked.is_some() { Markup::Markdown } else { Markup::Plain };
        let edited = call.path.rsplit('/').next().filter(|_| call.method == "PUT");
        let thread = call.path.strip_suffix("/reply").and_then(|path| path.rsplit('/').next());
        Look {
            place: thread.map(str::to_owned).or(at(&body, "/receive_id")),
            id: at(&response.body_json(), "/data/message_id"),
            replaces: edited.map(str::to_owned),
            buttons: buttons(&content, "/elements/1/actions", "/text/content", "/value/says"),
            ..Look::message(marked.or(at(&content, "/text")), markup)
        }
    }

    fn press(&self, message: &Message<'_>, under: &str) -> Event {
        let said = self.event(&Message { conversation: None, ..*message });
        let group = message.conversation.map(|_| "1");
        // A card in a group carries the thread that it stands in.
        let thread = group.map(|_| under);
        let value = json!({"says": message.text, "thread": thread, GROUP: group});
        let (user, chat) = (id("ou", message.user), id("oc", message.conversation.unwrap_or(message.user)));
        let body = json!({
            "schema": "2.0",
            "header": {
                "event_id": hash(message.id), "event_type": "card.action.trigger", "create_time": message.now.to_string(),
                "token": message.secrets.get(VERIFICATION_TOKEN), "app_id": "cli_local", "tenant_key": TENANT,
            },
            "event": {
                "operator": {"open_id": user, "tenant_key": TENANT}, "action": {"tag": "button", "value": value},
                "context": {"open_message_id": under, "open_chat_id": chat},
            },
        });
        let request = Request::new("POST", message.url, said.request.headers, body.to_string());
        let reply_key = thread.map_or(chat, str::to_owned);
        Event { request: self.sign(request, message.secrets, message.now), reply_key }
    }
}

/// What people see of a message; `None` where Feishu would not take it.
fn shown(kind: &str, content: &str) -> Option<String> {
    let content: Value = serde_json::from_str(content).unwrap_or(Value::Null);
    let at = |pointer: &str| content.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let text = match kind {
        "text" => at("/text"),
        "post" => at("/zh_cn/content/0/0/text"),
        "interactive" => at("/elements/0/content"),
        "image" => Some(format!("[image: {}]", at("/image_key").unwrap_or_default())),
        "file" => Some(format!("[file: {}]", at("/file_key").unwrap_or_default())),
        _ => None,
    };
    text.filter(|text| !text.trim().is_empty() && text::fits(text, SPEC.text))
}

fn ok(data: Value) -> Answer {
    quiet(200, json!({"code": 0, "msg": "success", "data": data}))
}

fn quiet(status: u16, body: Value) -> Answer {
    Answer { response: Response::json(status, &body), said: Vec::new() }
}

/// An id of Feishu's form.
fn id(kind: &str, name: &str) -> String {
    format!("{kind}_{}", hash(name))
}

fn hash(name: &str) -> String {
    sign::sha256_hex(format!("{}", number(name)).as_bytes()).chars().take(32).collect()
}
