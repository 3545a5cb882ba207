//! Embeddings and transcriptions.

use serde_json::{Value, json};

use super::server::{Reply, Server};
use super::{KEY, QUESTION, clients, config};
use crate::{Error, ModelConfig, Transcript, Usage, embed, transcribe};

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
    let answer = r#"{"text":" Hello ","usage":{"type":"tokens","input_tokens":14,"input_token_details":{"text_tokens":0,"audio_tokens":14},"output_tokens":2,"total_tokens":16}}"#;
    let server = Server::start(vec![Reply::json(200, &[], answer)]).await;
    let config_of = |provider: &str, server: &Server| config(provider, "whisper-1", &server.url);
    let audio = b"OggS\r\n--recording";
    let heard =
        transcribe(&config_of("openai", &server), &clients(), audio, "audio/ogg; codecs=opus").await.unwrap();
    let usage = |input, output| Usage { input, output, ..Usage::default() };
    assert_eq!(heard, Transcript { text: "Hello".into(), usage: usage(14, 2), seconds: None });
    let request = &server.requests()[0];
    assert!(request.starts_with("POST /audio/transcriptions "), "{request}");
    assert!(request.contains(&format!("authorization: Bearer {KEY}\r\n")), "{request}");
    let (_, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(body.contains("name=\"model\"\r\n\r\nwhisper-1\r\n"), "{body}");
    assert!(
        body.contains("filename=\"voice.ogg\"\r\ncontent-type: audio/ogg\r\n\r\nOggS\r\n--recording\r\n--"),
        "{body}"
    );

    let spoken = json!({
        "candidates": [{"content": {"parts": [{"text": "hm", "thought": true}, {"text": "Hello\n"}]}}],
        "usageMetadata": {"promptTokenCount": 80, "candidatesTokenCount": 3, "thoughtsTokenCount": 5, "totalTokenCount": 88},
    });
    let server = Server::start(vec![Reply::json(200, &[], &spoken.to_string())]).await;
    let heard = transcribe(&config_of("gemini", &server), &clients(), audio, "audio/mpeg").await.unwrap();
    assert_eq!(heard, Transcript { text: "Hello".into(), usage: usage(80, 8), seconds: None });
    let body = server.body();
    assert_eq!(body["contents"][0]["parts"][1]["inline_data"]["mime_type"], "audio/mpeg");

    for provider in ["bedrock", "anthropic", "ollama"] {
        let result = transcribe(&config_of(provider, &server), &clients(), audio, "audio/ogg").await;
        assert!(matches!(result, Err(Error::NotSetUp(why)) if why.contains("use openai")));
    }
}

#[tokio::test]
async fn speech_is_counted_as_the_provider_counts_it() {
    let check = async |answer: Value, usage: Usage, seconds: Option<f64>| {
        let server = Server::start(vec![Reply::json(200, &[], &answer.to_string())]).await;
        let heard =
            transcribe(&config("groq", "whisper", &server.url), &clients(), b"x", "audio/ogg").await.unwrap();
        assert_eq!((heard.usage, heard.seconds), (usage, seconds), "{answer}");
    };
    let seconds = json!({"text": "a", "usage": {"type": "duration", "seconds": 9.5}});
    check(seconds, Usage::default(), Some(9.5)).await;
    let both = json!({"text": "a", "usage": {"prompt_audio_seconds": 12, "prompt_tokens": 4, "completion_tokens": 6, "total_tokens": 10}});
    check(both, Usage { input: 4, output: 6, ..Usage::default() }, Some(12.0)).await;
    check(json!({"text": "a"}), Usage::default(), None).await;
    check(json!({"text": "a", "usage": {"input_tokens": "many"}}), Usage::default(), None).await;
}

#[tokio::test]
async fn a_recording_that_the_provider_does_not_take_is_refused() {
    let server =
        Server::start(vec![Reply::json(400, &[], r#"{"error":{"message":"Invalid file format."}}"#)]).await;
    let result =
        transcribe(&config("groq", "whisper-large-v3", &server.url), &clients(), b"x", "audio/amr").await;
    assert!(matches!(result, Err(Error::Unfit(_))), "{result:?}");
}
