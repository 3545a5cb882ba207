//! Mattermost's own part, for the local run and the tests: people write `/ask` to the bot, and mention it in channels.

use channel::local::{Answer, Event, Field, Local, Look, Markup, Message, Said, at, fields, number};
use channel::{Headers, Request, Response, Secrets, encode, sign, text};
use serde_json::{Value, json};

use crate::Mattermost;
use crate::spec::{SPEC, TOKEN};

const MENTION: &str = "@crabhook";
const FORM: &str = "application/x-www-form-urlencoded";

impl Local for Mattermost {
    fn event(&self, message: &Message<'_>) -> Event {
        let user = id(&format!("user {}", message.user));
        let token = token(message.secrets);
        let common =
            [("token", token.as_str()), ("team_id", "t1"), ("team_domain", "local"), ("user_id", &user)];
        let (channel, body) = match message.conversation {
            None => {
                let channel = id(&format!("direct {}", message.user));
                let name = format!("{}__{user}", id("bot"));
                // The hook stands for its channel, so that the stand-in knows where its words appear.
                let hook = format!("{}/hooks/commands/{channel}", message.platform);
                let command = [
                    ("channel_id", channel.as_str()),
                    ("channel_name", &name),
                    ("user_name", message.user),
                    ("command", "/ask"),
                    ("text", message.text),
                    ("trigger_id", message.id),
                    ("response_url", &hook),
                ];
                let body = encode::to_form(&[common.as_slice(), &command].concat());
                (channel, body)
            }
            Some(name) => {
                let channel = id(&format!("channel {name}"));
                let text = format!("{MENTION} {}", message.text);
                let (now, post) = (message.now.to_string(), id(&format!("post {}", message.id)));
                let post = [
                    ("channel_id", channel.as_str()),
                    ("channel_name", name),
                    ("user_name", message.user),
                    ("timestamp", &now),
                    ("post_id", &post),
                    ("text", &text),
                    ("trigger_word", MENTION),
                    ("file_ids", ""),
                ];
                let body = encode::to_form(&[common.as_slice(), &post].concat());
                (channel, body)
            }
        };
        let headers: Headers = [("content-type", FORM)].into_iter().collect();
        let request = Request::new("POST", message.url, headers, body);
        Event { request: self.sign(request, message.secrets, message.now), reply_key: channel }
    }

    /// Puts the token where one stands already, and into the header that a command has.
    fn sign(&self, mut request: Request, secrets: &Secrets, _now: i64) -> Request {
        let token = token(secrets);
        if request.content_type() == "application/json" {
            if let Ok(Value::Object(mut fields)) = serde_json::from_slice(&request.body)
                && fields.contains_key("token")
            {
                fields.insert("token".to_owned(), Value::from(token.as_str()));
                request.body = Value::Object(fields).to_string().into_bytes();
            }
        } else if request.content_type() == FORM {
            let mut fields = encode::form(&request.body);
            if let Some((_, value)) = fields.iter_mut().find(|(name, _)| name == "token") {
                value.clone_from(&token);
                let fields: Vec<(&str, &str)> =
                    fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                request.body = encode::to_form(&fields).into_bytes();
            }
        }
        request.headers.set("authorization", format!("Token {token}"));
        request
    }

    fn edits(&self, request: &Request) -> Option<String> {
        let path = request.path.strip_suffix("/patch").filter(|_| request.method == "PUT")?;
        path.rsplit('/').next().map(str::to_owned)
    }

