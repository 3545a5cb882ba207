//! Telegram's own part, for the local run and the tests.

use channel::local::{Answer, Button, Event, Local, Look, Markup, Message, Said, at, buttons, number};
use channel::{Headers, Request, Response, Secrets, sign, text};
use serde_json::{Value, json};

use crate::Telegram;
use crate::spec::SPEC;
use crate::verify::SECRET_HEADER;

/// The bot that group messages mention.
const BOT: &str = "@crabhook_bot";

impl Local for Telegram {
    fn event(&self, message: &Message<'_>) -> Event {
        let user = json!({"id": number(message.user), "is_bot": false, "first_name": message.user});
        let chat_id = message.conversation.map_or(signed(number(message.user)), group);
        let (chat, text, entities) = match message.conversation {
            None => {
                (json!({"id": chat_id, "type": "private"}), message.text.to_owned(), command(message.text))
            }
            Some(name) => {
                let (text, entities) = mentioned(message.text);
                (json!({"id": chat_id, "type": "supergroup", "title": name}), text, entities)
            }
        };
        let update = json!({"update_id": number(message.id), "message": {
            "message_id": number(message.id),
            "from": user,
            "chat": chat,
            "date": message.now.div_euclid(1000),
            "text": text,
            "entities": entities,
        }});
        let headers: Headers = [("content-type", "application/json")].into_iter().collect();
        let request = Request::new("POST", message.url, headers, update.to_string());
        Event { request: self.sign(request, message.secrets, message.now), reply_key: chat_id.to_string() }
    }

    fn sign(&self, mut request: Request, secrets: &Secrets, _now: i64) -> Request {
        request.headers.set(SECRET_HEADER, secrets.get("secret_token").unwrap_or(""));
        request
    }

    fn known_by(&self, request: &Request) -> Option<String> {
        // An edit is none the second time.
        request.path.ends_with("/editMessageText").then(|| sign::sha256_hex(&request.body))
    }

    fn edits(&self, request: &Request) -> Option<String> {
        let body: Value = serde_json::from_slice(&request.body).ok()?;
        let id = body.get("message_id").filter(|_| request.path.ends_with("/editMessageText"))?;
        id.as_i64().map(|id| id.to_string())
    }

    fn answer(&self, request: &Request) -> Answer {
        let method = request.path.rsplit('/').next().unwrap_or("");
        if request.path.contains("/file/") {
            return quiet(Response::text(200, "a file"));
        }
        let body: Value = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
        match method {
            "sendMessage" | "editMessageText" => said(&body),
            // A draft goes away by itself.
            "sendMessageDraft" => Answer { said: Vec::new(), ..said(&body) },
            "getFile" => ok(json!({"file_id": body.get("file_id"), "file_path": "documents/file_1.bin"})),
            "getWebhookInfo" => ok(json!({"url": "", "pending_update_count": 0})),
            "getMe" => {
                ok(json!({"id": 1, "is_bot": true, "first_name": "crabhook", "username": "crabhook_bot"}))
            }
            _ => ok(json!(true)),
        }
    }

    fn look(&self, call: &Request, response: &Response) -> Look {
        let body: Value = serde_json::from_slice(&call.body).unwrap_or(Value::Null);
        let place = at(&body, "/chat_id");
        let html = at(&body, "/parse_mode").as_deref() == Some("HTML");
        let markup = if html { Markup::Html } else { Markup::Plain };
        match call.path.rsplit('/').next() {
            Some("sendChatAction") => Look::writing(place),
            Some("sendMessageDraft") => Look::draft(place, at(&body, "/text"), markup),
            Some("sendPhoto" | "sendDocument") => Look {
                place,
                id: at(&response.body_json(), "/result/message_id"),
                ..Look::message(with_file(&body), Markup::Html)
            },
            Some("sendMessage" | "editMessageText") => Look {
                place,
                id: at(&response.body_json(), "/result/message_id"),
                replaces: at(&body, "/message_id"),
                buttons: keys(&body),
                ..Look::message(at(&body, "/text"), markup)
            },
            _ => Look::default(),
        }
    }

    fn press(&self, message: &Message<'_>, under: &str) -> Event {
        let said = self.event(message);
        let update: Value = serde_json::from_slice(&said.request.body).unwrap_or(Value::Null);
        let part = |pointer: &str| update.pointer(pointer).cloned();
        let under = json!({"message_id": number(under), "chat": part("/message/chat"), "date": message.now.div_euclid(1_000)});
        let pressed = json!({"update_id": number(message.id), "callback_query": {
            "id": number(message.id).to_string(), "from": part("/message/from"), "message": under,
            "chat_instance": "1", "data": message.text,
        }});
        Event { request: Request { body: pressed.to_string().into_bytes(), ..said.request }, ..said }
    }
}

