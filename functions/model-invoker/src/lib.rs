//! The model-invoker: takes messages from the queue, runs their conversations' turns, posts the replies.
//!
//! What to do is decided in `turn`, purely; here it is done: `run` performs the machine's effects, `judge` gathers the facts
//! that access depends on, `answer` asks the model, [`outgoing`] makes the calls to the platforms.

mod answer;
pub mod channels;
mod command;
mod configuration;
pub mod cost;
mod deferred;
mod delivery;
pub mod event;
mod immediate;
mod invoke;
mod judge;
pub mod metrics;
mod models;
pub mod outgoing;
mod persona;
mod pictures;
mod plan;
mod quiet;
mod remembered;
mod reminder;
mod run;
mod services;
mod timeline;
pub mod tokens;

use ingress::failpoint;

pub use answer::in_private;
pub use configuration::Configuration;
pub use invoke::invoke;
pub use metrics::Metrics;
pub use models::{Keys, Models};
pub use quiet::quiet;
pub use remembered::Remembered;
pub use services::Services;

use std::time::{SystemTime, UNIX_EPOCH};

/// Unix milliseconds.
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// The UTC day of a time, `yyyy-mm-dd`: what daily counters are kept by.
pub fn day(now: i64) -> String {
    let time = aws_smithy_types::DateTime::from_millis(now);
    let text = time.fmt(aws_smithy_types::date_time::Format::DateTime).unwrap_or_default();
    text.chars().take(10).collect()
}

/// The minute of a time, as counters are kept by.
fn minute(now: i64) -> String {
    format!("{}", now.div_euclid(60_000))
}

#[cfg(test)]
mod tests {
    #[test]
    fn days_begin_at_midnight_utc() {
        assert_eq!(super::day(1_795_219_199_999), "2026-11-20");
        assert_eq!(super::day(1_795_219_200_000), "2026-11-21");
        assert_eq!(super::day(0), "1970-01-01");
    }
}
