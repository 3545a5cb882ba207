//! The Bot Framework's own part, for the local run and the tests.

mod stream;

use channel::local::{
    Answer, Event, Local, Look, Markup, Message, Said, Streams, at, buttons, number, platform_key,
};
use channel::{Headers, Keys, Request, Response, Secrets, encode, jwt, sign, text};
use serde_json::{Value, json};

use crate::Teams;
use crate::spec::{APP_ID, SPEC, TENANT_ID};
use crate::verify::{ISSUER, keys_url};

/// The bot as activities name it.
const BOT: &str = "28:00000000-0000-0000-0000-000000000001";
const MENTION: &str = "<at>crabhook</at>";

impl Local for Teams {
    fn event(&self, message: &Message<'_>) -> Event {
        let tenant = message.secrets.get(TENANT_ID).unwrap_or("");
        let escaped = message.text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let id = number(message.id).to_string();
        let (conversation, text, entities) = match message.conversation {
            None => {
                let id = format!("a:{}", short(message.user));
                (json!({"id": id, "conversationType": "personal", "tenantId": tenant}), escaped, json!([]))
            }
            Some(name) => {
                let id = format!("19:{}@thread.tacv2;messageid={id}", short(name));
                let place =
                    json!({"id": id, "conversationType": "channel", "isGroup": true, "tenantId": tenant});
                let mention =
                    json!({"type": "mention", "text": MENTION, "mentioned": {"id": BOT, "name": "crabhook"}});
                (place, format!("{MENTION} {escaped}"), json!([mention]))
            }
        };
        let reply_key = conversation.get("id").and_then(Value::as_str).unwrap_or("").to_owned();
        let activity = json!({
            "type": "message", "id": id, "channelId": "msteams",
            "serviceUrl": format!("{}/api/", message.platform),
            "from": {"id": format!("29:{}", message.user), "name": message.user, "aadObjectId": guid(message.user)},
            "recipient": {"id": BOT, "name": "crabhook"}, "conversation": conversation,
            "text": text, "textFormat": "plain", "entities": entities, "channelData": {"tenant": {"id": tenant}},
        });
        let headers: Headers = [("content-type", "application/json")].into_iter().collect();
        let request = Request::new("POST", message.url, headers, activity.to_string());
        Event { request: self.sign(request, message.secrets, message.now), reply_key }
    }

    fn sign(&self, mut request: Request, secrets: &Secrets, now: i64) -> Request {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
        let now = now.div_euclid(1_000);
        let claims = json!({
            "iss": ISSUER, "aud": secrets.get(APP_ID).unwrap_or(""), "serviceurl": body.get("serviceUrl"),
            "nbf": now - 60, "exp": now + 3_600,
        });
        let token = jwt::sign_rs256(platform_key().0, "local", &claims).unwrap_or_default();
        request.headers.set("authorization", format!("Bearer {token}"));
        request
    }

    fn keys(&self, settings: &Value) -> Keys {
        Keys::from([(keys_url(settings), published().to_string())])
    }

    fn expecting(&self, claims: &Value) -> Secrets {
        let app = claims.get("aud").and_then(Value::as_str).unwrap_or("");
        [(APP_ID.to_owned(), app.to_owned())].into_iter().collect()
    }

    fn known_by(&self, request: &Request) -> Option<String> {
        // An edit is none the second time.
        (request.method == "PUT").then(|| format!("{} {}", request.path, sign::sha256_hex(&request.body)))
    }

    fn edits(&self, request: &Request) -> Option<String> {
        match request.method.as_str() {
            "PUT" => request.path.rsplit('/').next().map(encode::decode),
            // More of a stream, and its end.
            _ => at(&serde_json::from_slice(&request.body).ok()?, "/entities/0/streamId"),
        }
    }

    fn answer(&self, request: &Request) -> Answer {
        self.play(request, &mut Streams::new())
    }

