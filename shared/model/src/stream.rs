//! Reading an answer piece by piece, and giving up in time.

use std::time::{Duration, Instant};

use futures::{Stream, StreamExt};
use tokio::time::timeout_at;
use tracing::Dispatch;
use tracing::instrument::WithSubscriber;

use crate::{Answer, Error, OnText, Stop, Usage};

/// What a provider's stream consists of, for us.
pub(crate) enum Piece {
    Text(String),
    /// Work on the answer that is not shown: reasoning.
    Thinking,
    /// The connection lives; says nothing about the answer.
    Pulse,
    End {
        usage: Usage,
        stop: Stop,
    },
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
    let mut pieces = std::pin::pin!(pieces);
    let mut text = String::new();
    let mut patience = Instant::now() + limits.first;
    loop {
        // genai logs bodies, with the conversation in them, at level `error`: nothing it says gets through.
        let next = pieces.next().with_subscriber(Dispatch::none());
        let failure = match timeout_at(deadline.min(patience).into(), next).await {
            Ok(Some(Ok(Piece::Text(piece)))) => {
                on_text(&piece);
                text.push_str(&piece);
                patience = Instant::now() + limits.idle;
                continue;
            }
            Ok(Some(Ok(Piece::Thinking))) => {
                patience = Instant::now() + limits.idle;
                continue;
            }
            Ok(Some(Ok(Piece::Pulse))) => continue,
            Ok(Some(Ok(Piece::End { usage, stop }))) => return finish(text, usage, stop, model),
            Ok(Some(Err(error))) => error,
            Ok(None) => Error::busy("it closed the connection before the end of the answer"),
            Err(_) => Error::busy("it did not answer in time"),
        };
        return Err(failure.after(text));
    }
}

/// An answer without text is none: what is done next depends on why it has none.
fn finish(text: String, usage: Usage, stop: Stop, model: &str) -> Result<Answer, Error> {
    if !text.trim().is_empty() {
        return Ok(Answer { text, usage, model: model.to_owned(), stop, calls_made: 1, ..Answer::default() });
    }
    match stop {
        Stop::Filtered => Err(Error::Refused("the provider's content filter stopped the answer".into())),
        Stop::Length => Err(Error::NotSetUp(
            "the model used up its output tokens before it wrote anything: raise `max_output_tokens`".into(),
        )),
        Stop::End | Stop::Tools | Stop::Other => Err(Error::busy("its answer was empty")),
    }
}