    fn answer(&self, request: &Request) -> Answer {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
        let field = |name: &str| body.get(name).and_then(Value::as_str);
        let good = |text: &str| !text.trim().is_empty() && text::fits(text, SPEC.text);
        if let Some(hook) = request.path.strip_prefix("/api/hooks/commands/") {
            let said = field("text").filter(|text| good(text));
            let said: Vec<Said> = said.map(|text| said_in(hook, text)).into_iter().collect();
            let status = if said.is_empty() { 400 } else { 200 };
            return Answer { response: Response::text(status, "ok"), said };
        }
        if !request.headers.get("authorization").is_some_and(|proof| proof.starts_with("Bearer ")) {
            return quiet(401, json!({"id": "api.context.session_expired.app_error", "status_code": 401}));
        }
        let path = request.path.strip_prefix("/api/api/v4/").unwrap_or("");
        if (request.method.as_str(), path) == ("POST", "files") {
            return uploaded(request);
        }
        let new = id(&sign::sha256_hex(&request.body));
        match (request.method.as_str(), path, field("message").filter(|text| good(text))) {
            ("POST", "posts", _) if body.get("file_ids").is_some() => posted_file(&new, &body),
            ("POST", "posts", Some(text)) => Answer {
                response: Response::json(201, &json!({"id": new, "root_id": field("root_id").unwrap_or("")})),
                said: vec![said_in(field("channel_id").unwrap_or(""), text)],
            },
            ("PUT", path, Some(text)) if path.ends_with("/patch") => {
                let id = path.trim_start_matches("posts/").trim_end_matches("/patch");
                // The post knows its channel; the call does not name it.
                Answer { said: vec![said_in("", text)], ..quiet(200, json!({"id": id})) }
            }
            ("POST", "users/me/typing", _) => quiet(200, json!({"status": "OK"})),
            ("GET", "users/me", _) => quiet(200, json!({"id": id("bot")})),
            ("GET", path, _) if path.starts_with("posts/") => {
                quiet(200, json!({"id": path.trim_start_matches("posts/"), "root_id": ""}))
            }
            ("GET", path, _) if path.starts_with("files/") => {
                Answer { response: Response::text(200, "a file"), said: Vec::new() }
            }
            _ => quiet(400, json!({"id": "model.post.is_valid.msg.app_error", "status_code": 400})),
        }
    }

    fn look(&self, call: &Request, response: &Response) -> Look {
        let body: Value = serde_json::from_slice(&call.body).unwrap_or(Value::Null);
        let place = at(&body, "/channel_id");
        if call.path.ends_with("/users/me/typing") {
            return Look::writing(place);
        }
        let edited = call.path.strip_suffix("/patch").and_then(|path| path.rsplit('/').next());
        // What is seen of a file is what the answer says of it.
        let text = at(&body, "/message").or(at(&body, "/text")).filter(|_| body.get("file_ids").is_none());
        Look {
            place,
            id: at(&response.body_json(), "/id"),
            replaces: edited.map(str::to_owned),
            ..Look::message(text, Markup::Markdown)
        }
    }
}

/// A form with the channel and one file.
fn uploaded(request: &Request) -> Answer {
    let fields = fields(request);
    let is = |field: &Field, name: &str, file: bool| field.name == name && field.file.is_some() == file;
    match fields.as_slice() {
        [channel, file] if is(channel, "channel_id", false) && is(file, "files", true) => {
            let id = id(&sign::sha256_hex(&request.body));
            quiet(201, json!({"file_infos": [{"id": id, "name": file.file}], "client_ids": []}))
        }
        _ => quiet(400, json!({"id": "api.file.upload_file.read_request.app_error", "status_code": 400})),
    }
}

/// A post with files that were uploaded, with or without words.
fn posted_file(new: &str, body: &Value) -> Answer {
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or("");
    let files = body.get("file_ids").and_then(Value::as_array);
    let files: Vec<&str> = files.into_iter().flatten().filter_map(Value::as_str).collect();
    if files.is_empty() || files.iter().any(|id| id.len() != 26) || !text::fits(text("message"), SPEC.text) {
        return quiet(400, json!({"id": "model.post.is_valid.file_ids.app_error", "status_code": 400}));
    }
    let shown = format!("{}\n[file: {}]", text("message"), files.join(", "));
    Answer {
        response: Response::json(201, &json!({"id": new, "root_id": text("root_id")})),
        said: vec![said_in(text("channel_id"), shown.trim())],
    }
}

fn said_in(channel: &str, text: &str) -> Said {
    Said { reply_key: channel.to_owned(), text: text.to_owned() }
}

fn quiet(status: u16, body: Value) -> Answer {
    Answer { response: Response::json(status, &body), said: Vec::new() }
}

fn token(secrets: &Secrets) -> String {
    secrets.get(TOKEN).and_then(|tokens| tokens.split_whitespace().next()).unwrap_or("").to_owned()
}

/// An id of Mattermost's form: 26 letters and digits.
fn id(name: &str) -> String {
    format!("{:026x}", u128::from(number(&sign::sha256_hex(name.as_bytes()))))
}
