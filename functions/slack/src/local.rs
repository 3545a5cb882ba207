//! Slack's own part, for the local run and the tests.

mod files;
mod stream;

use channel::local::{Answer, Event, Local, Look, Markup, Message, Said, Streams, at, buttons, number};
use channel::{Headers, Request, Response, Secrets, encode, sign};
use serde_json::{Value, json};

use crate::spec::SIGNING_SECRET;
use crate::verify::{SIGNATURE, TIMESTAMP, expected};
use crate::{Slack, file, parse::from_mrkdwn};

const TEAM: &str = "T0LOCAL";
const BOT: &str = "U0BOT";

impl Local for Slack {
    fn event(&self, message: &Message<'_>) -> Event {
        let user = id("U", message.user);
        let ts = ts(message.id);
        let text = message.text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let (event, reply_key) = match message.conversation {
            None => {
                let channel = id("D", message.user);
                let event = json!({
                    "type": "message", "channel_type": "im", "channel": channel, "user": user,
                    "text": text, "ts": ts, "event_ts": ts, "team": TEAM,
                });
                (event, channel)
            }
            Some(name) => {
                let channel = id("C", name);
                let event = json!({
                    "type": "app_mention", "channel": channel, "user": user, "text": format!("<@{BOT}> {text}"),
                    "ts": ts, "event_ts": ts, "team": TEAM,
                });
                (event, format!("{channel}:{ts}"))
            }
        };
        let body = json!({
            "type": "event_callback", "team_id": TEAM, "api_app_id": "A0LOCAL", "event": event,
            "event_id": id("Ev", message.id), "event_time": message.now / 1_000,
            "authorizations": [{ "enterprise_id": null, "team_id": TEAM, "user_id": BOT, "is_bot": true }],
        });
        let headers: Headers = [("content-type", "application/json")].into_iter().collect();
        let request = Request::new("POST", message.url, headers, body.to_string());
        Event { request: self.sign(request, message.secrets, message.now), reply_key }
    }

    fn sign(&self, mut request: Request, secrets: &Secrets, now: i64) -> Request {
        let timestamp = now.div_euclid(1_000).to_string();
        let secret = secrets.get(SIGNING_SECRET).unwrap_or("");
        let signature = expected(secret, &timestamp, &request.body);
        request.headers.set(TIMESTAMP, timestamp);
        request.headers.set(SIGNATURE, signature);
        request
    }

    fn known_by(&self, request: &Request) -> Option<String> {
        // An edit is none the second time.
        request.path.ends_with("/chat.update").then(|| sign::sha256_hex(&request.body))
    }

    fn edits(&self, request: &Request) -> Option<String> {
        let body: Value = serde_json::from_slice(&request.body).ok()?;
        let changes = ["/chat.update", "/chat.appendStream", "/chat.stopStream"];
        let ts = body.get("ts").filter(|_| changes.iter().any(|method| request.path.ends_with(method)))?;
        ts.as_str().map(str::to_owned)
    }

    fn answer(&self, request: &Request) -> Answer {
        self.play(request, &mut Streams::new())
    }

    fn play(&self, request: &Request, streams: &mut Streams) -> Answer {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
        let field = |name: &str| body.get(name).and_then(Value::as_str);
        let text =
            field("markdown_text").map(str::to_owned).or(field("text").map(|text| from_mrkdwn(text, None)));
        if let Some(hook) = request.path.strip_prefix("/hooks/") {
            let said = text.map(|text| Said { reply_key: hook.to_owned(), text }).into_iter().collect();
            return Answer { response: Response::text(200, "ok"), said };
        }
        match request.path.strip_prefix("/api/").unwrap_or(request.path.trim_start_matches('/')) {
            "chat.startStream" => stream::start(&body, streams),
            method @ ("chat.appendStream" | "chat.stopStream") => {
                stream::go_on(&body, method == "chat.stopStream", streams)
            }
            "chat.update" if stream::is_open(&body, streams) => refused("streaming_state_conflict"),
            "chat.postMessage" | "chat.update" => posted(field("channel"), field("thread_ts"), text, request),
            "users.info" => person(request),
            file::RESERVE => files::reserved(request),
            file::SHARE => files::shared(&body),
            method if method.starts_with(files::BYTES) => files::taken(method, request),
            // What is asked of it otherwise (a status) has no answer worth reading.
            _ => Answer { response: ok(json!({})), said: Vec::new() },
        }
    }