/// A file as a link below its caption.
fn with_file(body: &Value) -> Option<String> {
    let url = at(body, "/photo").or(at(body, "/document"))?;
    let name = url.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or(&url);
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    let caption = at(body, "/caption").filter(|caption| !caption.is_empty());
    let caption = caption.map(|caption| format!("{caption}\n")).unwrap_or_default();
    Some(format!("{caption}<a href=\"{}\">{}</a>", escaped(&url), escaped(name)))
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Supergroups have ids below -10^12.
fn group(name: &str) -> i64 {
    (-1_000_000_000_000_i64).saturating_sub(signed(number(name)))
}

fn command(text: &str) -> Value {
    let word = text.split_whitespace().next().filter(|word| word.len() > 1 && text.starts_with('/'));
    word.map_or(json!([]), |word| entity("bot_command", word))
}

fn mentioned(said: &str) -> (String, Value) {
    let Some(rest) = said.strip_prefix('/') else {
        return (format!("{BOT} {said}"), entity("mention", BOT));
    };
    let (name, rest) = rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len()));
    let word = format!("/{name}{BOT}");
    (format!("{word}{rest}"), entity("bot_command", &word))
}

/// An entity at the beginning of the text.
fn entity(kind: &str, word: &str) -> Value {
    json!([{"type": kind, "offset": 0, "length": text::length(word, channel::Unit::Utf16)}])
}

fn ok(result: Value) -> Answer {
    quiet(Response::json(200, &json!({"ok": true, "result": result})))
}

fn quiet(response: Response) -> Answer {
    Answer { response, said: Vec::new() }
}

fn refused(description: &str) -> Answer {
    quiet(Response::json(400, &json!({"ok": false, "error_code": 400, "description": description})))
}

fn said(body: &Value) -> Answer {
    let text = body.get("text").and_then(Value::as_str).unwrap_or("");
    let html = body.get("parse_mode").and_then(Value::as_str) == Some("HTML");
    let shown = if html { visible(text) } else { text.to_owned() };
    let Some(chat) = body.get("chat_id").filter(|chat| chat.is_i64()) else {
        return refused("Bad Request: chat_id is empty");
    };
    if shown.trim().is_empty() {
        return refused("Bad Request: message text is empty");
    }
    if html && !is_html(text) {
        return refused("Bad Request: can't parse entities");
    }
    if !text::fits(&shown, SPEC.text) {
        return refused("Bad Request: message is too long");
    }
    let new = json!(number(&sign::sha256_hex(body.to_string().as_bytes())));
    let id = body.get("message_id").unwrap_or(&new);
    let result = match body.get("draft_id") {
        Some(_) => json!(true),
        None => json!({"message_id": id, "chat": {"id": chat}, "text": shown}),
    };
    let response = json!({"ok": true, "result": result});
    Answer {
        response: Response::json(200, &response),
        said: vec![Said { reply_key: chat.to_string(), text: shown }],
    }
}

/// Whether Telegram would read it: tags that end in the order in which they began, nothing else that looks like one, and
/// its four named entities. <https://core.telegram.org/bots/api#html-style>
fn is_html(text: &str) -> bool {
    let entities = ["lt;", "gt;", "amp;", "quot;"];
    let mut open: Vec<&str> = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['<', '>', '&']) {
        let (mark, after) = rest.get(at..).unwrap_or("").split_at_checked(1).unwrap_or_default();
        let Some((tag, after_tag)) = after.split_once('>').filter(|_| mark == "<") else {
            if mark != "&" || !entities.iter().any(|entity| after.starts_with(entity)) {
                return false;
            }
            rest = after;
            continue;
        };
        rest = after_tag;
        match tag.strip_prefix('/') {
            Some(name) if open.pop() == Some(name) => {}
            Some(_) => return false,
            None => open.push(tag.split(' ').next().unwrap_or("")),
        }
    }
    let known = ["b", "i", "s", "code", "pre", "blockquote", "a"];
    open.is_empty() && text.split('<').skip(1).all(|tag| known.iter().any(|name| is_named(tag, name)))
}

fn is_named(tag: &str, name: &str) -> bool {
    let tag = tag.strip_prefix('/').unwrap_or(tag);
    tag.strip_prefix(name).is_some_and(|rest| rest.starts_with(['>', ' ']))
}

/// HTML as people see it.
fn visible(html: &str) -> String {
    let mut out = String::new();
    let mut in_tag = false;
    for c in html.chars() {
        match c {
            '<' => in_tag = true,
            '>' if in_tag => in_tag = false,
            _ if !in_tag => out.push(c),
            _ => {}
        }
    }
    out.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

fn keys(body: &Value) -> Vec<Button> {
    let rows = body.pointer("/reply_markup/inline_keyboard").and_then(Value::as_array);
    rows.into_iter().flatten().flat_map(|row| buttons(row, "", "/text", "/callback_data")).collect()
}

#[cfg(test)]
mod tests {
    use super::is_html;

    #[test]
    fn broken_html_is_known() {
        for good in ["", "a &lt; b", "<b>a <i>b</i></b>", "<a href=\"https://e.com/?a=1&amp;b\">x</a>"] {
            assert!(is_html(good), "{good}");
        }
        for bad in ["a < b", "a > b", "a & b", "<b>a", "a</b>", "<b><i>a</b></i>", "<div>a</div>", "&nbsp;"] {
            assert!(!is_html(bad), "{bad}");
        }
    }
}
