//! A model and its fallbacks, asked by the rules for retries.

mod cooldown;

use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

pub use cooldown::Cooldowns;
use cooldown::Cooling;

use crate::{Answer, Ask, Error, Model, OnText};

/// How often one model is asked for an answer.
const TRIES: u32 = 2;
/// Longest pause before a second try; the real one is random below it.
const BACKOFF: Duration = Duration::from_secs(1);
/// A provider that wants a longer pause than this is passed over if there is a fallback.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longer than this nobody is kept waiting for the only model in reach.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// The first model, then its fallbacks in order.
///
/// A model that is busy is asked once more; one that is still busy or not set up is passed over, and left alone
/// for a while ([`Chain::cooled`]). Nothing is asked again after the first text was handed on: the user has seen
/// it. All asks together make at most the number of calls that the chain was made with.
pub struct Chain {
    entries: Vec<Entry>,
    cooling: Cooling,
    calls_left: AtomicU32,
    backoff: Duration,
}

struct Entry {
    name: String,
    model: Box<dyn Model>,
}

/// What is known of one ask so far.
struct Attempt<'a> {
    ask: &'a Ask,
    deadline: Instant,
    calls: u32,
    /// The error to return if nobody answers.
    kept: Option<Error>,
}

impl Chain {
    /// Models with their names in the configuration; `cooldowns` as other processes left them; `calls` is the
    /// most calls of models that all asks together may make.
    #[must_use]
    pub fn new(models: Vec<(String, Box<dyn Model>)>, cooldowns: Cooldowns, calls: u32) -> Self {
        let entries = models.into_iter().map(|(name, model)| Entry { name, model }).collect();
        let cooling = Cooling::new(cooldowns);
        Self { entries, cooling, calls_left: AtomicU32::new(calls), backoff: BACKOFF }
    }

    /// The models that failed here, and until when, in Unix milliseconds, they are to be left alone: to be
    /// stored, so that the next process does not walk into the same wall.
    #[must_use]
    pub fn cooled(&self) -> Vec<(String, i64)> {
        self.cooling.fresh()
    }

    /// How many calls may still be made.
    #[must_use]
    pub fn calls_left(&self) -> u32 {
        self.calls_left.load(Ordering::Relaxed)
    }

    #[cfg(test)]
    pub(crate) fn with_backoff(mut self, backoff: Duration) -> Self {
        self.backoff = backoff;
        self
    }

    /// The entries that are not left alone now. When all are, waits for the first that is free again, if there
    /// is time for that.
    async fn free(&self, deadline: Instant) -> Vec<&Entry> {
        let free = || self.entries.iter().filter(|entry| self.cooling.pause(&entry.name).is_none()).collect();
        let now: Vec<&Entry> = free();
        let soonest = self.entries.iter().filter_map(|entry| self.cooling.pause(&entry.name)).min();
        match soonest.filter(|pause| now.is_empty() && bearable(*pause, deadline)) {
            Some(pause) => {
                tokio::time::sleep(pause).await;
                free()
            }
            None => now,
        }
    }

    /// Asks one model, twice if need be. `None`: ask the next.
    async fn try_one(
        &self,
        entry: &Entry,
        is_last: bool,
        attempt: &mut Attempt<'_>,
        on_text: OnText<'_>,
    ) -> Option<Result<Answer, Error>> {
        for tries in 1..=TRIES {
            if Instant::now() >= attempt.deadline || !self.take_call() {
                return None;
            }
            attempt.calls += 1;
            let error = match entry.model.ask(attempt.ask, attempt.deadline, on_text).await {
                Ok(answer) => return Some(Ok(Answer { calls_made: attempt.calls, ..answer })),
                Err(error) => error,
            };
            tracing::warn!(model = entry.model.name(), tries, %error, "no answer from the model");
            let pause = self.pause(&error, tries, is_last, attempt.deadline);
            if pause.is_none() {
                self.cooling.failed(&entry.name, &error, self.entries.len() > 1);
            }
            if !matches!(error, Error::Busy { .. } | Error::NotSetUp(_)) {
                return Some(Err(error));
            }
            attempt.kept = Some(more_hopeful(attempt.kept.take(), error));
            tokio::time::sleep(pause?).await;
        }
        None
    }

    /// How long to wait before the same model is asked again; `None`: it is not.
    fn pause(&self, error: &Error, tries: u32, is_last: bool, deadline: Instant) -> Option<Duration> {
        let Error::Busy { retry_after, .. } = error else {
            return None;
        };
        let pause = retry_after.unwrap_or_else(|| random_below(self.backoff));
        let worth_it = bearable(pause, deadline) && (is_last || pause <= PATIENCE);
        (tries < TRIES && worth_it && self.calls_left() > 0).then_some(pause)
    }

    fn take_call(&self) -> bool {
        let take = |left: u32| left.checked_sub(1);
        self.calls_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }

    /// Why nobody was asked at all.
    fn nobody(&self, deadline: Instant) -> Error {
        if self.entries.is_empty() {
            return Error::NotSetUp("the configuration names no model: add one under `models`".into());
        }
        if self.calls_left() == 0 {
            return Error::busy("no calls are left for this question: see `limits.model_calls`");
        }
        let soonest = self.entries.iter().filter_map(|entry| self.cooling.pause(&entry.name)).min();
        match soonest {
            Some(pause) if Instant::now() < deadline => {
                Error::Busy { retry_after: Some(pause), why: "it failed a moment ago and is left alone" }
            }
            _ => Error::busy("no time was left to ask it"),
        }
    }
}

#[async_trait::async_trait]
impl Model for Chain {
    fn name(&self) -> &str {
        self.entries.first().map_or("none", |entry| entry.model.name())
    }

    async fn ask(&self, ask: &Ask, deadline: Instant, on_text: OnText<'_>) -> Result<Answer, Error> {
        let mut attempt = Attempt { ask, deadline, calls: 0, kept: None };
        let free = self.free(deadline).await;
        for (position, entry) in free.iter().enumerate() {
            let is_last = position + 1 == free.len();
            if let Some(done) = self.try_one(entry, is_last, &mut attempt, on_text).await {
                return done;
            }
        }
        Err(attempt.kept.unwrap_or_else(|| self.nobody(deadline)))
    }
}

/// Whether somebody can be kept waiting that long.
fn bearable(pause: Duration, deadline: Instant) -> bool {
    pause < LONGEST_WAIT.min(deadline.saturating_duration_since(Instant::now()))
}

/// Of two models' errors the caller gets the one that may pass by itself; else the first model's, which is
/// the one to repair.
fn more_hopeful(kept: Option<Error>, error: Error) -> Error {
    match (kept, error) {
        (Some(kept @ Error::NotSetUp(_)), Error::NotSetUp(_)) => kept,
        (Some(kept @ Error::Busy { .. }), Error::NotSetUp(_)) => kept,
        (_, error) => error,
    }
}

/// Full jitter: callers that were refused together must not come back together. The seed of std's hash maps
/// is random enough for that.
fn random_below(most: Duration) -> Duration {
    let random = std::collections::hash_map::RandomState::new().build_hasher().finish();
    most.mul_f64((random % 1024) as f64 / 1024.0)
}
