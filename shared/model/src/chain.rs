//! A model and its fallbacks, asked by the rules for retries.

use std::hash::{BuildHasher, Hasher};
use std::time::{Duration, Instant};

use crate::{Answer, Ask, Error, Model, OnText};

/// How often one model is asked.
const TRIES: u32 = 2;
/// How often all models together are asked: a user waits, and every call may cost money.
const MOST_CALLS: u32 = 4;
/// Longest pause before a second try; grows twofold with each, and the real one is random below it.
const BACKOFF: Duration = Duration::from_secs(1);
/// A provider that wants a longer pause than this is passed over if there is a fallback.
const PATIENCE: Duration = Duration::from_secs(10);

/// The first model, then its fallbacks in order.
///
/// A model that is busy is asked once more; one that is still busy or not set up is passed over. Nothing is
/// asked again after the first text was handed on: the user has seen it.
pub struct Chain {
    models: Vec<Box<dyn Model>>,
    backoff: Duration,
}

impl Chain {
    #[must_use]
    pub fn new(models: Vec<Box<dyn Model>>) -> Self {
        Self { models, backoff: BACKOFF }
    }

    #[cfg(test)]
    pub(crate) fn with_backoff(mut self, backoff: Duration) -> Self {
        self.backoff = backoff;
        self
    }

    /// How long to wait before the same model is asked again; `None`: it is not.
    fn pause(&self, error: &Error, tries: u32, is_last: bool, deadline: Instant) -> Option<Duration> {
        let Error::Busy { retry_after, .. } = error else {
            return None;
        };
        let pause = retry_after.unwrap_or_else(|| random_below(self.backoff * 2u32.pow(tries - 1)));
        let fits = pause < deadline.saturating_duration_since(Instant::now());
        (tries < TRIES && fits && (is_last || pause <= PATIENCE)).then_some(pause)
    }
}

#[async_trait::async_trait]
impl Model for Chain {
    fn name(&self) -> &str {
        self.models.first().map_or("none", |model| model.name())
    }

    async fn ask(&self, ask: &Ask, deadline: Instant, on_text: OnText<'_>) -> Result<Answer, Error> {
        let mut calls = 0;
        let mut kept = None;
        for (position, model) in self.models.iter().enumerate() {
            let is_last = position + 1 == self.models.len();
            let mut tries = 0;
            while calls < MOST_CALLS && Instant::now() < deadline {
                (calls, tries) = (calls + 1, tries + 1);
                let error = match model.ask(ask, deadline, on_text).await {
                    Err(error @ (Error::Busy { .. } | Error::NotSetUp(_))) => error,
                    done => return done,
                };
                tracing::warn!(model = model.name(), tries, %error, "no answer from the model");
                let pause = self.pause(&error, tries, is_last, deadline);
                kept = Some(more_hopeful(kept, error));
                match pause {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => break,
                }
            }
        }
        Err(kept.unwrap_or_else(|| {
            if self.models.is_empty() {
                Error::NotSetUp("the configuration names no model: add one under `models`".into())
            } else {
                Error::busy("no time was left to ask it")
            }
        }))
    }
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
