//! Logs: one JSON object a line on standard output, its fields at the top, as CloudWatch's filters want them.
//!
//! A line has the fields of all spans that it is written in, so that what names an invocation or a message is said once
//! and stands on every line: `request_id` and `trace` in a webhook function, `conversation` and `id` too in the invoker.
//! Where a line holds more than a flat list of fields, it is given as the field [`JSON`].

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

/// A field of this name holds a JSON object as text: its members become fields of the line.
pub const JSON: &str = "json";

/// Crates whose lines quote what they carry: messages of tool servers, bodies and addresses. They log nothing.
const TOO_TALKATIVE: &[&str] = &["rmcp"];

/// Sets up logging for the process, at the level that Lambda was told (`AWS_LAMBDA_LOG_LEVEL`), else `INFO`.
pub fn init() {
    let wanted = std::env::var("AWS_LAMBDA_LOG_LEVEL").ok().and_then(|level| level.parse().ok());
    // A second call changes nothing.
    let _ = tracing_subscriber::fmt()
        .json()
        .event_format(Flat)
        .with_max_level(wanted.unwrap_or(LevelFilter::INFO))
        .try_init();
}

/// Lines as CloudWatch wants them.
pub(crate) struct Flat;

/// `timestamp` and `level` are what Lambda goes by.
/// <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html>
#[derive(Serialize)]
struct Line<'a> {
    timestamp: String,
    level: &'a str,
    #[serde(flatten)]
    fields: Fields,
    target: &'a str,
}

#[derive(Default, Serialize)]
#[serde(transparent)]
struct Fields(Map<String, Value>);

impl<S, N> FormatEvent<S, N> for Flat
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let source = event.metadata().target().split("::").next().unwrap_or_default();
        if TOO_TALKATIVE.contains(&source) {
            return Ok(());
        }
        let mut fields = Fields::default();
        for span in context.event_scope().into_iter().flat_map(|scope| scope.from_root()) {
            if let Some(formatted) = span.extensions().get::<FormattedFields<N>>() {
                fields.extend(formatted);
            }
        }
        fields.name_as_we_do();
        event.record(&mut fields);
        let mut timestamp = String::new();
        SystemTime.format_time(&mut Writer::new(&mut timestamp))?;
        let (level, target) = (event.metadata().level().as_str(), event.metadata().target());
        let line = Line { timestamp, level, fields, target };
        writeln!(writer, "{}", serde_json::to_string(&line).map_err(|_| fmt::Error)?)
    }
}

impl Fields {
    fn extend(&mut self, json: &str) {
        if let Ok(Value::Object(more)) = serde_json::from_str(json) {
            self.0.extend(more);
        }
    }

    /// The runtime's own span says the same in other words.
    fn name_as_we_do(&mut self) {
        for (theirs, ours) in [("requestId", "request_id"), ("xrayTraceId", "xray")] {
            if let Some(value) = self.0.remove(theirs) {
                self.0.entry(ours).or_insert(value);
            }
        }
    }

    fn set(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = format!("{value:?}");
        if field.name() == JSON { self.extend(&text) } else { self.set(field, text) }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// What stands in the log after `work`.
    fn logged(work: impl FnOnce()) -> String {
        let log = Log::default();
        let writer = log.clone();
        let subscriber =
            tracing_subscriber::fmt().json().event_format(Flat).with_writer(move || writer.clone()).finish();
        tracing::subscriber::with_default(subscriber, work);
        String::from_utf8(log.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn crates_that_quote_messages_log_nothing() {
        let log = logged(|| {
            tracing::error!(target: "rmcp::service", answer = "secret words", "received");
            tracing::error!(target: "rmcpx", "ours");
        });
        assert!(!log.contains("secret words") && log.contains("ours") && log.lines().count() == 1, "{log}");
    }

    #[test]
    fn a_line_has_the_fields_of_its_spans_at_the_top() {
        let log = logged(|| {
            let _runtime =
                tracing::info_span!("invoke", requestId = "r-1", xrayTraceId = "Root=1-2-3").entered();
            let _message = tracing::error_span!("message", id = "7", conversation = "c").entered();
            let more = serde_json::json!({"_aws": {"Timestamp": 5}, "Spend": 0.5});
            tracing::info!(id = "8", count = 2, good = true, json = %more, "done");
        });
        let line: Value = serde_json::from_str(log.trim_end()).unwrap();
        assert!(line["timestamp"].as_str().unwrap().ends_with('Z') && log.ends_with("}\n"), "{log}");
        let mut line = line.as_object().unwrap().clone();
        line.remove("timestamp");
        let expected = serde_json::json!({
            "level": "INFO", "message": "done", "target": "ingress::log::tests", "request_id": "r-1", "xray": "Root=1-2-3",
            "id": "8", "conversation": "c", "count": 2, "good": true, "_aws": {"Timestamp": 5}, "Spend": 0.5,
        });
        assert_eq!(Value::Object(line), expected);
    }
}