    fn look(&self, call: &Request, response: &Response) -> Look {
        let body: Value = serde_json::from_slice(&call.body).unwrap_or(Value::Null);
        let channel = at(&body, "/channel").or(at(&body, "/channel_id"));
        let thread = at(&body, "/thread_ts");
        let place = channel.map(|channel| match thread {
            Some(thread) => format!("{channel}:{thread}"),
            None => channel,
        });
        match call.path.strip_prefix("/api/").unwrap_or("") {
            "chat.postMessage" | "chat.update" | "chat.startStream" | "chat.appendStream"
            | "chat.stopStream" => {
                let blocks =
                    body.pointer("/blocks").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
                let block =
                    |kind: &str| blocks.iter().find(|block| at(block, "/type").as_deref() == Some(kind));
                let marked =
                    at(&body, "/markdown_text").or(block("markdown").and_then(|block| at(block, "/text")));
                // A stream may end without a word.
                let marked = marked.or(call.path.ends_with("/chat.stopStream").then(String::new));
                let markup = if marked.is_some() { Markup::Markdown } else { Markup::Plain };
                let text = marked.or(at(&body, "/text").map(|text| from_mrkdwn(&text, None)));
                let actions =
                    block("actions").map(|block| buttons(block, "/elements", "/text/text", "/value"));
                Look {
                    place,
                    id: at(&response.body_json(), "/ts"),
                    replaces: at(&body, "/ts"),
                    buttons: actions.unwrap_or_default(),
                    ..Look::message(text, markup)
                }
            }
            "assistant.threads.setStatus" | "agents.sessions.setStatus" => {
                let busy =
                    at(&body, "/status").is_some_and(|status| !matches!(status.as_str(), "" | "active"));
                if busy { Look::writing(place) } else { Look::default() }
            }
            // What is seen of a file is what the answer says of it.
            file::SHARE => Look { place, ..Look::message(None, Markup::Plain) },
            _ => Look::default(),
        }
    }

    fn press(&self, message: &Message<'_>, under: &str) -> Event {
        let user = id("U", message.user);
        let channel = message.conversation.map_or_else(|| id("D", message.user), |name| id("C", name));
        let hook = format!("{}/hooks/{channel}", message.platform);
        // In a channel the click opens or goes on with the thread of the message that was clicked.
        let reply_key =
            if message.conversation.is_some() { format!("{channel}:{under}") } else { channel.clone() };
        let payload = json!({
            "type": "block_actions", "user": { "id": user, "username": message.user, "team_id": TEAM },
            "team": { "id": TEAM }, "channel": { "id": channel }, "trigger_id": id("Tr", message.id),
            "message": { "type": "message", "ts": under, "text": "", "user": BOT }, "response_url": hook,
            "actions": [{ "type": "button", "action_id": "choice", "value": message.text }],
        });
        let headers: Headers = [("content-type", "application/x-www-form-urlencoded")].into_iter().collect();
        let body = encode::to_form(&[("payload", &payload.to_string())]);
        let request = Request::new("POST", message.url, headers, body);
        Event { request: self.sign(request, message.secrets, message.now), reply_key }
    }
}

fn posted(channel: Option<&str>, thread: Option<&str>, text: Option<String>, request: &Request) -> Answer {
    let (Some(channel), Some(text)) = (channel, text) else {
        return refused(if channel.is_none() { "channel_not_found" } else { "no_text" });
    };
    let reply_key = thread.map_or_else(|| channel.to_owned(), |thread| format!("{channel}:{thread}"));
    let body: Value = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
    let edited = body.get("ts").and_then(Value::as_str).map(str::to_owned);
    let ts = edited.unwrap_or_else(|| ts(&sign::sha256_hex(&request.body)));
    let response = ok(json!({ "channel": channel, "ts": ts }));
    Answer { response, said: vec![Said { reply_key, text }] }
}

/// Everybody is a full member, except whose id says `GUEST`.
fn person(request: &Request) -> Answer {
    let form = form(request);
    let (user, team) = (form.query("user").unwrap_or_default(), form.query("team_id").unwrap_or_default());
    let user = json!({ "id": user, "team_id": team, "is_restricted": user.contains("GUEST") });
    Answer { response: ok(json!({ "user": user })), said: Vec::new() }
}

/// The form that a request brings, to be asked for its fields.
fn form(request: &Request) -> Request {
    let fields = String::from_utf8_lossy(&request.body);
    Request::new("GET", &format!("/?{fields}"), Headers::default(), "")
}

fn ok(mut body: Value) -> Response {
    if let Some(fields) = body.as_object_mut() {
        fields.insert("ok".to_owned(), Value::Bool(true));
    }
    Response::json(200, &body)
}

fn refused(error: &str) -> Answer {
    Answer { response: Response::json(200, &json!({ "ok": false, "error": error })), said: Vec::new() }
}

/// An id of Slack's form: a letter, then capitals and digits. What already is one stays.
fn id(prefix: &str, name: &str) -> String {
    let is_id = name.starts_with(prefix)
        && name.len() > 6
        && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    if is_id { name.to_owned() } else { format!("{prefix}0{:012}", number(name)) }
}

/// A message's `ts`: always the same for the same id, so that a redelivery is one. Its time is long past; who reads it
/// takes the time of arrival instead.
fn ts(id: &str) -> String {
    let n = number(id);
    format!("{}.{:06}", 1_000_000_000 + n / 1_000_000 % 100_000_000, n % 1_000_000)
}
