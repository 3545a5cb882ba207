//! Embeddings and transcriptions.

use serde_json::{Value, json};

use super::server::{Reply, Server};
use super::{KEY, QUESTION, clients, config};
use crate::{Error, ModelConfig, embed, transcribe};

/// The request that embeds two texts, and what comes of the answer.
async fn check_embed(provider: &str, model: &str, answers: &[Value], line: &str, sent: Value) {
    let replies = answers.iter().map(|answer| Reply::json(200, &[], &answer.to_string())).collect();
    let server = Server::start(replies).await;
    let config = config(provider, model, &server.url);
    let texts = ["one".to_owned(), "two".to_owned()];
    let vectors = embed(&config, &clients(), &texts).await.unwrap();
    assert_eq!(vectors, [[1.0, 0.5], [0.0, -1.0]], "{provider}");
    let requests = server.requests();
    assert!(requests[0].starts_with(line), "{}", requests[0]);
    let (_, body) = requests[0].split_once("\r\n\r\n").unwrap();
    assert_eq!(serde_json::from_str::<Value>(body).unwrap(), sent);
}

#[tokio::test]
async fn texts_become_vectors_in_their_order() {
    let listed = json!({"object": "list", "data": [
        {"object": "embedding", "index": 1, "embedding": [0.0, -1.0]},
        {"object": "embedding", "index": 0, "embedding": [1.0, 0.5]},
    ]});
    let openai = json!({"model": "e", "input": ["one", "two"]});
    for (provider, line) in [
        ("openai", "POST /embeddings "),
        ("mistral", "POST /embeddings "),
        ("azure", "POST /openai/v1/embeddings "),
        ("ollama", "POST /v1/embeddings "),
    ] {
        check_embed(provider, "e", std::slice::from_ref(&listed), line, openai.clone()).await;
    }
    let part = |text: &str| json!({"model": "models/e", "content": {"parts": [{"text": text}]}});
    check_embed(
        "gemini",
        "e",
        &[json!({"embeddings": [{"values": [1.0, 0.5]}, {"values": [0.0, -1.0]}]})],
        "POST /v1beta/models/e:batchEmbedContents ",
        json!({"requests": [part("one"), part("two")]}),
    )
    .await;
    // One text a call, in no order, so both get the same answer.
    let server = Server::start(vec![Reply::json(200, &[], r#"{"embedding":[1.0,0.5]}"#); 2]).await;
    let config = config("bedrock", "amazon.titan-embed-text-v2:0", &server.url);
    let vectors = embed(&config, &clients(), &["one".into(), "two".into()]).await.unwrap();
    assert_eq!(vectors, [[1.0, 0.5]; 2]);
    assert!(server.requests()[0].starts_with("POST /model/amazon.titan-embed-text-v2%3A0/invoke "));
}

#[tokio::test]
async fn what_is_not_one_vector_for_each_text_is_no_answer() {
    let check = async |status: u16, answer: Value, expected: &str| {
        let server = Server::start(vec![Reply::json(status, &[], &answer.to_string())]).await;
        let error =
            embed(&config("openai", "e", &server.url), &clients(), &[QUESTION.into()]).await.unwrap_err();
        let shown = format!("{error:?}");
        assert!(shown.starts_with(expected) && !shown.contains(QUESTION) && !shown.contains(KEY), "{shown}");
    };
    check(200, json!({"data": []}), "Busy").await;
    check(200, json!({"data": [{"embedding": []}]}), "Busy").await;
    check(200, json!({"data": [{"embedding": "AAAA"}]}), "Busy").await;
    check(429, json!({}), "Busy { retry_after: None").await;
    let details = json!([{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "7s"}]);
    check(429, json!({"error": {"code": 429, "details": details}}), "Busy { retry_after: Some(7s)").await;
    check(401, json!({"error": QUESTION}), "NotSetUp").await;
    check(400, json!({"error": {"code": "context_length_exceeded"}}), "TooLong").await;
    let nowhere = ModelConfig {
        provider: "anthropic".into(),
        model: "m".into(),
        ..config("", "", "http://127.0.0.1:9")
    };
    assert!(matches!(embed(&nowhere, &clients(), &["x".into()]).await, Err(Error::NotSetUp(_))));
}

#[tokio::test]
async fn speech_becomes_text() {
    let server = Server::start(vec![Reply::json(200, &[], r#"{"text":" Hello "}"#)]).await;
    let config_of = |provider: &str, server: &Server| config(provider, "whisper-1", &server.url);
    let audio = b"OggS\r\n--recording";
    let text =
        transcribe(&config_of("openai", &server), &clients(), audio, "audio/ogg; codecs=opus").await.unwrap();
    assert_eq!(text, "Hello");
    let request = &server.requests()[0];
    assert!(request.starts_with("POST /audio/transcriptions "), "{request}");
    assert!(request.contains(&format!("authorization: Bearer {KEY}\r\n")), "{request}");
    let (_, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(body.contains("name=\"model\"\r\n\r\nwhisper-1\r\n"), "{body}");
    assert!(
        body.contains("filename=\"voice.ogg\"\r\ncontent-type: audio/ogg\r\n\r\nOggS\r\n--recording\r\n--"),
        "{body}"
    );

    let spoken = json!({"candidates": [{"content": {"parts": [{"text": "hm", "thought": true}, {"text": "Hello\n"}]}}]});
    let server = Server::start(vec![Reply::json(200, &[], &spoken.to_string())]).await;
    let text = transcribe(&config_of("gemini", &server), &clients(), audio, "audio/mpeg").await.unwrap();
    assert_eq!(text, "Hello");
    let body = server.body();
    assert_eq!(body["contents"][0]["parts"][1]["inline_data"]["mime_type"], "audio/mpeg");

    for provider in ["bedrock", "anthropic", "ollama"] {
        let result = transcribe(&config_of(provider, &server), &clients(), audio, "audio/ogg").await;
        assert!(matches!(result, Err(Error::NotSetUp(why)) if why.contains("use openai")));
    }
}

#[tokio::test]
async fn a_recording_that_the_provider_does_not_take_is_refused() {
    let server =
        Server::start(vec![Reply::json(400, &[], r#"{"error":{"message":"Invalid file format."}}"#)]).await;
    let result =
        transcribe(&config("groq", "whisper-large-v3", &server.url), &clients(), b"x", "audio/amr").await;
    assert!(matches!(result, Err(Error::Unfit(_))), "{result:?}");
}
