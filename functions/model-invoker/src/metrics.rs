//! Metrics, which CloudWatch reads out of the log lines that they stand in (embedded metric format).
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
//!
//! A metric costs $0.30 a month beyond the ten that every account has free, and only for the hours in which it is
//! written (<https://aws.amazon.com/cloudwatch/pricing/>). There are eight here and two metric filters in `infra/template.yaml`: nothing,
//! or $3 a month at most. So none is there per channel, and none says what SQS and Lambda count for nothing: failed
//! messages are those on the dead-letter queue, answers are what `ReplyLatency` has samples of.

use serde_json::{Map, Value, json};

/// What is measured, named as in CloudWatch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Messages whose answer is posted to its last part.
    Answered,
    /// From the queue's taking a message to its answer's last part.
    ReplyLatency,
    /// Questions that no model answered.
    ModelErrors,
    /// Posts that may be there twice.
    Uncertain,
    InputTokens,
    OutputTokens,
    /// Estimated USD, see [`crate::cost`].
    Spend,
    /// Looks at a configuration that is missing or cannot be read.
    ConfigurationUnreadable,
}

/// All of them.
pub const ALL: [Metric; 8] = [
    Metric::Answered,
    Metric::ReplyLatency,
    Metric::ModelErrors,
    Metric::Uncertain,
    Metric::InputTokens,
    Metric::OutputTokens,
    Metric::Spend,
    Metric::ConfigurationUnreadable,
];

impl Metric {
    /// Its name and field.
    pub fn name(self) -> &'static str {
        match self {
            Metric::Answered => "Answered",
            Metric::ReplyLatency => "ReplyLatency",
            Metric::ModelErrors => "ModelErrors",
            Metric::Uncertain => "Uncertain",
            Metric::InputTokens => "InputTokens",
            Metric::OutputTokens => "OutputTokens",
            Metric::Spend => "Spend",
            Metric::ConfigurationUnreadable => "ConfigurationUnreadable",
        }
    }

    fn unit(self) -> &'static str {
        match self {
            Metric::ReplyLatency => "Milliseconds",
            Metric::Spend => "None",
            _ => "Count",
        }
    }
}

/// The metrics of one stack.
#[derive(Debug, Clone)]
pub struct Metrics {
    namespace: String,
}

impl Metrics {
    /// Those of the stack of that name: in the namespace `crabhook/<stack>`, as `infra/template.yaml` watches it.
    pub fn of_stack(stack: &str) -> Metrics {
        Metrics { namespace: format!("crabhook/{stack}") }
    }

    /// The members of a log line that carry these values; none for zeros. `now` is Unix milliseconds.
    pub fn fields(&self, values: &[(Metric, f64)], now: i64) -> Map<String, Value> {
        let values: Vec<_> = values.iter().filter(|(_, value)| *value != 0.0).collect();
        if values.is_empty() {
            return Map::new();
        }
        let metrics: Vec<Value> =
            values.iter().map(|(metric, _)| json!({"Name": metric.name(), "Unit": metric.unit()})).collect();
        // One set of dimensions that is empty: a metric of the stack as a whole.
        let directive = json!({"Namespace": self.namespace, "Dimensions": [[]], "Metrics": metrics});
        let mut fields = Map::new();
        fields.insert("_aws".to_owned(), json!({"Timestamp": now, "CloudWatchMetrics": [directive]}));
        fields.extend(values.iter().map(|(metric, value)| (metric.name().to_owned(), json!(value))));
        fields
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_declares_the_metrics_that_it_holds() {
        let metrics = Metrics::of_stack("s");
        let values = [(Metric::Answered, 2.0), (Metric::Uncertain, 0.0), (Metric::ReplyLatency, 1234.0)];
        let expected = json!({
            "_aws": {"Timestamp": 5, "CloudWatchMetrics": [{
                "Namespace": "crabhook/s",
                "Dimensions": [[]],
                "Metrics": [{"Name": "Answered", "Unit": "Count"}, {"Name": "ReplyLatency", "Unit": "Milliseconds"}],
            }]},
            "Answered": 2.0,
            "ReplyLatency": 1234.0,
        });
        assert_eq!(Value::Object(metrics.fields(&values, 5)), expected);
        assert!(metrics.fields(&[(Metric::Answered, 0.0)], 5).is_empty());
    }
}
