use super::server::{Reply, Server};
use super::{KEY, LIMITS, QUESTION, ask, busy, clients, config, interrupted};
use crate::chat::{Chat, Provider};
use crate::{Error, Stop, Usage};

const START: (&str, &str) = (
    "message_start",
    r#"{"type":"message_start","message":{"id":"m","role":"assistant","content":[],"usage":{"input_tokens":4,"cache_read_input_tokens":16,"output_tokens":1}}}"#,
);
const BLOCK: (&str, &str) = (
    "content_block_start",
    r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
);
const HELLO: (&str, &str) = (
    "content_block_delta",
    r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hello"}}"#,
);

fn chat(server: &Server) -> Chat {
    Chat::new(Provider::Anthropic, config("anthropic", "claude", &server.url), &clients(), LIMITS).unwrap()
}

fn error(kind: &str) -> String {
    format!(r#"{{"type":"error","error":{{"type":"{kind}","message":"about {QUESTION}"}}}}"#)
}

#[tokio::test]
async fn an_answer_streams_in() {
    let server = Server::start(vec![Reply::sse(&[
        START,
        BLOCK,
        ("ping", r#"{"type":"ping"}"#),
        HELLO,
        ("content_block_stop", r#"{"type":"content_block_stop","index":0}"#),
        (
            "message_delta",
            r#"{"type":"message_delta","delta":{"stop_reason":"max_tokens"},"usage":{"output_tokens":7}}"#,
        ),
        ("message_stop", r#"{"type":"message_stop"}"#),
    ])])
    .await;
    let answer = ask(&chat(&server)).await.result.unwrap();
    assert_eq!((answer.text.as_str(), answer.stop), ("Hello", Stop::Length));
    assert_eq!(answer.usage, Usage { input: 20, output: 7, cached: 16, reasoning: 0 });
    let request = &server.requests()[0];
    assert!(request.starts_with("POST /v1/messages HTTP/1.1\r\n"), "{request}");
    assert!(request.contains(&format!("x-api-key: {KEY}\r\n")), "{request}");
    let body = server.body();
    assert_eq!((&body["model"], &body["max_tokens"]), (&"claude".into(), &100.into()));
    assert!(body["system"].to_string().contains("be brief"), "{body}");
    assert_eq!(body["messages"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn overload_is_busy_before_the_stream_and_at_its_start() {
    let before = Reply::json(529, &[], &error("overloaded_error"));
    let at_start = Reply::sse(&[START, ("error", &error("overloaded_error"))]);
    for reply in [before, at_start] {
        let server = Server::start(vec![reply]).await;
        busy(&ask(&chat(&server)).await.result);
    }
}

#[tokio::test]
async fn overload_in_the_middle_leaves_what_was_written() {
    let reply = Reply::sse(&[START, BLOCK, HELLO, ("error", &error("overloaded_error"))]);
    let server = Server::start(vec![reply]).await;
    assert_eq!(interrupted(ask(&chat(&server)).await.result), "Hello");
}

#[tokio::test]
async fn a_long_conversation_and_an_empty_account_are_told_apart() {
    let said = |message: &str| {
        format!(r#"{{"type":"error","error":{{"type":"invalid_request_error","message":"{message}"}}}}"#)
    };
    let reply = Reply::json(400, &[], &said("prompt is too long: 210000 tokens > 200000 maximum"));
    let server = Server::start(vec![reply]).await;
    assert!(matches!(ask(&chat(&server)).await.result, Err(Error::TooLong)));
    let reply = Reply::json(400, &[], &said("Your credit balance is too low"));
    let server = Server::start(vec![reply]).await;
    assert!(matches!(ask(&chat(&server)).await.result, Err(Error::NotSetUp(_))));
}
