//! Google Chat's own part, for the local run and the tests.

use channel::local::{Answer, Event, Local, Look, Markup, Message, Said, at, buttons, number, platform_key};
use channel::{Headers, Keys, Request, Response, Secrets, encode, jwt, sign, text};
use serde_json::{Value, json};

use crate::GoogleChat;
use crate::parse::time;
use crate::render::SAYS;
use crate::spec::{ADDON_ACCOUNT, AUDIENCE, MESSAGE_BYTES, SPEC};
use crate::verify::{CHAT, GOOGLE, is_address, keys_url};

/// The app as events name it.
const APP: &str = "users/100000000000000000009";

impl Local for GoogleChat {
    fn event(&self, message: &Message<'_>) -> Event {
        let at = time::write(message.now);
        let id = number(message.id);
        let user = json!({
            "name": format!("users/{}", number(message.user)), "displayName": message.user, "type": "HUMAN",
            "email": format!("{}@example.org", number(message.user)), "domainId": "example",
        });
        let (space, text, annotations) = match message.conversation {
            None => {
                let name = format!("spaces/D{}", number(message.user));
                (
                    json!({"name": name, "type": "DM", "spaceType": "DIRECT_MESSAGE"}),
                    message.text.to_owned(),
                    json!([]),
                )
            }
            Some(group) => {
                let name = format!("spaces/S{}", number(group));
                let app = json!({"name": APP, "displayName": "crabhook", "type": "BOT"});
                let mention =
                    json!({"type": "USER_MENTION", "userMention": {"user": app, "type": "MENTION"}});
                let space = json!({"name": name, "type": "ROOM", "spaceType": "SPACE", "displayName": group});
                (space, format!("@crabhook {}", message.text), json!([mention]))
            }
        };
        let name = space.get("name").and_then(Value::as_str).unwrap_or("").to_owned();
        let thread = format!("{name}/threads/T{id}");
        let said = json!({
            "name": format!("{name}/messages/T{id}.T{id}"), "sender": user, "createTime": at, "text": text,
            "argumentText": message.text, "thread": {"name": thread}, "space": space, "annotations": annotations,
        });
        let body = if message.secrets.get(AUDIENCE).is_some_and(is_address) {
            let payload = json!({"space": space, "message": said});
            json!({"commonEventObject": {"hostApp": "CHAT"}, "chat": {"user": user, "eventTime": at, "messagePayload": payload}})
        } else {
            json!({"type": "MESSAGE", "eventTime": at, "user": user, "space": space, "message": said})
        };
        let headers: Headers = [("content-type", "application/json")].into_iter().collect();
        let request = Request::new("POST", message.url, headers, body.to_string());
        let reply_key = if message.conversation.is_some() { thread } else { name };
        Event { request: self.sign(request, message.secrets, message.now), reply_key }
    }

    fn sign(&self, mut request: Request, secrets: &Secrets, now: i64) -> Request {
        let audience = secrets.get(AUDIENCE).unwrap_or("");
        let now = now.div_euclid(1_000);
        let mut claims = json!({"iss": CHAT, "aud": audience, "iat": now - 60, "exp": now + 3_600});
        if let Some(fields) = claims.as_object_mut().filter(|_| is_address(audience)) {
            fields.insert("iss".to_owned(), json!(GOOGLE.first()));
            fields.insert("email".to_owned(), json!(secrets.get(ADDON_ACCOUNT).unwrap_or(CHAT)));
            fields.insert("email_verified".to_owned(), json!(true));
        }
        let token = jwt::sign_rs256(platform_key().0, "local", &claims).unwrap_or_default();
        request.headers.set("authorization", format!("Bearer {token}"));
        request
    }

    fn keys(&self, settings: &Value) -> Keys {
        [true, false].map(|by_google| (keys_url(by_google, settings), platform_key().1.to_string())).into()
    }

    fn expecting(&self, claims: &Value) -> Secrets {
        let claim = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or("").to_owned();
        [(AUDIENCE.to_owned(), claim("aud")), (ADDON_ACCOUNT.to_owned(), claim("email"))]
            .into_iter()
            .collect()
    }

    fn known_by(&self, request: &Request) -> Option<String> {
        match request.method.as_str() {
            "POST" => request.query("requestId"),
            // An edit is none the second time.
            "PATCH" => Some(format!("{} {}", request.path, sign::sha256_hex(&request.body))),
            _ => None,
        }
    }

    fn edits(&self, request: &Request) -> Option<String> {
        let path = request.path.strip_prefix("/api/v1/").filter(|_| request.method == "PATCH")?;
        Some(path.split('/').map(encode::decode).collect::<Vec<_>>().join("/"))
    }

    fn answer(&self, request: &Request) -> Answer {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
        match request.path.trim_start_matches('/').split_once('/').unwrap_or_default() {
            ("keys", _) => quiet(200, platform_key().1),
            ("oauth", "token") if is_assertion(&request.body) => quiet(
                200,
                json!({"access_token": "local-token", "expires_in": 3_599, "token_type": "Bearer"}),
            ),
            ("oauth", _) => quiet(400, json!({"error": "invalid_grant"})),
            _ if !is_with_token(request) => refused(401, "UNAUTHENTICATED"),
            ("api", path)
                if path.starts_with("v1/media/") && request.query("alt").as_deref() == Some("media") =>
            {
                quiet(200, json!("the file"))
            }
            ("api", path) => message(request, path.trim_start_matches("v1/"), &body),
            _ => refused(404, "NOT_FOUND"),
        }
    }

