//! Every provider's answers as its documentation shows them, what we ask to get them, and what we make of them.
//!
//! `recorded/<provider>/<case>.sse` is an answer (`.events`: one event a line, made into frames here);
//! `<case>.json` beside it is what comes of it. `UPDATE=1 cargo test -p model` writes the latter.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::server::{Reply, Server};
use super::{LIMITS, Outcome, ask_for, bedrock, clients, config};
use crate::bedrock::Bedrock;
use crate::chat::{Chat, Provider};
use crate::{Answer, Ask, Error, Image, Message, Model, ModelConfig, Role, ToolCall, ToolSpec};

const CASES: &[&str] = &["happy", "tools", "thinking", "error", "limited", "truncated", "unfit"];

/// What of a request's head differs between providers.
const HEADERS: &[&str] = &["authorization", "x-api-key", "x-goog-api-key", "anthropic-version"];

/// Asks with each recorded answer, and compares what was sent and what came of it with the goldens.
async fn check(name: &str, model: &str, build: impl Fn(ModelConfig) -> Box<dyn Model>) {
    for case in CASES {
        let replies = vec![recorded(name, case), recorded(name, "happy")];
        let server = Server::start(replies).await;
        let config = ModelConfig { reasoning: *case == "thinking", ..config(name, model, &server.url) };
        let model = build(config);
        let outcome = ask_for(model.as_ref(), &rich()).await;
        let mut golden = json!({ "pieces": outcome.pieces, "result": shown(&outcome) });
        if *case == "happy" || *case == "thinking" {
            golden["request"] = request(&server.requests()[0]);
        }
        if let (Ok(answer), "thinking") = (&outcome.result, *case) {
            ask_for(model.as_ref(), &with_results(answer)).await;
            golden["request with the results"] = body(&server.requests()[1]);
        }
        compare(&folder(name).join(format!("{case}.json")), &golden);
    }
}

fn chat(provider: Provider) -> impl Fn(ModelConfig) -> Box<dyn Model> {
    move |config| Box::new(Chat::new(provider, config, &clients(), LIMITS).unwrap())
}

#[tokio::test]
async fn openai() {
    check("openai", "gpt-5.6-mini", chat(Provider::OpenAi)).await;
}

#[tokio::test]
async fn responses() {
    check("responses", "gpt-5.6-mini", chat(Provider::Responses)).await;
}

#[tokio::test]
async fn compatible() {
    check("compatible", "qwen3:8b", chat(Provider::Compatible)).await;
}

#[tokio::test]
async fn anthropic() {
    check("anthropic", "claude-sonnet-4-6", chat(Provider::Anthropic)).await;
}

#[tokio::test]
async fn gemini() {
    check("gemini", "gemini-3-flash", chat(Provider::Gemini)).await;
}

#[tokio::test]
async fn azure() {
    check("azure", "my-deployment", chat(Provider::Azure)).await;
}

#[tokio::test]
async fn azure_responses() {
    check("azure_responses", "my-deployment", chat(Provider::AzureResponses)).await;
}

#[tokio::test]
async fn mistral() {
    check("mistral", "mistral-medium-latest", chat(Provider::Mistral)).await;
}

#[tokio::test]
async fn groq() {
    check("groq", "openai/gpt-oss-120b", chat(Provider::Groq)).await;
}

#[tokio::test]
async fn openrouter() {
    check("openrouter", "anthropic/claude-sonnet-4.6", chat(Provider::OpenRouter)).await;
}

#[tokio::test]
async fn deepseek() {
    check("deepseek", "deepseek-reasoner", chat(Provider::DeepSeek)).await;
}

#[tokio::test]
async fn ollama() {
    check("ollama", "qwen3:8b", chat(Provider::Ollama)).await;
}

#[tokio::test]
async fn on_bedrock() {
    let build = |config| Box::new(Bedrock::new(config, &clients(), LIMITS).unwrap()) as Box<dyn Model>;
    check("bedrock", "us.anthropic.claude-sonnet-4-6", build).await;
}

