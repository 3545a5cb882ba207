//! How much a turn may do.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// The tool calls of one turn: so many, until then. Shared by the calls that run side by side.
#[derive(Debug)]
pub struct Budget {
    left: AtomicU32,
    ends: Instant,
}

impl Budget {
    /// `steps` calls in all, none of which runs on after `seconds`.
    pub fn new(steps: u32, seconds: u64) -> Budget {
        Budget { left: AtomicU32::new(steps), ends: Instant::now() + Duration::from_secs(seconds) }
    }

    /// The same calls, but ended at `ends` where that is sooner: the invocation has less time than the turn may take.
    pub fn until(self, ends: Instant) -> Budget {
        Budget { ends: self.ends.min(ends), ..self }
    }

    /// Whether another call may begin, which it then has.
    pub(crate) fn take(&self) -> bool {
        let less = |left: u32| left.checked_sub(1);
        !self.time().is_zero() && self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }

    /// Whether a call would be refused: then the model has to answer with what it knows.
    pub fn spent(&self) -> bool {
        self.time().is_zero() || self.left.load(Ordering::Relaxed) == 0
    }

    /// The time that is left.
    pub fn time(&self) -> Duration {
        self.ends.saturating_duration_since(Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_counted() {
        let budget = Budget::new(2, 60);
        assert_eq!([budget.take(), budget.spent(), budget.take(), budget.take()], [true, false, true, false]);
        assert!(budget.spent());
    }

    #[test]
    fn time_ends_it_whatever_steps_are_left() {
        let budget = Budget::new(2, 60).until(Instant::now());
        assert!(budget.spent() && !budget.take());
        assert!(Budget::new(2, 0).spent());
    }
}
