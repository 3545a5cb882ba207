//! Reading an answer piece by piece, and giving up in time.

use std::collections::BTreeSet;
use std::pin::{Pin, pin};
use std::time::{Duration, Instant};

use futures::{FutureExt, Stream, StreamExt};
use tokio::task::yield_now;
use tokio::time::{sleep, timeout_at};
use tracing::Dispatch;
use tracing::instrument::WithSubscriber;

use crate::thoughts::Filter;
use crate::{Answer, Error, OnText, Stop, ToolCall, Usage};

/// How often the pieces that came meanwhile are taken. A fast model sends one every few milliseconds, and waking up
/// for each costs more than all that is done with it; no platform lets us show them that often.
const PACE: Duration = Duration::from_millis(50);

/// What a provider's stream consists of, for us.
pub(crate) enum Piece {
    Text(String),
    /// Work on the answer that is not shown: reasoning, or a call being written.
    Thinking,
    /// The connection lives; says nothing about the answer.
    Pulse,
    End(End),
}

/// What is known only when the answer is complete.
pub(crate) struct End {
    pub usage: Usage,
    pub stop: Stop,
    pub calls: Vec<ToolCall>,
}

/// How long silence is borne.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// From asking to the first sign of work.
    pub first: Duration,
    /// Between two signs of work after that.
    pub idle: Duration,
}

impl Limits {
    /// Somebody is waiting: longer silence than this has so far always meant that no answer comes.
    pub const fn of(reasoning: bool) -> Self {
        let first = if reasoning { 60 } else { 20 };
        Self { first: Duration::from_secs(first), idle: Duration::from_secs(20) }
    }

    /// For an answer that arrives in one go: all the time there is.
    pub fn whole(deadline: Instant) -> Self {
        let left = deadline.saturating_duration_since(Instant::now());
        Self { first: left, idle: left }
    }
}

/// Reads to the end of the answer. An error after the first text is [`Error::Interrupted`].
pub(crate) async fn read(
    pieces: impl Stream<Item = Result<Piece, Error>> + Send,
    model: &str,
    limits: Limits,
    deadline: Instant,
    on_text: OnText<'_>,
) -> Result<Answer, Error> {
    let mut pieces = pin!(pieces);
    let mut written = Written { on_text, filter: Filter::default(), text: String::new() };
    let mut until = Instant::now() + limits.first;
    loop {
        // genai logs bodies, with the conversation in them, at level `error`: nothing it says gets through.
        let next = pieces.next().with_subscriber(Dispatch::none());
        let Ok(mut piece) = timeout_at(deadline.min(until).into(), next).await else {
            return Err(Error::busy("it did not answer in time").after(written.text));
        };
        let mut works = false;
        // All that came meanwhile.
        loop {
            match piece {
                Some(Ok(Piece::Text(text))) => {
                    works = true;
                    written.add(text);
                }
                Some(Ok(Piece::End(end))) => return finish(written.done(), end, model),
                Some(Ok(Piece::Thinking)) => works = true,
                Some(Ok(Piece::Pulse)) => {}
                Some(Err(error)) => return Err(error.after(written.text)),
                None => {
                    let error = Error::busy("it closed the connection before the end of the answer");
                    return Err(error.after(written.text));
                }
            }
            match already_there(pieces.as_mut()).await {
                Some(next) => piece = next,
                None => break,
            }
        }
        if works {
            until = Instant::now() + limits.idle;
            sleep(PACE).await;
        }
    }
}

/// The next piece, if it came already. The task that reads the connection gets one turn to hand it over.
async fn already_there(
    mut pieces: Pin<&mut (impl Stream<Item = Result<Piece, Error>> + Send)>,
) -> Option<Option<Result<Piece, Error>>> {
    let mut look = || pieces.next().with_subscriber(Dispatch::none()).now_or_never();
    match look() {
        None => {
            yield_now().await;
            look()
        }
        piece => piece,
    }
}

/// What was handed on, and what of it was text.
struct Written<'a> {
    on_text: OnText<'a>,
    filter: Filter,
    text: String,
}

impl Written<'_> {
    fn add(&mut self, piece: String) {
        let shown = self.filter.shown(piece);
        if !shown.is_empty() {
            self.on_text.push(&shown);
            self.text.push_str(&shown);
        }
    }

    fn done(mut self) -> String {
        let rest = std::mem::take(&mut self.filter).rest();
        if !rest.is_empty() {
            self.on_text.push(&rest);
            self.text.push_str(&rest);
        }
        self.text
    }
}

/// An answer with neither text nor calls is none: what is done next depends on why it has none.
fn finish(text: String, end: End, model: &str) -> Result<Answer, Error> {
    let End { usage, mut stop, mut calls } = end;
    if !calls.is_empty() {
        tell_apart(&mut calls);
        stop = Stop::Tools;
    } else if text.trim().is_empty() {
        return Err(match stop {
            Stop::Filtered => Error::Refused("the provider's content filter stopped the answer".into()),
            Stop::Length => Error::NotSetUp(
                "the model used up its output tokens before it wrote anything: raise `max_output_tokens`, or \
                 say `reasoning: true` if it thinks"
                    .into(),
            ),
            Stop::End | Stop::Tools | Stop::Other => Error::busy("its answer was empty"),
        });
    }
    Ok(Answer { text, calls, usage, model: model.to_owned(), stop, calls_made: 1, ..Answer::default() })
}

/// Some providers give two calls of an answer the same id, or none.
fn tell_apart(calls: &mut [ToolCall]) {
    let mut seen = BTreeSet::new();
    for (number, call) in calls.iter_mut().enumerate() {
        if call.id.is_empty() || !seen.insert(call.id.clone()) {
            call.id = format!("{}-{number}", call.id);
        }
    }
}
