use std::time::Duration;

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};

use super::server::{Reply, Server};
use super::{LIMITS, QUESTION, ask, busy, clients, config, interrupted};
use crate::bedrock::Bedrock;
use crate::{Error, Stop, Usage};

fn bedrock(server: &Server) -> Bedrock {
    Bedrock::new(config("bedrock", "amazon.nova-lite-v1:0", &server.url), &clients(), LIMITS).unwrap()
}

/// A frame of an event stream: <https://docs.aws.amazon.com/transcribe/latest/dg/event-stream.html>.
pub(super) fn frame(kind: &str, name: &str, payload: &str) -> Vec<u8> {
    let header =
        |name: &'static str, value: &str| Header::new(name, HeaderValue::String(value.to_owned().into()));
    let type_of = if kind == "exception" { ":exception-type" } else { ":event-type" };
    let message = Message::new(payload.as_bytes().to_vec())
        .add_header(header(":message-type", kind))
        .add_header(header(type_of, name))
        .add_header(header(":content-type", "application/json"));
    let mut bytes = Vec::new();
    write_message_to(&message, &mut bytes).unwrap();
    bytes
}

fn event(name: &str, payload: &str) -> Vec<u8> {
    frame("event", name, payload)
}

fn text(text: &str) -> Vec<u8> {
    event(
        "contentBlockDelta",
        &serde_json::json!({"contentBlockIndex": 0, "delta": {"text": text}}).to_string(),
    )
}

fn events() -> Reply {
    Reply::new(200, &[("content-type", "application/vnd.amazon.eventstream")])
        .then(event("messageStart", r#"{"role":"assistant"}"#))
}

#[tokio::test]
async fn an_answer_streams_in() {
    let reply = events()
        .then(text("Hel"))
        .then(text("lo"))
        .then(event("contentBlockStop", r#"{"contentBlockIndex":0}"#))
        .then(event("messageStop", r#"{"stopReason":"end_turn"}"#))
        .then(event(
            "metadata",
            r#"{"usage":{"inputTokens":10,"outputTokens":4,"totalTokens":30,"cacheReadInputTokens":16},"metrics":{"latencyMs":5}}"#,
        ));
    let server = Server::start(vec![reply]).await;
    let outcome = ask(&bedrock(&server)).await;
    let answer = outcome.result.unwrap();
    assert_eq!((answer.text.as_str(), answer.stop), ("Hello", Stop::End));
    assert_eq!(outcome.pieces, ["Hel", "lo"]);
    assert_eq!(answer.usage, Usage { input: 26, output: 4, cached: 16, reasoning: 0 });
    let request = &server.requests()[0];
    assert!(
        request.starts_with("POST /model/amazon.nova-lite-v1%3A0/converse-stream HTTP/1.1\r\n"),
        "{request}"
    );
    assert!(request.contains("authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"), "{request}");
    let body = server.body();
    assert_eq!(body["inferenceConfig"], serde_json::json!({"maxTokens": 100}));
    assert_eq!(body["system"][0]["text"], "be brief");
    assert_eq!(body["messages"][2]["content"][0]["text"], QUESTION);
}

#[tokio::test]
async fn failures_are_judged_by_what_to_do_next() {
    let check = async |status: u16, code: &str, message: &str, expected: &str| {
        let body = serde_json::json!({"message": format!("{message} {QUESTION}")}).to_string();
        let reply = Reply::json(status, &[("x-amzn-errortype", code), ("retry-after", "2")], &body);
        let server = Server::start(vec![reply]).await;
        let result = ask(&bedrock(&server)).await.result;
        if expected == "Busy" {
            assert_eq!(busy(&result), Some(Duration::from_secs(2)));
        }
        let error = format!("{:?}", result.unwrap_err());
        assert!(error.starts_with(expected), "{code}: {error}");
        assert_eq!(server.requests().len(), 1);
    };
    check(429, "ThrottlingException", "Too many requests", "Busy").await;
    check(503, "ServiceUnavailableException", "", "Busy").await;
    check(500, "InternalServerException", "", "Busy").await;
    check(403, "AccessDeniedException", "You don't have access", "NotSetUp").await;
    check(404, "ResourceNotFoundException", "", "NotSetUp").await;
    check(403, "UnrecognizedClientException", "", "NotSetUp").await;
    check(400, "ValidationException", "The provided model identifier is invalid.", "NotSetUp").await;
    check(400, "ValidationException", "Input is too long for requested model.", "TooLong").await;
    check(400, "ValidationException", "something else", "Unfit").await;
    check(501, "UnknownOperationException", "", "Busy").await;
}

#[tokio::test]
async fn throttling_in_the_stream_is_busy_or_leaves_what_was_written() {
    let throttled = || frame("exception", "throttlingException", r#"{"message":"slow down"}"#);
    let server = Server::start(vec![events().then(throttled())]).await;
    busy(&ask(&bedrock(&server)).await.result);
    let server = Server::start(vec![events().then(text("Hello")).then(throttled())]).await;
    assert_eq!(interrupted(ask(&bedrock(&server)).await.result), "Hello");
}

#[tokio::test]
async fn a_stream_that_breaks_off_or_falls_silent_is_no_answer() {
    let server = Server::start(vec![events().then(text("Hello"))]).await;
    assert_eq!(interrupted(ask(&bedrock(&server)).await.result), "Hello");
    let server = Server::start(vec![events().after(Duration::from_secs(5), "")]).await;
    let outcome = ask(&bedrock(&server)).await;
    busy(&outcome.result);
    assert!(outcome.took < Duration::from_secs(2), "{:?}", outcome.took);
}

#[tokio::test]
async fn an_endpoint_that_does_not_run_is_busy() {
    let server = Server::start(vec![]).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    let result = ask(&bedrock(&server)).await.result;
    assert!(matches!(result, Err(Error::Busy { .. })), "{result:?}");
}
