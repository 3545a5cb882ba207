//! Programs of an operator's, for tests: tools and hooks over HTTP, a server that speaks MCP. On 127.0.0.1.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// What answers a request, by path and body.
type Answer = dyn Fn(&str, &Value) -> (u16, Value) + Send + Sync;

/// A running server that remembers what it was asked. Ends with the test's process.
pub struct Programs {
    pub url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

/// A request that came.
#[derive(Debug, Clone)]
pub struct Asked {
    pub path: String,
    pub headers: HeaderMap,
    pub raw: Vec<u8>,
    /// The body as JSON; null where it is none.
    pub body: Value,
}

impl Asked {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

struct Stage {
    asked: Arc<Mutex<Vec<Asked>>>,
    answer: Box<Answer>,
}

impl Programs {
    /// Listens in a thread of its own: it serves whatever runtime the test is in.
    pub fn start(answer: impl Fn(&str, &Value) -> (u16, Value) + Send + Sync + 'static) -> Programs {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("a listener for tokio");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let stage = Arc::new(Stage { asked: asked.clone(), answer: Box::new(answer) });
        std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
                axum::serve(listener, Router::new().fallback(play).with_state(stage))
                    .await
                    .expect("a server");
            });
        });
        Programs { url, asked }
    }

    /// What it was asked at that path, in order.
    pub fn asked(&self, path: &str) -> Vec<Asked> {
        let asked = self.asked.lock().expect("no panic while it was held");
        asked.iter().filter(|asked| asked.path == path).cloned().collect()
    }
}

async fn play(State(stage): State<Arc<Stage>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let json: Value = serde_json::from_slice(&body).unwrap_or_default();
    let path = uri.path().to_owned();
    let asked = Asked { path: path.clone(), headers, raw: body.to_vec(), body: json.clone() };
    stage.asked.lock().expect("no panic while it was held").push(asked);
    let (status, answer) = (stage.answer)(&path, &json);
    let status = StatusCode::from_u16(status).expect("a status");
    // A request without an id is a notification of JSON-RPC: it has no answer.
    if answer.is_null() { status.into_response() } else { (status, axum::Json(answer)).into_response() }
}

/// A server's side of MCP with one tool for each name; `call` gives the text of its result.
/// <https://modelcontextprotocol.io/specification/2025-06-18/basic/transports>
pub fn mcp(tools: &[&str], request: &Value, call: impl Fn(&str, &Value) -> String) -> (u16, Value) {
    let result = match request["method"].as_str().unwrap_or_default() {
        "initialize" => json!({
            "protocolVersion": request["params"]["protocolVersion"],
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "test", "version": "1"},
        }),
        "tools/list" => {
            let tool = |name: &&str| {
                json!({"name": name, "description": format!("does {name}"), "inputSchema": {"type": "object"},
                "annotations": {"readOnlyHint": true}})
            };
            json!({"tools": tools.iter().map(tool).collect::<Vec<_>>()})
        }
        "tools/call" => {
            let params = &request["params"];
            let text = call(params["name"].as_str().unwrap_or_default(), &params["arguments"]);
            json!({"content": [{"type": "text", "text": text}], "isError": false})
        }
        "ping" => json!({}),
        _ if request["id"].is_null() => return (202, Value::Null),
        _ => {
            return (
                200,
                json!({"jsonrpc": "2.0", "id": request["id"], "error": {"code": -32601, "message": "unknown"}}),
            );
        }
    };
    (200, json!({"jsonrpc": "2.0", "id": request["id"], "result": result}))
}
