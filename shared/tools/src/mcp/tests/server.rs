//! A server as <https://modelcontextprotocol.io/specification/2025-11-25/basic/transports> has it, with five tools.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::tests::{Reply, Seen, Stand};

/// How a server answers; all the specification's choices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// One JSON object.
    Json,
    /// A stream of events, a notification before the answer.
    Stream,
    /// Without sessions.
    Stateless,
    /// Without `initialize`: version 2026-07-28.
    Discovery,
    /// Not yet, at the first request.
    BusyOnce,
    /// With that status, whatever it is asked.
    Refusing(u16),
}

pub struct Server {
    pub url: String,
    stand: Stand,
    /// Number of the session that counts.
    session: Arc<AtomicUsize>,
}

impl Server {
    pub async fn new(manner: Manner) -> Server {
        let session = Arc::new(AtomicUsize::new(1));
        let counts = Arc::clone(&session);
        let stand = Stand::new(move |seen, before| match (manner, before) {
            (Manner::BusyOnce, 0) => Reply::new(503, ""),
            (Manner::BusyOnce, _) => answer(seen, Manner::Json, counts.load(Ordering::Relaxed)),
            _ => answer(seen, manner, counts.load(Ordering::Relaxed)),
        })
        .await;
        Server { url: stand.url.clone(), stand, session }
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.stand.seen()
    }

    /// Requests of the sessions that there are get a 404 from now on.
    pub fn forget_sessions(&self) {
        self.session.fetch_add(1, Ordering::Relaxed);
    }
}

fn answer(seen: &Seen, manner: Manner, session: usize) -> Reply {
    if let Manner::Refusing(status) = manner {
        return Reply::new(status, "<p>secret words</p>").header("content-type", "text/html");
    }
    let session = format!("s-{session}");
    let with_sessions = matches!(manner, Manner::Json | Manner::Stream);
    let question = seen.json();
    let method = question["method"].as_str().unwrap_or_default();
    match (seen.method.as_str(), method) {
        ("GET", _) => return Reply::new(405, ""),
        ("POST", "initialize" | "server/discover") => {}
        _ if with_sessions && seen.header("mcp-session-id") != session => return Reply::new(404, ""),
        ("DELETE", _) => return Reply::new(204, ""),
        _ => {}
    }
    if method.starts_with("notifications/") {
        return Reply::new(202, "");
    }
    let message = match result(method, &question["params"], manner) {
        Ok(Some(result)) => json!({"jsonrpc": "2.0", "id": question["id"], "result": result}),
        Ok(None) => return Reply::new(500, "stack trace"),
        Err((_, "sleep")) => return Reply::never(),
        Err((code, message)) => {
            json!({"jsonrpc": "2.0", "id": question["id"], "error": {"code": code, "message": message}})
        }
    };
    let reply = if manner == Manner::Stream {
        let note = json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": "working"}});
        let events = format!("event: message\ndata: {note}\n\nevent: message\ndata: {message}\n\n");
        Reply::new(200, events).header("content-type", "text/event-stream")
    } else {
        Reply::json(message)
    };
    if with_sessions && method == "initialize" { reply.header("mcp-session-id", session) } else { reply }
}

/// The result, a JSON-RPC error, or nothing for a server that breaks down.
fn result(method: &str, params: &Value, manner: Manner) -> Result<Option<Value>, (i32, &'static str)> {
    match method {
        "initialize" if manner == Manner::Discovery => Err((-32601, "Method not found")),
        "initialize" => Ok(Some(json!({
            "protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": {"name": "stand", "version": "1"},
        }))),
        "server/discover" if manner == Manner::Discovery => Ok(Some(json!({
            "resultType": "complete", "supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}}, "ttlMs": 0, "cacheScope": "private",
        }))),
        "tools/list" => Ok(Some(tools(params["cursor"].as_str()))),
        "tools/call" => called(params),
        _ => Err((-32601, "Method not found")),
    }
}

/// In two pages.
fn tools(cursor: Option<&str>) -> Value {
    let tool = |name: &str, about: &str, read_only: Value| {
        json!({
            "name": name, "description": about, "annotations": {"readOnlyHint": read_only},
            "inputSchema": {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
        })
    };
    match cursor {
        None => {
            json!({"tools": [tool("search", "Searches the code", json!(true)), tool("write", "Writes a file", Value::Null)], "nextCursor": "2"})
        }
        Some(_) => {
            let more = ["fail", "sleep", "crash"].map(|name| tool(name, "", json!(true)));
            json!({ "tools": more })
        }
    }
}

fn called(params: &Value) -> Result<Option<Value>, (i32, &'static str)> {
    let text = params["arguments"]["text"].as_str();
    match (params["name"].as_str().unwrap_or_default(), text) {
        ("search", None) => Err((-32602, "text is missing")),
        ("search", Some(text)) => Ok(Some(json!({"content": [
            {"type": "text", "text": format!("found {text}")},
            {"type": "image", "data": "AAAA", "mimeType": "image/png"},
            {"type": "resource_link", "uri": "file:///run.rs", "name": "run.rs"},
        ]}))),
        ("write", _) => Ok(Some(json!({"content": [{"type": "text", "text": "written"}], "isError": false}))),
        ("fail", _) => Ok(Some(
            json!({"content": [{"type": "text", "text": "the repository is archived"}], "isError": true}),
        )),
        ("sleep", _) => Err((0, "sleep")),
        _ => Ok(None),
    }
}
