//! Which models are left alone, and until when.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::Error;

/// How long a model that failed is left alone when its provider does not say.
const COOLDOWN: Duration = Duration::from_secs(30);
/// No provider's word is taken for longer than this: somebody may have paid the bill meanwhile.
const LONGEST: Duration = Duration::from_secs(3_600);

/// The models to be left alone, by their names in the configuration, until a time in Unix milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cooldowns {
    pub until: BTreeMap<String, i64>,
}

/// The cooldowns, and which of them began here.
pub(super) struct Cooling(Mutex<(Cooldowns, BTreeSet<String>)>);

impl Cooling {
    pub fn new(known: Cooldowns) -> Self {
        Self(Mutex::new((known, BTreeSet::new())))
    }

    /// How long the model is still to be left alone.
    pub fn pause(&self, name: &str) -> Option<Duration> {
        let until = *self.lock().0.until.get(name)?;
        let left = u64::try_from(until - now_ms()).ok().filter(|left| *left > 0)?;
        // One more than is left of this millisecond.
        Some(Duration::from_millis(left + 1))
    }

    /// Leaves the model alone, unless there is nobody else to ask and the provider names no time: a wait would
    /// gain nothing then. An answer that broke off is a failure too; one that the provider refuses is none.
    pub fn failed(&self, name: &str, error: &Error, others: bool) {
        let pause = match error {
            Error::Busy { retry_after: Some(pause), .. } => (*pause).min(LONGEST),
            Error::Busy { .. } | Error::NotSetUp(_) | Error::Interrupted { .. } if others => COOLDOWN,
            _ => return,
        };
        let until = now_ms().saturating_add(i64::try_from(pause.as_millis()).unwrap_or(i64::MAX));
        let mut lock = self.lock();
        lock.0.until.insert(name.to_owned(), until);
        lock.1.insert(name.to_owned());
    }

    /// Those that began here.
    pub fn fresh(&self) -> Vec<(String, i64)> {
        let lock = self.lock();
        let until = |name: &String| Some((name.clone(), *lock.0.until.get(name)?));
        lock.1.iter().filter_map(until).collect()
    }

    fn lock(&self) -> MutexGuard<'_, (Cooldowns, BTreeSet<String>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
