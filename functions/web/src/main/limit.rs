//! How much one address may ask of one process. The caps that count are the invoker's, exact and on everybody together; this
//! keeps a flood from one place out of the queue.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Sessions and messages of one address in a minute.
const A_MINUTE: u32 = 60;
const MINUTE_MS: i64 = 60_000;
/// More addresses than that are not kept apart: then all begin anew.
const MAX_ADDRESSES: usize = 10_000;

#[derive(Default)]
pub struct Limit(Mutex<Minute>);

#[derive(Default)]
struct Minute {
    number: i64,
    counts: HashMap<String, u32>,
}

impl Limit {
    /// Whether the address may ask once more for what counts so much. `now` is Unix milliseconds.
    pub fn admits(&self, address: String, weight: u32, now: i64) -> bool {
        let mut minute = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = now.div_euclid(MINUTE_MS);
        if minute.number != number || minute.counts.len() >= MAX_ADDRESSES {
            *minute = Minute { number, counts: HashMap::new() };
        }
        let count = minute.counts.entry(address).or_default();
        *count = count.saturating_add(weight);
        *count <= A_MINUTE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_ask_so_often_a_minute() {
        let limit = Limit::default();
        let ask = |address: &str, now: i64| limit.admits(address.to_owned(), 1, now);
        assert!((0..A_MINUTE).all(|_| ask("192.0.2.1", 0)));
        assert!(!ask("192.0.2.1", 59_999));
        assert!(ask("192.0.2.2", 59_999), "another address");
        assert!(ask("192.0.2.1", 60_000), "another minute");
        assert!((0..A_MINUTE / 3).all(|_| limit.admits("192.0.2.3".to_owned(), 3, 0)));
        assert!(!limit.admits("192.0.2.3".to_owned(), 1, 0), "what weighs more is allowed less often");
    }
}
