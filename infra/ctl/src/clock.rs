//! The time of day.

use aws_sdk_cloudformation::primitives::{DateTime, DateTimeFormat};

pub use model_invoker::now;

/// A time (Unix milliseconds) for people: `2026-11-21 06:55 UTC`.
pub fn date(at: i64) -> String {
    let time = DateTime::from_millis(at);
    let text = time.fmt(DateTimeFormat::DateTime).unwrap_or_default();
    let text: String = text.chars().take(16).collect();
    format!("{} UTC", text.replace('T', " "))
}

/// The time of day for people: `06:55:00.123`, UTC.
pub fn time(at: i64) -> String {
    let (second, ms) = (at.div_euclid(1_000).rem_euclid(86_400), at.rem_euclid(1_000));
    format!("{:02}:{:02}:{:02}.{ms:03}", second / 3_600, second / 60 % 60, second % 60)
}

/// The Unix milliseconds of a time as logs write it: `2026-11-21T06:55:00.123456Z`.
pub fn parse(text: &str) -> Option<i64> {
    let time = DateTime::from_str(text, DateTimeFormat::DateTime).ok()?;
    time.to_millis().ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn times_are_read_and_written() {
        let at = super::parse("2026-11-21T06:55:00.123456Z").unwrap();
        assert_eq!((at, super::time(at).as_str()), (1_795_244_100_123, "06:55:00.123"));
        assert_eq!(super::date(at), "2026-11-21 06:55 UTC");
        assert_eq!(super::parse("yesterday"), None);
    }
}
