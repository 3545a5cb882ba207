//! A model for tests: it says `You said: …`, or what it was told to say, in the protocol of the provider that is asked.
//!
//! - `/model/v1`: `openai`; `/model/anthropic/v1`: `anthropic`; `/model/bedrock`: `bedrock`
//! - `POST /model/delay {"ms": 2000}`: how long it thinks
//! - `POST /model/answers {"answers": […]}`: what it says next, one entry a question: see [`Told`]
//! - `GET /model/calls`: what it was asked, each question with its time as `at`, Unix milliseconds

mod anthropic;
mod chat;
mod converse;

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::Json;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::Value;

#[derive(Default)]
pub(super) struct Model(Mutex<Mind>);

#[derive(Default)]
struct Mind {
    delay: Duration,
    answers: VecDeque<Told>,
    questions: Vec<Value>,
}

/// What it is told to say: a text, or a text with calls of tools and a usage.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum Told {
    Text(String),
    Turn(Turn),
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Turn {
    #[serde(default)]
    text: String,
    #[serde(default)]
    calls: Vec<Called>,
    #[serde(default)]
    usage: Option<Counted>,
}

#[derive(Debug, Clone, Deserialize)]
struct Called {
    name: String,
    arguments: Value,
}

/// Tokens.
#[derive(Debug, Clone, Copy, Deserialize)]
struct Counted {
    input: u32,
    output: u32,
    /// Of the input.
    #[serde(default)]
    cached: u32,
}

impl Turn {
    fn usage(&self) -> Counted {
        let words = u32::try_from(self.text.split_whitespace().count()).unwrap_or(u32::MAX);
        self.usage.unwrap_or(Counted { input: 10, output: words, cached: 0 })
    }
}

/// The protocol of a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Chat,
    Anthropic,
    Converse,
}

impl Dialect {
    /// Everything that users said after the last answer.
    fn said(self, question: &Value) -> String {
        let messages =
            question.get("messages").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let by_user = |message: &&Value| message.get("role").and_then(Value::as_str) == Some("user");
        let new: Vec<&Value> = messages.iter().rev().take_while(by_user).collect();
        let texts = new.iter().rev().map(|message| match message.get("content") {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Array(parts)) => parts.iter().filter_map(|part| part.get("text")?.as_str()).collect(),
            _ => String::new(),
        });
        texts.collect::<Vec<_>>().join("\n")
    }

    /// The answer's events, in order.
    fn events(self, turn: &Turn) -> Vec<Vec<u8>> {
        match self {
            Dialect::Chat => chat::events(turn),
            Dialect::Anthropic => anthropic::events(turn),
            Dialect::Converse => converse::events(turn),
        }
    }

    fn content_type(self) -> &'static str {
        match self {
            Dialect::Chat | Dialect::Anthropic => "text/event-stream",
            Dialect::Converse => "application/vnd.amazon.eventstream",
        }
    }
}

impl Model {
    pub fn set_delay(&self, delay: Duration) {
        self.with(|mind| mind.delay = delay);
    }

    pub fn set_answers(&self, answers: Vec<Told>) {
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

    pub async fn answer(&self, dialect: Dialect, question: Value) -> Response {
        self.note(&question);
        let (delay, told) = self.with(|mind| (mind.delay, mind.answers.pop_front()));
        tokio::time::sleep(delay).await;
        let turn = match told {
            Some(Told::Turn(turn)) => turn,
            Some(Told::Text(text)) => Turn { text, ..Turn::default() },
            None => Turn { text: format!("You said: {}", dialect.said(&question)), ..Turn::default() },
        };
        let streamed =
            dialect != Dialect::Chat || question.get("stream").and_then(Value::as_bool).unwrap_or(false);
        if !streamed {
            return Json(chat::whole(&turn)).into_response();
        }
        ([(header::CONTENT_TYPE, dialect.content_type())], dialect.events(&turn).concat()).into_response()
    }

    fn with<T>(&self, act: impl FnOnce(&mut Mind) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
