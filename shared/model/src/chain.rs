//! A model and its fallbacks, asked by the rules for retries.

mod attempt;
mod cooldown;
mod pictures;

use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use attempt::Attempt;
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
/// for a while ([`Chain::cooled`]). One that cannot take the question is passed over for this question alone; if
/// nobody can and there are pictures in it, it is asked without them. Nothing is asked again after the first text was
/// seen ([`crate::Sink::take_back`]). All asks together make at most the number of calls that the chain was made with.
pub struct Chain {
    entries: Vec<Entry>,
    cooling: Cooling,
    calls_left: AtomicU32,
    backoff: Duration,
}

struct Entry {
    name: String,
    model: Box<dyn Model>,
    /// It did not take a question with pictures.
    blind: AtomicBool,
}

impl Entry {
    /// Whether a call may follow one of this model's that ended so.
    fn goes_on(&self, error: &Error, ask: &Ask, attempt: &mut Attempt, on_text: OnText<'_>) -> bool {
        match error {
            Error::Busy { .. } | Error::NotSetUp(_) => true,
            Error::Unfit(_) => {
                self.blind.fetch_or(pictures::any(ask), Ordering::Relaxed);
                true
            }
            Error::Interrupted { partial, .. } => {
                let unseen = on_text.take_back();
                if unseen {
                    attempt.waste(ask, &partial.0);
                }
                unseen
            }
            Error::Refused(_) | Error::TooLong => false,
        }
    }
}

impl Chain {
    /// Models with their names in the configuration; `cooldowns` as other processes left them; `calls` is the
    /// most calls of models that all asks together may make.
    #[must_use]
    pub fn new(models: Vec<(String, Box<dyn Model>)>, cooldowns: Cooldowns, calls: u32) -> Self {
        let entries =
            models.into_iter().map(|(name, model)| Entry { name, model, blind: AtomicBool::new(false) });
        let entries = entries.collect();
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

    /// Asks one model after the other. `None`: none of them answered.
    async fn try_each(
        &self,
        entries: &[&Entry],
        ask: &Ask,
        attempt: &mut Attempt,
        on_text: OnText<'_>,
    ) -> Option<Result<Answer, Error>> {
        for (position, entry) in entries.iter().enumerate() {
            let is_last = position + 1 == entries.len();
            if let Some(done) = self.try_one(entry, is_last, ask, attempt, on_text).await {
                return Some(done);
            }
        }
        None
    }

    /// Asks one model, twice if need be. `None`: ask the next.
    async fn try_one(
        &self,
        entry: &Entry,
        is_last: bool,
        ask: &Ask,
        attempt: &mut Attempt,
        on_text: OnText<'_>,
    ) -> Option<Result<Answer, Error>> {
        for tries in 1..=TRIES {
            if Instant::now() >= attempt.deadline || !self.take_call() {
                return None;
            }
            attempt.calls += 1;
            let error = match entry.model.ask(ask, attempt.deadline, on_text).await {
                Ok(answer) => return Some(Ok(attempt.counted(answer, &entry.name))),
                Err(error) => error,
            };
            tracing::warn!(model = entry.model.name(), tries, %error, "no answer from the model");
            let goes_on = entry.goes_on(&error, ask, attempt, on_text);
            let pause = self.pause(&error, tries, is_last, attempt.deadline).filter(|_| goes_on);
            if pause.is_none() {
                self.cooling.failed(&entry.name, &error, self.entries.len() > 1);
            }
            if !goes_on {
                return Some(Err(error));
            }
            attempt.keep(error);
            tokio::time::sleep(pause?).await;
        }
        None
    }

    /// How long to wait before the same model is asked again; `None`: it is not.
    fn pause(&self, error: &Error, tries: u32, is_last: bool, deadline: Instant) -> Option<Duration> {
        let wanted = match error {
            Error::Busy { retry_after, .. } => *retry_after,
            Error::Interrupted { .. } => None,
            _ => return None,
        };
        let pause = wanted.unwrap_or_else(|| random_below(self.backoff));
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
        let mut attempt = Attempt::new(deadline);
        let free = self.free(deadline).await;
        let pictures = pictures::any(ask);
        let is_blind = |entry: &&Entry| pictures && entry.blind.load(Ordering::Relaxed);
        let seeing: Vec<&Entry> = free.iter().copied().filter(|entry| !is_blind(entry)).collect();
        if let Some(done) = self.try_each(&seeing, ask, &mut attempt, on_text).await {
            return done;
        }
        // Those that turned out to be blind a moment ago, too.
        let blind: Vec<&Entry> = free.into_iter().filter(is_blind).collect();
        if !blind.is_empty()
            && let Some(done) = self.try_each(&blind, &pictures::without(ask), &mut attempt, on_text).await
        {
            return done;
        }
        let error = attempt.kept.unwrap_or_else(|| self.nobody(deadline));
        // Half an answer is better than none.
        if let Error::Interrupted { partial, .. } = &error {
            on_text.push(&partial.0);
        }
        Err(error)
    }
}

/// Whether somebody can be kept waiting that long.
fn bearable(pause: Duration, deadline: Instant) -> bool {
    pause < LONGEST_WAIT.min(deadline.saturating_duration_since(Instant::now()))
}

/// Full jitter: callers that were refused together must not come back together. The seed of std's hash maps
/// is random enough for that.
fn random_below(most: Duration) -> Duration {
    let random = std::collections::hash_map::RandomState::new().build_hasher().finish();
    most.mul_f64((random % 1024) as f64 / 1024.0)
}