    fn look(&self, call: &Request, response: &Response) -> Look {
        let body: Value = serde_json::from_slice(&call.body).unwrap_or(Value::Null);
        let answer = response.body_json();
        let Some(name) = at(&answer, "/name") else { return Look::default() };
        let space = name.split_once("/messages/").map(|(space, _)| space.to_owned());
        let click = "/onClick/action/parameters/0/value";
        Look {
            place: at(&body, "/thread/name").or(space),
            replaces: Some(name.clone()).filter(|_| call.method == "PATCH"),
            id: Some(name),
            buttons: buttons(&body, "/accessoryWidgets/0/buttonList/buttons", "/text", click),
            ..Look::message(at(&body, "/text"), Markup::Starred)
        }
    }

    fn press(&self, message: &Message<'_>, under: &str) -> Event {
        let said = self.event(message);
        let body: Value = serde_json::from_slice(&said.request.body).unwrap_or(Value::Null);
        let part = |classic: &str, addon: &str| body.pointer(classic).or(body.pointer(addon)).cloned();
        let space = part("/space", "/chat/messagePayload/space");
        let user = part("/user", "/chat/user");
        let at = time::write(message.now);
        let thread = under.rsplit('/').next().and_then(|id| id.split('.').next()).unwrap_or("");
        let name = space.as_ref().and_then(|space| space.get("name")).and_then(Value::as_str).unwrap_or("");
        let thread = format!("{name}/threads/{thread}");
        let under = json!({"name": under, "space": space, "thread": {"name": thread}, "createTime": at});
        let common = json!({"hostApp": "CHAT", "parameters": {SAYS: message.text}});
        let pressed = if body.get("chat").is_some() {
            let payload = json!({"space": space, "message": under});
            json!({"commonEventObject": common, "chat": {"user": user, "eventTime": at, "buttonClickedPayload": payload}})
        } else {
            json!({"type": "CARD_CLICKED", "eventTime": at, "user": user, "space": space, "message": under, "common": common})
        };
        let reply_key = if message.conversation.is_some() { thread } else { name.to_owned() };
        Event { request: Request { body: pressed.to_string().into_bytes(), ..said.request }, reply_key }
    }
}

/// A message that is made or changed.
fn message(request: &Request, path: &str, body: &Value) -> Answer {
    let path = path.split('/').map(encode::decode).collect::<Vec<_>>().join("/");
    let text = body.get("text").and_then(Value::as_str).unwrap_or("");
    let image = body.pointer("/cardsV2/0/card/sections/0/widgets/0/image/imageUrl").and_then(Value::as_str);
    let marked =
        text.is_empty() || body.get("markupSyntax").and_then(Value::as_str) == Some("MARKUP_SYNTAX_CHAT");
    let empty = text.trim().is_empty() && image.is_none();
    if empty || !marked || !text::fits(text, SPEC.text) || request.body.len() > MESSAGE_BYTES {
        return refused(400, "INVALID_ARGUMENT");
    }
    let thread = body.pointer("/thread/name").and_then(Value::as_str);
    let (name, place) = match (request.method.as_str(), path.strip_suffix("/messages")) {
        ("POST", Some(space)) if request.query("requestId").is_some_and(|id| !id.is_empty()) => {
            let key = request.query("requestId").unwrap_or_default();
            let hash = number(&sign::sha256_hex(key.as_bytes()));
            let id = thread.and_then(|thread| thread.rsplit('/').next()).unwrap_or("");
            (format!("{path}/{id}.{hash}"), thread.unwrap_or(space).to_owned())
        }
        ("PATCH", _) if request.query("updateMask").as_deref() == Some("text") => {
            let (space, id) = path.split_once("/messages/").unwrap_or((&path, ""));
            let thread = id.split('.').next().filter(|thread| !thread.is_empty());
            let place = thread.map_or_else(|| space.to_owned(), |thread| format!("{space}/threads/{thread}"));
            (path, place)
        }
        _ => return refused(404, "NOT_FOUND"),
    };
    let shown = [
        Some(text).filter(|text| !text.is_empty()).map(str::to_owned),
        image.map(|url| format!("[image: {url}]")),
    ];
    let text = shown.into_iter().flatten().collect::<Vec<_>>().join("\n");
    Answer {
        response: Response::json(200, &json!({"name": name, "text": text})),
        said: vec![Said { reply_key: place, text }],
    }
}

fn is_with_token(request: &Request) -> bool {
    request.headers.get("authorization").is_some_and(|proof| proof.starts_with("Bearer "))
}

fn is_assertion(body: &[u8]) -> bool {
    let fields = encode::form(body);
    fields.iter().any(|(name, value)| name == "assertion" && value.split('.').count() == 3)
}

fn refused(status: u16, name: &str) -> Answer {
    quiet(status, json!({"error": {"code": status, "status": name, "message": "refused"}}))
}

fn quiet(status: u16, body: Value) -> Answer {
    Answer { response: Response::json(status, &body), said: Vec::new() }
}
