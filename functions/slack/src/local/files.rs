//! Files that are handed over to Slack, as it takes them.

use channel::local::{Answer, Said, at, number};
use channel::{Request, Response, sign};
use serde_json::{Value, json};

use super::{form, ok, refused};

/// What the place of a file's bytes begins with, below the API's base.
pub const BYTES: &str = "upload/v1/";

/// A place for a file of that name and length.
pub fn reserved(request: &Request) -> Answer {
    let form = form(request);
    let length = form.query("length").and_then(|length| length.parse::<usize>().ok()).unwrap_or(0);
    let is_form = request.headers.get("content-type") == Some("application/x-www-form-urlencoded");
    match form.query("filename") {
        Some(name) if is_form && length > 0 && !name.is_empty() => {
            let id = format!("F0{:012}", number(&sign::sha256_hex(&request.body)));
            let place = match request.headers.get("host") {
                Some(host) => format!("http://{host}/slack/api/{BYTES}{id}-{length}"),
                None => format!("https://files.slack.com/{BYTES}{id}-{length}"),
            };
            silent(ok(json!({ "upload_url": place, "file_id": id })))
        }
        _ => refused("missing_argument"),
    }
}

/// The bytes, as many as were announced.
pub fn taken(place: &str, request: &Request) -> Answer {
    let length = place.rsplit('-').next().and_then(|length| length.parse().ok());
    let whole = length == Some(request.body.len()) && request.headers.get("authorization").is_none();
    let (status, text) = if whole { (200, "OK") } else { (400, "not what was announced") };
    silent(Response::text(status, text))
}

/// The file appears.
pub fn shared(body: &Value) -> Answer {
    let (id, title) = (at(body, "/files/0/id"), at(body, "/files/0/title"));
    let (Some(id), Some(title), Some(channel)) = (id, title, at(body, "/channel_id")) else {
        return refused("invalid_arguments");
    };
    if !id.starts_with("F0") {
        return refused("file_not_found");
    }
    let thread = at(body, "/thread_ts");
    let reply_key = thread.map_or_else(|| channel.clone(), |thread| format!("{channel}:{thread}"));
    let response = ok(json!({ "files": [{ "id": id, "title": title }] }));
    Answer { response, said: vec![Said { reply_key, text: format!("[{title}: {id}]") }] }
}

fn silent(response: Response) -> Answer {
    Answer { response, said: Vec::new() }
}
