//! A model for tests: it says `You said: …`, or what it was told to say, in the protocol of the provider that is asked.
//!
//! - `/model/v1`: `openai`, by Chat and by Responses; `/model/anthropic/v1`: `anthropic`; `/model/bedrock`: `bedrock`
//! - `POST /model/delay {"ms": 2000}`: how long it thinks
//! - `POST /model/answers {"answers": […]}`: what it says next, one entry a question: see [`Told`]
//!   Before each `⏸` in a text it waits
//! - `POST /model/go {"pauses": 1}`: it goes on where it waits, up to so many pauses of an answer; 0 after `/model/answers`
//! - `GET /model/calls`: what it was asked, each question with its time as `at`, Unix milliseconds

mod anthropic;
mod chat;
mod converse;
mod responses;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures::{Stream, StreamExt as _, stream};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::watch;

/// Where an answer waits.
const PAUSE: &str = "⏸";

#[derive(Default)]
pub(super) struct Model {
    mind: Mutex<Mind>,
    /// The pauses of an answer that are over.
    gone: Arc<watch::Sender<u64>>,
}

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
    /// Half of it comes, then the connection ends.
    #[serde(default)]
    breaks_off: bool,
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
    Responses,
    Anthropic,
    Converse,
}

impl Dialect {
    /// Everything that users said after the last answer.
    fn said(self, question: &Value) -> String {
        let messages = if self == Dialect::Responses { "input" } else { "messages" };
        let messages =
            question.get(messages).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
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
            Dialect::Responses => responses::events(turn),
            Dialect::Anthropic => anthropic::events(turn),
            Dialect::Converse => converse::events(turn),
        }
    }

    /// The events without the marks of pauses, each with the number of pauses before it.
    fn timed(self, turn: &Turn) -> Vec<(u64, Vec<u8>)> {
        let plain = Turn { text: turn.text.replace(PAUSE, ""), ..turn.clone() };
        let holds = |event: &[u8]| event.windows(PAUSE.len()).any(|bytes| bytes == PAUSE.as_bytes());
        let mut pauses = 0;
        // A mark is a part of its word, so there are as many events without.
        let pauses = self.events(turn).into_iter().map(|event| {
            pauses += u64::from(holds(&event));
            pauses
        });
        let mut events: Vec<_> = pauses.zip(self.events(&plain)).collect();
        if turn.breaks_off {
            events.truncate(events.len() / 2);
        }
        events
    }

    fn content_type(self) -> &'static str {
        match self {
            Dialect::Chat | Dialect::Responses | Dialect::Anthropic => "text/event-stream",
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
        self.gone.send_replace(0);
    }

    pub fn go(&self, pauses: u64) {
        self.gone.send_replace(pauses);
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
        let head = [(header::CONTENT_TYPE, dialect.content_type())];
        let events = dialect.timed(&turn);
        if events.iter().any(|(pauses, _)| *pauses > 0) {
            return (head, Body::from_stream(self.paused(events))).into_response();
        }
        (head, events.into_iter().flat_map(|(_, event)| event).collect::<Vec<u8>>()).into_response()
    }

    /// Each event as soon as the pauses before it are over.
    fn paused(&self, events: Vec<(u64, Vec<u8>)>) -> impl Stream<Item = Result<Bytes, Infallible>> + use<> {
        let gone = self.gone.clone();
        stream::iter(events).then(move |(pauses, event)| {
            let mut gone = gone.subscribe();
            async move {
                // Ends when the stand-in does.
                let _ = gone.wait_for(|gone| *gone >= pauses).await;
                Ok(event.into())
            }
        })
    }

    fn with<T>(&self, act: impl FnOnce(&mut Mind) -> T) -> T {
        act(&mut self.mind.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
