//! A model for tests, at `/model/v1` for the provider `openai`: it says `You said: …`, or what it was told to say.
//! <https://platform.openai.com/docs/api-reference/chat>
//!
//! - `POST /model/delay {"ms": 2000}`: how long it thinks
//! - `POST /model/answers {"answers": […]}`: what it says next, one entry a question
//! - `GET /model/calls`: what it was asked, each question with its time as `at`, Unix milliseconds

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::Json;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

#[derive(Default)]
pub(super) struct Model(Mutex<Mind>);

#[derive(Default)]
struct Mind {
    delay: Duration,
    answers: VecDeque<String>,
    questions: Vec<Value>,
}

impl Model {
    pub fn set_delay(&self, delay: Duration) {
        self.with(|mind| mind.delay = delay);
    }

    pub fn set_answers(&self, answers: Vec<String>) {
        self.with(|mind| mind.answers = answers.into());
    }

    pub fn questions(&self) -> Vec<Value> {
        self.with(|mind| mind.questions.clone())
    }

    pub fn note(&self, question: &Value) {
        let mut question = question.clone();
        if let Some(fields) = question.as_object_mut() {
            fields.insert("at".to_owned(), model_invoker::now().into());
        }
        self.with(|mind| mind.questions.push(question));
    }

    pub async fn answer(&self, question: Value) -> Response {
        self.note(&question);
        let (delay, told) = self.with(|mind| (mind.delay, mind.answers.pop_front()));
        tokio::time::sleep(delay).await;
        let text = told.unwrap_or_else(|| format!("You said: {}", said(&question)));
        if question.get("stream").and_then(Value::as_bool).unwrap_or(false) {
            streamed(&text)
        } else {
            whole(&text)
        }
    }

    fn with<T>(&self, act: impl FnOnce(&mut Mind) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Everything that users said after the last answer.
fn said(question: &Value) -> String {
    let messages = question.get("messages").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let role = |message: &Value| message.get("role").and_then(Value::as_str).unwrap_or_default().to_owned();
    let new: Vec<&Value> = messages.iter().rev().take_while(|message| role(message) == "user").collect();
    let texts = new.iter().rev().map(|message| match message.get("content") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => parts.iter().filter_map(|part| part.get("text")?.as_str()).collect(),
        _ => String::new(),
    });
    texts.collect::<Vec<_>>().join("\n")
}

fn usage(text: &str) -> Value {
    let tokens = text.split_whitespace().count();
    json!({"prompt_tokens": 10, "completion_tokens": tokens, "total_tokens": tokens + 10})
}

fn whole(text: &str) -> Response {
    let message = json!({"role": "assistant", "content": text});
    let choice = json!({"index": 0, "message": message, "finish_reason": "stop"});
    Json(json!({"object": "chat.completion", "choices": [choice], "usage": usage(text)})).into_response()
}

/// Word by word.
fn streamed(text: &str) -> Response {
    let chunk = |delta: Value, reason: Option<&str>| json!({"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]});
    let words = text.split_inclusive(' ').map(|word| chunk(json!({"content": word}), None));
    let end = [chunk(json!({}), Some("stop")), json!({"choices": [], "usage": usage(text)})];
    let events = words.chain(end).map(|chunk| format!("data: {chunk}\n\n"));
    let body = events.collect::<String>() + "data: [DONE]\n\n";
    ([(header::CONTENT_TYPE, "text/event-stream")], body).into_response()
}
