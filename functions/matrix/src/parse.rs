//! What an authentic request says: <https://spec.matrix.org/latest/application-service-api/#homeserver---application-service-api>.

mod event;
mod text;

use channel::{Context, Inbound, Received, Response, Verified};
use serde_json::json;

use crate::spec::USER_ID;

/// Where everything of the API begins; a registration's own address may have more before it.
const ROOT: &str = "/_matrix/app/v1/";
/// What an address ends with that is for direct chats.
const DIRECT: &str = "/direct";

/// Who we are, and where an account is registered for.
#[derive(Clone, Copy)]
pub(super) struct Us<'a> {
    /// `None` where the operator has not said.
    id: Option<&'a str>,
    direct: bool,
}

pub fn parse(verified: &Verified<'_>, ctx: &Context<'_>) -> Received {
    let request = verified.request();
    let Some((before, endpoint)) = request.path.split_once(ROOT) else { return unrecognized() };
    let us = Us { id: ctx.secrets.get(USER_ID), direct: before.ends_with(DIRECT) };
    let (endpoint, name) = endpoint.split_once('/').unwrap_or((endpoint, ""));
    match (request.method.as_str(), endpoint) {
        ("PUT", "transactions") => transaction(&request.body, us, ctx),
        ("POST", "ping") => Received::Handshake(done()),
        // The homeserver asks whether somebody in our namespace exists, before it invites him.
        ("GET", "users") if Some(channel::encode::decode(name).as_str()) == us.id => {
            Received::Handshake(done())
        }
        ("GET", "users" | "rooms") => Received::Nothing(error(404, "M_NOT_FOUND"), "query"),
        _ => unrecognized(),
    }
}

fn transaction(body: &[u8], us: Us<'_>, ctx: &Context<'_>) -> Received {
    let mut ignored = "no events";
    let read = |event| event::inbound(event, us, ctx).map_err(|kind| ignored = kind).ok();
    let inbound: Vec<Inbound> = events(body).into_iter().filter_map(read).collect();
    if inbound.is_empty() {
        return Received::Nothing(done(), ignored);
    }
    Received::Events { ack: done(), on_failure: error(503, "M_UNKNOWN"), inbound }
}

/// The objects in the lists of a transaction, each as it stands. Anybody in a room may send what cannot be parsed (one that
/// is nested too deep, say); that must not take the others of its transaction with it, which never come again.
fn events(body: &[u8]) -> Vec<&[u8]> {
    let (mut depth, mut start, mut in_text, mut escaped) = (0_usize, 0, false, false);
    let mut events = Vec::new();
    for (at, byte) in body.iter().enumerate() {
        match (in_text, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_text = !in_text,
            (false, b'{' | b'[') => {
                // {"events": [{
                if depth == 2 {
                    start = at;
                }
                depth += 1;
            }
            (false, b'}' | b']') => {
                depth = depth.saturating_sub(1);
                if depth == 2 {
                    events.extend(body.get(start..=at));
                }
            }
            _ => {}
        }
    }
    events
}

fn done() -> Response {
    Response::json(200, &json!({}))
}

fn error(status: u16, code: &str) -> Response {
    Response::json(status, &json!({ "errcode": code }))
}

/// <https://spec.matrix.org/latest/application-service-api/#unknown-routes>
fn unrecognized() -> Received {
    Received::Nothing(error(404, "M_UNRECOGNIZED"), "unknown path")
}