    fn play(&self, request: &Request, streams: &mut Streams) -> Answer {
        if request.path.starts_with("/keys/") {
            return quiet(200, published());
        }
        if request.path.starts_with("/login/") {
            let token = json!({"token_type": "Bearer", "expires_in": 3_599, "access_token": "local-token"});
            return quiet(200, token);
        }
        if !request.headers.get("authorization").is_some_and(|proof| proof.starts_with("Bearer ")) {
            return quiet(401, json!({"message": "Authorization has been denied for this request."}));
        }
        let mut path = request.path.trim_start_matches("/api/v3/conversations/").split('/');
        let place = encode::decode(path.next().unwrap_or(""));
        let activity: Value = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
        let field = |name: &str| activity.get(name).and_then(Value::as_str);
        let image = activity.pointer("/attachments/0/contentUrl").and_then(Value::as_str);
        let shown = match (field("text"), image) {
            (Some(text), _) => Some(text.to_owned()),
            (None, image) => image.map(|url| format!("[image: {url}]")),
        };
        if activity.pointer("/entities/0/type").and_then(Value::as_str) == Some("streaminfo") {
            return stream::play(&place, &activity, streams);
        }
        let new = || number(&sign::sha256_hex(&request.body)).to_string();
        let id = self.edits(request).unwrap_or_else(new);
        // Whoever edits a stream ends it.
        if let Some(growing) = streams.get_mut(&id) {
            growing.open = false;
            growing.text = shown.clone().unwrap_or_default();
        }
        match (field("type"), shown) {
            (Some("typing"), _) => quiet(201, json!({})),
            (Some("message"), Some(text)) if !text.trim().is_empty() && text::fits(&text, SPEC.text) => {
                Answer {
                    response: Response::json(201, &json!({"id": id})),
                    said: vec![Said { reply_key: place, text }],
                }
            }
            _ => quiet(400, json!({"error": {"code": "BadSyntax", "message": "no message"}})),
        }
    }

    fn look(&self, call: &Request, response: &Response) -> Look {
        let mut path = call.path.trim_start_matches("/api/v3/conversations/").split('/');
        let place = path.next().map(encode::decode);
        let activity: Value = serde_json::from_slice(&call.body).unwrap_or(Value::Null);
        let streamed = at(&activity, "/entities/0/streamType").is_some();
        match at(&activity, "/type").as_deref() {
            Some("typing") if !streamed => Look::writing(place),
            Some("typing" | "message") => {
                let marked = at(&activity, "/textFormat").as_deref() == Some("markdown");
                let edited = path.nth(1).map(encode::decode).or(at(&activity, "/entities/0/streamId"));
                Look {
                    place,
                    id: at(&response.body_json(), "/id").or(edited.clone()),
                    replaces: edited,
                    buttons: buttons(&activity, "/suggestedActions/actions", "/title", "/value"),
                    ..Look::message(
                        at(&activity, "/text"),
                        if marked { Markup::Markdown } else { Markup::Plain },
                    )
                }
            }
            _ => Look::default(),
        }
    }
}

/// The keys, endorsed for the channels that Microsoft's are.
fn published() -> Value {
    let (_, mut set) = platform_key();
    let key = set.pointer_mut("/keys/0").and_then(Value::as_object_mut);
    if let Some(key) = key {
        key.insert("endorsements".to_owned(), json!(["msteams", "webchat", "directline"]));
    }
    set
}

fn quiet(status: u16, body: Value) -> Answer {
    Answer { response: Response::json(status, &body), said: Vec::new() }
}

fn short(name: &str) -> String {
    sign::sha256_hex(name.as_bytes()).chars().take(16).collect()
}

/// An id of Entra's form.
fn guid(name: &str) -> String {
    let hash = sign::sha256_hex(name.as_bytes());
    let part = |from: usize, to: usize| hash.get(from..to).unwrap_or("");
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}
