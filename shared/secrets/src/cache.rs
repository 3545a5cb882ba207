//! How long what was read is used, and when it may be read early. Times are Unix milliseconds: the monotonic clock may
//! stand still while a sandbox is frozen.

/// After this long it is read again.
const FRESH_MS: i64 = 10 * 60_000;
/// It is read early, or tried again after a failure, at most this often: strangers must not be able to drive the reads.
const EARLY_MS: i64 = 60_000;

/// One value, the last good one kept.
pub(crate) struct Cache<T> {
    value: Option<T>,
    read_at: i64,
    early_at: Option<i64>,
    failed_at: Option<i64>,
}

impl<T> Default for Cache<T> {
    fn default() -> Cache<T> {
        Cache { value: None, read_at: 0, early_at: None, failed_at: None }
    }
}

impl<T: Clone> Cache<T> {
    /// The value where it may be used without reading. After a failed read the old one serves for another minute.
    pub fn get(&self, now: i64) -> Option<T> {
        let fresh = (0..FRESH_MS).contains(&(now - self.read_at));
        let excused = self.failed_at.is_some_and(|at| (0..EARLY_MS).contains(&(now - at)));
        self.value.clone().filter(|_| fresh || excused)
    }

    /// Whether an early read is due; asking uses it up for a minute.
    pub fn may_read_early(&mut self, now: i64) -> bool {
        let allowed = self.early_at.is_none_or(|at| now - at >= EARLY_MS);
        if allowed {
            self.early_at = Some(now);
        }
        allowed
    }

    pub fn put(&mut self, value: T, now: i64) {
        *self = Cache { value: Some(value), read_at: now, early_at: self.early_at, failed_at: None };
    }

    /// The last good value, if there is one.
    pub fn failed(&mut self, now: i64) -> Option<T> {
        self.failed_at = Some(now);
        self.value.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: i64 = 1_795_000_000_000;

    #[test]
    fn a_value_serves_ten_minutes() {
        let mut cache = Cache::default();
        assert_eq!(cache.get(T), None);
        cache.put("a", T);
        assert_eq!(cache.get(T + FRESH_MS - 1), Some("a"));
        assert_eq!(cache.get(T + FRESH_MS), None);
        assert_eq!(cache.get(T - 1), None, "a clock that was set back reads again");
    }

    #[test]
    fn early_reads_are_a_minute_apart() {
        let mut cache = Cache::default();
        cache.put("a", T);
        assert!(cache.may_read_early(T + 1));
        cache.put("b", T + 1);
        assert!(!cache.may_read_early(T + 2));
        assert!(cache.may_read_early(T + 1 + EARLY_MS));
    }

    #[test]
    fn the_last_good_value_outlives_an_outage() {
        let mut cache = Cache::default();
        assert_eq!(cache.failed(T), None);
        cache.put("a", T);
        let later = T + FRESH_MS;
        assert_eq!(cache.failed(later), Some("a"));
        assert_eq!(cache.get(later + EARLY_MS - 1), Some("a"));
        assert_eq!(cache.get(later + EARLY_MS), None);
    }
}
