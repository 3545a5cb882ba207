//! The time of day.

pub use model_invoker::now;

/// A time (Unix milliseconds) for people: `2026-11-21 06:55 UTC`.
pub fn date(at: i64) -> String {
    let time = aws_sdk_cloudformation::primitives::DateTime::from_millis(at);
    let text = time.fmt(aws_sdk_cloudformation::primitives::DateTimeFormat::DateTime).unwrap_or_default();
    let text: String = text.chars().take(16).collect();
    format!("{} UTC", text.replace('T', " "))
}
