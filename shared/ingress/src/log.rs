//! Logs: one JSON object a line on standard output, its fields at the top, as CloudWatch's filters want them.

use tracing_subscriber::filter::LevelFilter;

/// Sets up logging for the process, at the level that Lambda was told (`AWS_LAMBDA_LOG_LEVEL`), else `INFO`.
pub fn init() {
    let wanted = std::env::var("AWS_LAMBDA_LOG_LEVEL").ok().and_then(|level| level.parse().ok());
    // A second call changes nothing.
    let _ = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_max_level(wanted.unwrap_or(LevelFilter::INFO))
        .try_init();
}
