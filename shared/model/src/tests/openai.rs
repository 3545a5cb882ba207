use std::time::Duration;

use super::server::{Reply, Server};
use super::{KEY, LIMITS, QUESTION, ask, busy, clients, config, interrupted};
use crate::chat::{Chat, Provider};
use crate::{Error, Stop, Usage};

fn chat(server: &Server, model: &str) -> Chat {
    let config = config("openai", model, &format!("{}/v1", server.url));
    Chat::new(Provider::Compatible, config, &clients(), LIMITS).unwrap()
}

fn delta(text: &str) -> String {
    serde_json::json!({"choices": [{"index": 0, "delta": {"content": text}}]}).to_string()
}

pub(super) fn answer() -> Reply {
    Reply::sse(&[
        ("", r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}"#),
        ("", &delta("Hel")),
        ("", &delta("lo ☃")),
        ("", r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#),
        (
            "",
            r#"{"choices":[],"usage":{"prompt_tokens":20,"completion_tokens":5,"total_tokens":25,"prompt_tokens_details":{"cached_tokens":16}}}"#,
        ),
        ("", "[DONE]"),
    ])
}

#[tokio::test]
async fn an_answer_streams_in() {
    let server = Server::start(vec![answer()]).await;
    let outcome = ask(&chat(&server, "tiny-high")).await;
    let answer = outcome.result.unwrap();
    assert_eq!(answer.text, "Hello ☃");
    assert_eq!(outcome.pieces, ["Hel", "lo ☃"]);
    assert_eq!(answer.usage, Usage { input: 20, output: 5, cached: 16, reasoning: 0 });
    assert_eq!((answer.model.as_str(), answer.stop), ("openai tiny-high", Stop::End));
    let request = &server.requests()[0];
    assert!(request.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"), "{request}");
    assert!(request.contains(&format!("authorization: Bearer {KEY}\r\n")), "{request}");
    let body = server.body();
    // The whole name of the model, nothing cut off its end, and no effort made up from it.
    assert_eq!(body["model"], "tiny-high");
    assert!(body.get("reasoning_effort").is_none() && body.get("temperature").is_none(), "{body}");
    assert_eq!((&body["max_tokens"], &body["stream"]), (&100.into(), &true.into()));
    assert_eq!(body["messages"].as_array().unwrap().len(), 4);
    assert_eq!(body["messages"][3]["content"], QUESTION);
}

#[tokio::test]
async fn an_endpoint_that_does_not_stream_gives_one_piece() {
    let whole = r#"{"model":"m","choices":[{"index":0,"finish_reason":"length","message":{"role":"assistant","content":"Hello"}}],"usage":{"prompt_tokens":2,"completion_tokens":1}}"#;
    let server = Server::start(vec![Reply::json(200, &[], whole), Reply::json(200, &[], whole)]).await;
    let model = chat(&server, "m");
    busy(&ask(&model).await.result);
    let outcome = ask(&model).await;
    let answer = outcome.result.unwrap();
    assert_eq!((answer.text.as_str(), answer.stop, answer.usage.input), ("Hello", Stop::Length, 2));
    assert_eq!(outcome.pieces, ["Hello"]);
}

#[tokio::test]
async fn failures_are_judged_by_what_to_do_next() {
    let quoting = format!(r#"{{"error":{{"message":"you said {QUESTION} with {KEY}","type":"x"}}}}"#);
    let check = async |status: u16, body: String, expected: &str| {
        let server = Server::start(vec![Reply::json(status, &[], &body)]).await;
        let error = ask(&chat(&server, "m")).await.result.unwrap_err();
        let shown = format!("{error:?}");
        assert!(shown.starts_with(expected), "{status} {body}: {shown}");
    };
    let coded = |code: &str| format!(r#"{{"error":{{"message":"you said {QUESTION}","code":"{code}"}}}}"#);
    for status in [408, 429, 500, 502, 503, 504, 529] {
        check(status, quoting.clone(), "Busy").await;
    }
    for status in [302, 401, 402, 403, 404] {
        check(status, quoting.clone(), "NotSetUp").await;
    }
    check(429, coded("insufficient_quota"), "NotSetUp").await;
    check(400, coded("model_not_found"), "NotSetUp").await;
    check(400, coded("context_length_exceeded"), "TooLong").await;
    check(400, coded("content_filter"), "Refused").await;
    check(404, coded("No endpoints found that support image input"), "Unfit").await;
    check(500, coded("this model is missing data required for image input"), "Unfit").await;
    check(400, coded("API_KEY_INVALID"), "NotSetUp").await;
    for status in [400, 422] {
        check(status, quoting.clone(), "Unfit").await;
    }
    check(200, "data: {not json\n\n".into(), "Busy").await;
}

#[tokio::test]
async fn the_wanted_pause_is_passed_on() {
    for (header, value, expected) in [
        ("retry-after", "7", Some(Duration::from_secs(7))),
        ("retry-after-ms", "250", Some(Duration::from_millis(250))),
        ("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT", Some(Duration::ZERO)),
        ("retry-after", "soon", None),
        ("retry-after", "-1", None),
    ] {
        let server = Server::start(vec![Reply::json(429, &[(header, value)], "{}")]).await;
        assert_eq!(busy(&ask(&chat(&server, "m")).await.result), expected, "{header}: {value}");
    }
}

#[tokio::test]
async fn an_error_in_the_stream_is_judged_as_one_before_it() {
    let error = format!(r#"{{"error":{{"message":"about {QUESTION}","type":"rate_limit_exceeded"}}}}"#);
    let server = Server::start(vec![Reply::sse(&[("", &error)])]).await;
    busy(&ask(&chat(&server, "m")).await.result);
    let error = r#"{"error":{"code":429,"details":[{"@type":"RetryInfo","retryDelay":"7.5s"}]}}"#;
    let server = Server::start(vec![Reply::sse(&[("", error)])]).await;
    assert_eq!(busy(&ask(&chat(&server, "m")).await.result), Some(Duration::from_millis(7_500)));
    let error = r#"{"error":{"message":"no","code":401}}"#;
    let server = Server::start(vec![Reply::sse(&[("", error)])]).await;
    assert!(matches!(ask(&chat(&server, "m")).await.result, Err(Error::NotSetUp(_))));
}

#[tokio::test]
async fn a_stream_that_breaks_off_leaves_what_it_brought() {
    let cleanly = Reply::sse(&[("", &delta("Hel")), ("", &delta("lo"))]);
    let length = Reply::new(200, &[("content-type", "text/event-stream"), ("content-length", "9999")]);
    let abruptly = length.then(format!("data: {}\n\n", delta("Hello")));
    for reply in [cleanly, abruptly] {
        let server = Server::start(vec![reply]).await;
        let outcome = ask(&chat(&server, "m")).await;
        assert_eq!(interrupted(outcome.result), "Hello");
        assert_eq!(outcome.pieces.concat(), "Hello");
    }
}

#[tokio::test]
async fn silence_is_not_borne_for_long() {
    let long = Duration::from_secs(5);
    let no_header = Server::start(vec![Reply::new(200, &[]).after(long, "")]).await;
    let comments = Reply::sse(&[]).then(": waiting\n\n").after(Duration::from_millis(200), ": waiting\n\n");
    let no_text = Server::start(vec![comments.after(long, "")]).await;
    for server in [no_header, no_text] {
        let outcome = ask(&chat(&server, "m")).await;
        busy(&outcome.result);
        assert!(outcome.took < Duration::from_secs(2), "{:?}", outcome.took);
    }
    let server = Server::start(vec![Reply::sse(&[("", &delta("Hello"))]).after(long, "")]).await;
    let outcome = ask(&chat(&server, "m")).await;
    assert_eq!(interrupted(outcome.result), "Hello");
    assert!(outcome.took < Duration::from_secs(2), "{:?}", outcome.took);
}

#[tokio::test]
async fn reasoning_counts_as_a_sign_of_work_but_is_not_shown() {
    let thought = r#"{"choices":[{"index":0,"delta":{"reasoning_content":"hmm"}}]}"#;
    let pause = Duration::from_millis(350);
    let event = |data: &str| format!("data: {data}\n\n");
    let reply = Reply::sse(&[("", thought)])
        .after(pause, event(thought))
        .after(pause, event(&delta("Hello")))
        .then(event("[DONE]"));
    let server = Server::start(vec![reply]).await;
    let outcome = ask(&chat(&server, "m")).await;
    assert_eq!(outcome.result.unwrap().text, "Hello");
    assert_eq!(outcome.pieces, ["Hello"]);
}

#[tokio::test]
async fn an_answer_without_text_is_none() {
    let check = async |reason: &str, expected: &str| {
        let end = format!(r#"{{"choices":[{{"index":0,"delta":{{}},"finish_reason":"{reason}"}}]}}"#);
        let server = Server::start(vec![Reply::sse(&[("", &end), ("", "[DONE]")])]).await;
        let error = format!("{:?}", ask(&chat(&server, "m")).await.result.unwrap_err());
        assert!(error.starts_with(expected), "{reason}: {error}");
    };
    check("stop", "Busy").await;
    check("length", "NotSetUp").await;
    check("content_filter", "Refused").await;
}

#[tokio::test]
async fn an_endpoint_that_does_not_run_is_busy() {
    let server = Server::start(vec![]).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    busy(&ask(&chat(&server, "m")).await.result);
}
