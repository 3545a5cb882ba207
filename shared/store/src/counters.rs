//! Counters by scope and period. Separate writes, outside every transaction: nothing shared between conversations may
//! delay a commit.

use crate::Error;
use crate::change::Change;
use crate::keys;
use crate::table::{Item, Outcome, Store, number, seconds};

/// How long a counter is kept, seconds.
const TTL_S: i64 = 40 * 86_400;

impl Store {
    /// Adds to a counter and says where it stands. `period` is the day or minute it is for, `now` Unix milliseconds; a
    /// reservation is settled by adding the (negative) difference.
    ///
    /// # Errors
    /// Whether it is counted is not known.
    pub async fn count(&self, scope: &str, period: &str, add: i64, now: i64) -> Result<u64, Error> {
        let count =
            Change::at(keys::count(scope, period), "ADD #count :add SET #ttl = if_not_exists(#ttl, :ttl)")
                .with(":add", number(add))
                .with(":ttl", number(seconds(now) + TTL_S));
        match self.update(count).await? {
            Outcome::Done(item) | Outcome::Refused(item) => Ok(value(&item)),
        }
    }

    /// Where a counter stands.
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn counted(&self, scope: &str, period: &str) -> Result<u64, Error> {
        Ok(self.get(keys::count(scope, period)).await?.as_ref().map_or(0, value))
    }

    /// Whether this is the first time in the period: for notices that are said once.
    ///
    /// # Errors
    /// Whether it is used up is not known.
    pub async fn once(&self, scope: &str, period: &str, now: i64) -> Result<bool, Error> {
        let first =
            Change::at(keys::count(&format!("once#{scope}"), period), "SET #ttl = :ttl, #mark = :mark")
                .only_if("attribute_not_exists(#pk)")
                .with(":ttl", number(seconds(now) + TTL_S));
        Ok(matches!(self.update_first(first).await?, Outcome::Done(_)))
    }
}

/// What settles below zero stands at zero.
fn value(item: &Item) -> u64 {
    let count =
        item.get("count").and_then(|count| count.as_n().ok()).and_then(|count| count.parse::<i64>().ok());
    u64::try_from(count.unwrap_or(0)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_is_never_below_zero() {
        let item = |count: i64| Item::from([("count".to_owned(), number(count))]);
        assert_eq!((value(&item(3)), value(&item(-3)), value(&Item::new())), (3, 0, 0));
    }
}
