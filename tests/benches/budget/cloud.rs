//! Everything that the functions talk to, on one address: SQS, Parameter Store, DynamoDB, a model, the channel's platform.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use channel::Headers;
use channel::local::Local;
use serde_json::{Value, json};

use crate::events::CHANNEL;
use crate::server::{Reply, Request};
use crate::table::Table;

/// The model answers with this many characters, 300 tokens of them.
const ANSWER_CHARS: usize = 1_200;
/// In so many chunks, which leave in one write.
const CHUNKS: usize = 10;
/// Or in so many, each in its own.
const STREAMED_CHUNKS: usize = 200;

/// One cloud for one process after the other.
#[derive(Default)]
pub struct Cloud(Mutex<State>);

#[derive(Default)]
struct State {
    parameters: BTreeMap<String, String>,
    table: Table,
    /// By operation or the end of their path.
    calls: BTreeMap<String, u64>,
}

impl Cloud {
    /// Empties it, but for these parameters and that configuration.
    pub fn reset(&self, parameters: &BTreeMap<String, String>, configuration: &str) {
        let mut state = State { parameters: parameters.clone(), ..State::default() };
        let item = json!({
            "pk": {"S": "CONFIG"}, "sk": {"S": "CURRENT"}, "json": {"S": configuration},
            "version": {"N": "1"}, "good": {"N": "1"}, "at": {"N": "0"},
        });
        state.table.seed(item.as_object().cloned().unwrap_or_default());
        *self.0.lock().expect("no handler panics") = state;
    }

    /// Calls since, by operation or the end of their path.
    pub fn calls(&self) -> BTreeMap<String, u64> {
        self.0.lock().expect("no handler panics").calls.clone()
    }

    pub fn answer(&self, request: &Request) -> Reply {
        let mut state = self.0.lock().expect("no handler panics");
        let operation = request.operation.rsplit('.').next().unwrap_or_default();
        // Only the end of a path: tokens stand before it.
        let end = request.path.rsplit('/').next().unwrap_or_default();
        let name = if operation.is_empty() { end } else { operation };
        *state.calls.entry(name.to_owned()).or_default() += 1;
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        match request.operation.split(['_', '.']).next().unwrap_or_default() {
            "AmazonSQS" => aws(200, queue(operation, &body)),
            "AmazonSSM" => aws(200, state.parameters(&body)),
            "DynamoDB" => match state.table.call(operation, &body) {
                Ok(answer) => aws(200, answer),
                Err(error) => aws(400, error),
            },
            _ => elsewhere(request),
        }
    }
}

impl State {
    fn parameters(&self, request: &Value) -> Value {
        let below = format!("{}/", request["Path"].as_str().unwrap_or_default());
        let found = self.parameters.iter().filter(|(name, _)| name.starts_with(&below));
        let parameter =
            |(name, value)| json!({"Name": name, "Type": "SecureString", "Value": value, "Version": 1});
        json!({"Parameters": found.map(parameter).collect::<Vec<_>>()})
    }
}

fn aws(status: u16, body: Value) -> Reply {
    Reply::new(status, "application/x-amz-json-1.0", body.to_string())
}

fn queue(operation: &str, request: &Value) -> Value {
    let message = json!({"MessageId": "m", "MD5OfMessageBody": "0".repeat(32)});
    match operation {
        "SendMessageBatch" => {
            let entries = request["Entries"].as_array().into_iter().flatten();
            let taken = entries.map(
                |entry| json!({"Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": "0".repeat(32)}),
            );
            json!({"Successful": taken.collect::<Vec<_>>(), "Failed": []})
        }
        "SendMessage" => message,
        "ChangeMessageVisibility" => json!({}),
        other => panic!("the bench's queue does not know {other}: add it"),
    }
}

/// `/model/<whole|streamed>/…` is the model, `/<channel>/<base>/…` the platform.
fn elsewhere(request: &Request) -> Reply {
    match request.path.trim_start_matches('/').split_once('/') {
        Some(("model", path)) if path.ends_with("/chat/completions") => model(path.starts_with("streamed/")),
        Some((name, path)) if name == CHANNEL => platform(crate::events::room(), path, request),
        _ => Reply::new(404, "text/plain", "the bench knows no such address"),
    }
}

fn platform(room: &dyn Local, path: &str, request: &Request) -> Reply {
    let url = format!("https://localhost/{path}");
    let request = channel::Request::new(&request.method, &url, Headers::default(), request.body.clone());
    let answer = room.answer(&request).response;
    Reply::new(answer.status, "application/json", answer.body)
}

/// An OpenAI-compatible stream: <https://platform.openai.com/docs/api-reference/chat-streaming>
fn model(streamed: bool) -> Reply {
    let chunks = if streamed { STREAMED_CHUNKS } else { CHUNKS };
    let text: String = "a few words ".chars().cycle().take(ANSWER_CHARS / chunks).collect();
    let event = |choices: Value, usage: Value| {
        let chunk = json!({
            "id": "c", "object": "chat.completion.chunk", "created": 1, "model": "bench", "choices": choices, "usage": usage,
        });
        format!("data: {chunk}\n\n").into_bytes()
    };
    let delta = |delta: Value, end: Value| json!([{"index": 0, "delta": delta, "finish_reason": end}]);
    let mut pieces: Vec<Vec<u8>> = (0..chunks)
        .map(|_| event(delta(json!({"role": "assistant", "content": text}), Value::Null), Value::Null))
        .collect();
    pieces.push(event(delta(json!({}), json!("stop")), Value::Null));
    pieces.push(event(
        json!([]),
        json!({"prompt_tokens": 1_500, "completion_tokens": 300, "total_tokens": 1_800}),
    ));
    pieces.push(b"data: [DONE]\n\n".to_vec());
    let mut reply = Reply::new(200, "text/event-stream", "");
    reply.pieces = if streamed { pieces } else { vec![pieces.concat()] };
    reply.pause = Duration::from_millis(1);
    reply
}