/// A question with everything in it: names, a picture, calls at once, one of them unreadable, their results.
fn rich() -> Ask {
    let message = |role, text: &str| Message { role, text: text.into(), ..Message::default() };
    let call = |id: &str, name: &str, arguments| ToolCall {
        id: id.into(),
        name: name.into(),
        arguments,
        signature: Some(json!({"model": "another model", "thoughts": "not for this one"})),
    };
    let result = |of: &str, text| Message { answers: Some(of.into()), ..message(Role::Tool, text) };
    let picture = Image { media_type: "image/png".into(), bytes: b"\x89PNG".to_vec() };
    let tool = |name: &str, description: &str, schema| ToolSpec {
        name: name.into(),
        description: description.into(),
        schema,
    };
    Ask {
        system: "be brief".into(),
        messages: vec![
            message(Role::User, "hi"),
            message(Role::Assistant, "hello"),
            Message {
                images: vec![picture],
                name: Some("Ann".into()),
                ..message(Role::User, "is this Graz?")
            },
            Message {
                calls: vec![
                    call("first", "get_weather", json!({"city": "Graz"})),
                    call("second", "list_notes", json!("{oops")),
                ],
                ..message(Role::Assistant, "One moment.")
            },
            result("second", "the arguments are no JSON object"),
            result("first", "sunny"),
        ],
        tools: vec![
            tool(
                "get_weather",
                "The weather of a city.",
                json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}),
            ),
            tool("list_notes", "All notes.", json!({"type": "object", "properties": {}})),
        ],
        max_output_tokens: 1_000,
        temperature: Some(0.5),
    }
}

/// The next question of the same turn.
fn with_results(answer: &Answer) -> Ask {
    let asked = Message { text: "is it sunny?".into(), ..Message::default() };
    let called = Message {
        role: Role::Assistant,
        text: answer.text.clone(),
        calls: answer.calls.clone(),
        ..Message::default()
    };
    let result = |call: &ToolCall| Message {
        role: Role::Tool,
        text: "sunny".into(),
        answers: Some(call.id.clone()),
        ..Message::default()
    };
    let results: Vec<Message> = answer.calls.iter().map(result).collect();
    let messages = [vec![asked, called], results].concat();
    Ask { messages, ..rich() }
}

fn shown(outcome: &Outcome) -> Value {
    let call = |call: &ToolCall| json!({"id": call.id, "name": call.name, "arguments": call.arguments, "signature": call.signature});
    match &outcome.result {
        Ok(answer) => json!({
            "text": answer.text,
            "calls": answer.calls.iter().map(call).collect::<Vec<_>>(),
            "usage": format!("{:?}", answer.usage),
            "stop": format!("{:?}", answer.stop),
        }),
        Err(Error::Interrupted { partial, why }) => json!({"interrupted": why, "after": partial.0}),
        Err(Error::Busy { retry_after, why }) => {
            json!({"busy": why, "retry_after": format!("{retry_after:?}")})
        }
        Err(error) => json!({ "error": error.to_string() }),
    }
}

fn request(request: &str) -> Value {
    let (head, _) = request.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let first = lines.next().unwrap();
    let headers = lines.filter_map(|line| line.split_once(": "));
    // A signature of AWS differs each time.
    let headers =
        headers.map(|(name, value)| (name.to_ascii_lowercase(), value.split(" Credential=").next().unwrap()));
    let headers = headers.filter(|(name, _)| HEADERS.contains(&name.as_str()));
    let mut headers: Vec<String> = headers.map(|(name, value)| format!("{name}: {value}")).collect();
    headers.sort();
    json!({ "line": first, "headers": headers, "body": body(request) })
}

fn body(request: &str) -> Value {
    let (_, body) = request.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap()
}

fn recorded(name: &str, case: &str) -> Reply {
    let path = |kind: &str| folder(name).join(format!("{case}.{kind}"));
    let is_events = path("events").exists();
    let text = std::fs::read_to_string(path(if is_events { "events" } else { "sse" })).unwrap();
    let (head, body) = text.split_once("\n\n").unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers: Vec<(&str, &str)> = lines.map(|line| line.split_once(": ").unwrap()).collect();
    let reply = Reply::new(status, &headers);
    if is_events && status == 200 {
        return body.lines().fold(reply, |reply, line| {
            let mut parts = line.splitn(3, ' ');
            let mut part = || parts.next().unwrap();
            reply.then(bedrock::frame(part(), part(), part()))
        });
    }
    // Cut where no provider would cut, in the middle of words and characters.
    body.as_bytes().chunks(101).fold(reply, Reply::then)
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tests/recorded").join(name)
}

fn compare(path: &Path, got: &Value) {
    let got = format!("{}\n", serde_json::to_string_pretty(&sorted(got)).unwrap());
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &got).unwrap();
    }
    let expected = std::fs::read_to_string(path).unwrap_or_default();
    assert_eq!(got, expected, "{}: UPDATE=1 writes it anew", path.display());
}

/// The AWS SDK sends the fields of a schema in any order.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> =
                fields.iter().map(|(name, value)| (name.clone(), sorted(value))).collect();
            fields.sort_by(|(one, _), (other, _)| one.cmp(other));
            Value::Object(fields.into_iter().collect())
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}
