use super::server::{Reply, Server};
use super::{LIMITS, ask, busy, clients, config, interrupted};
use crate::chat::{Chat, Provider};
use crate::{Error, Stop, Usage};

fn chat(server: &Server) -> Chat {
    let mut config = config("ollama", "llama3:8b", &server.url);
    config.key = None;
    Chat::new(Provider::Ollama, config, &clients(), LIMITS).unwrap()
}

fn line(text: &str) -> String {
    let message = serde_json::json!({"role": "assistant", "content": text});
    format!("{}\n", serde_json::json!({"model": "llama3:8b", "message": message, "done": false}))
}

fn lines() -> Reply {
    Reply::new(200, &[("content-type", "application/x-ndjson")])
}

#[tokio::test]
async fn an_answer_streams_in() {
    let end = r#"{"model":"llama3:8b","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","prompt_eval_count":12,"eval_count":3}"#;
    let server =
        Server::start(vec![lines().then(line("Hel")).then(line("lo")).then(format!("{end}\n"))]).await;
    let outcome = ask(&chat(&server)).await;
    let answer = outcome.result.unwrap();
    assert_eq!((answer.text.as_str(), answer.stop), ("Hello", Stop::End));
    assert_eq!(outcome.pieces, ["Hel", "lo"]);
    assert_eq!(answer.usage, Usage { input: 12, output: 3, cached: 0, reasoning: 0 });
    let request = &server.requests()[0];
    assert!(request.starts_with("POST /api/chat HTTP/1.1\r\n"), "{request}");
    assert!(!request.to_ascii_lowercase().contains("authorization:"), "{request}");
    let body = server.body();
    assert_eq!((&body["model"], &body["options"]["num_predict"]), (&"llama3:8b".into(), &100.into()));
}

#[tokio::test]
async fn a_stream_that_breaks_off_is_no_answer() {
    let server = Server::start(vec![lines().then(line("Hello"))]).await;
    assert_eq!(interrupted(ask(&chat(&server)).await.result), "Hello");
    let server = Server::start(vec![lines()]).await;
    busy(&ask(&chat(&server)).await.result);
}

#[tokio::test]
async fn a_model_that_is_not_there_is_not_set_up() {
    let body = r#"{"error":"model \"llama3:8b\" not found, try pulling it first"}"#;
    let server = Server::start(vec![Reply::json(404, &[], body)]).await;
    assert!(matches!(ask(&chat(&server)).await.result, Err(Error::NotSetUp(_))));
}
