//! What the rooms' own tests are made of: recorded requests in `events/<channel>`, judged under named secrets.
#![expect(clippy::expect_used, reason = "only tests read what is recorded: what is missing must stop them")]

use std::path::PathBuf;

use serde_json::Value;

use super::Local;
use crate::{
    Body, Channel, Context, Headers, Inbound, PostContext, Received, Reject, Request, Secrets, Step, Way,
};

/// When what is recorded is judged, Unix milliseconds.
pub const NOW: i64 = 1_795_000_002_000;

/// The file `path` below the channel's folder.
pub fn read(channel: &str, path: &str) -> Value {
    let events = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../events").join(channel);
    let text = std::fs::read(events.join(path)).expect("a recorded file");
    serde_json::from_slice(&text).expect("JSON")
}

/// A recorded request or one of a vector, as it stands.
pub fn request(from: &Value) -> Request {
    let text = |name: &str| from.get(name).and_then(Value::as_str);
    let url = text("url").or(text("path")).unwrap_or("/");
    let headers = from.get("headers").cloned().unwrap_or_default();
    let headers: Headers = serde_json::from_value(headers).expect("headers by name");
    Request::new(text("method").expect("a method"), url, headers, text("body").unwrap_or_default())
}

/// Secrets by name, as vectors name them.
pub fn named(secrets: &Value) -> Secrets {
    let named = secrets.as_object().expect("secrets by name").iter();
    named.map(|(name, value)| (name.clone(), value.as_str().expect("text").to_owned())).collect()
}

/// Judges a request at [`NOW`].
///
/// # Errors
/// What the room rejects.
pub fn receive(
    room: &dyn Channel,
    request: &Request,
    secrets: &Secrets,
    settings: &Value,
) -> Result<Received, Reject> {
    let keys = Default::default();
    room.receive(request, &Context { account: "main", secrets, settings, keys: &keys, now: NOW })
}

/// What the recorded request `receive/<case>.json` comes to, signed with these secrets and under its own settings.
pub fn received(room: &dyn Local, case: &str, secrets: &Secrets) -> Received {
    let recorded = read(room.spec().name, &format!("receive/{case}.json"));
    let signed = room.sign(request(recorded.get("request").expect("a request")), secrets, NOW);
    let settings = recorded.get("settings").unwrap_or(&Value::Null);
    receive(room, &signed, secrets, settings).expect("what is recorded is authentic")
}

/// Its messages, or why there is none.
///
/// # Errors
/// The kind of what is ignored.
pub fn came_to(room: &dyn Local, case: &str, secrets: &Secrets) -> Result<Vec<Inbound>, &'static str> {
    match received(room, case, secrets) {
        Received::Handshake(_) => Err("handshake"),
        Received::Nothing(_, kind) => Err(kind),
        Received::Events { inbound, .. } => Ok(inbound),
    }
}

/// How an answer is written at [`NOW`], under the key `k`.
pub fn context(way: Way, settings: &Value) -> PostContext<'_> {
    PostContext { settings, key: "k", way, plain: false, now: NOW }
}

/// The JSON of a call.
pub fn body(step: &Step) -> &Value {
    let (Body::Json(body) | Body::JsonWithSecrets { value: body, .. }) = &step.body else {
        return &Value::Null;
    };
    body
}
