//! What one answer has reserved.

use serde::{Deserialize, Serialize};

use super::{Amount, Reservation, Unit};

/// What the answer under way has reserved. It is written and taken away in one transaction with its counters, so that it says at any
/// time what they hold of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Held {
    /// The answer's own: another try has another one.
    pub key: String,
    pub counters: Vec<HeldOn>,
    /// What it has cost for sure, the question of the call under way included: all that is known where nobody comes back to say more.
    #[serde(default)]
    pub known: Amount,
}

/// What is reserved on one counter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldOn {
    /// Name of the counter.
    pub scope: String,
    /// The day or month that counts.
    pub period: String,
    pub unit: Unit,
    /// Tokens, or millionths of a US dollar.
    pub add: u64,
}

impl Held {
    pub fn new(key: impl Into<String>, reservations: &[Reservation], known: Amount) -> Held {
        let counters = reservations.iter().map(|Reservation { cap, scope, period, add }| HeldOn {
            scope: scope.clone(),
            period: period.clone(),
            unit: cap.unit,
            add: *add,
        });
        Held { key: key.into(), counters: counters.collect(), known }
    }

    /// What is reserved on the counter of that name and period.
    pub fn on(&self, scope: &str, period: &str) -> u64 {
        let of = |held: &&HeldOn| held.scope == scope && held.period == period;
        self.counters.iter().find(of).map_or(0, |held| held.add)
    }
}

impl HeldOn {
    /// What the counter must be changed by once it is known what was spent: less than nothing where too much was reserved.
    pub fn settled(&self, spent: Amount) -> i64 {
        difference(self.unit.of(spent), self.add)
    }
}

impl Reservation {
    /// What the counter must be changed by to hold this in place of what it holds `before`.
    pub fn change(&self, before: &Held) -> i64 {
        difference(self.add, before.on(&self.scope, &self.period))
    }
}

fn difference(new: u64, old: u64) -> i64 {
    let difference = i128::from(new) - i128::from(old);
    i64::try_from(difference).unwrap_or(if difference < 0 { i64::MIN } else { i64::MAX })
}
