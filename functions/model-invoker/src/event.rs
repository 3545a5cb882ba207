//! The Lambda event of an SQS event source mapping, and its partial batch response.

use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize)]
pub struct SqsEvent {
    #[serde(rename = "Records")]
    pub records: Vec<Record>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    pub message_id: String,
    pub receipt_handle: String,
    pub body: String,
    pub attributes: Attributes,
    #[serde(default)]
    event_source: String,
    #[serde(default, rename = "eventSourceARN")]
    pub event_source_arn: String,
}

impl Record {
    /// Whether the queue at that URL gave it out. URL and ARN both end in account and name:
    /// `https://sqs.eu-west-1.amazonaws.com/123456789012/jobs`, `arn:aws:sqs:eu-west-1:123456789012:jobs`.
    pub fn is_of(&self, queue_url: &str) -> bool {
        let (mut url, mut arn) = (queue_url.rsplit('/'), self.event_source_arn.rsplit(':'));
        self.event_source == "aws:sqs" && url.next() == arn.next() && url.next() == arn.next()
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Attributes {
    /// A number, as text.
    pub approximate_receive_count: String,
    /// When SQS took it, Unix milliseconds as text.
    #[serde(default)]
    pub sent_timestamp: String,
}

/// What goes back to the queue.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failures {
    pub batch_item_failures: Vec<Failure>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    pub item_identifier: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_mapping_sends_and_answers_as_it_wants() {
        let event: SqsEvent = serde_json::from_str(
            r#"{"Records":[{"messageId":"m1","receiptHandle":"r1","body":"{}","awsRegion":"us-east-1",
            "attributes":{"ApproximateReceiveCount":"3","SentTimestamp":"1795000000000"}}]}"#,
        )
        .unwrap();
        let attributes = &event.records[0].attributes;
        assert_eq!(attributes.approximate_receive_count, "3");
        assert_eq!(attributes.sent_timestamp, "1795000000000");
        let failures = Failures { batch_item_failures: vec![Failure { item_identifier: "m1".into() }] };
        let json = serde_json::to_string(&failures).unwrap();
        assert_eq!(json, r#"{"batchItemFailures":[{"itemIdentifier":"m1"}]}"#);
    }

    #[test]
    fn only_records_of_the_own_queue_are_taken() {
        let record = |source: &str, arn: &str| -> Record {
            let json = serde_json::json!({"messageId": "m", "receiptHandle": "r", "body": "{}", "eventSource": source,
                "eventSourceARN": arn, "attributes": {"ApproximateReceiveCount": "1"}});
            serde_json::from_value(json).unwrap()
        };
        let url = "https://sqs.eu-west-1.amazonaws.com/123456789012/jobs";
        let check = |source: &str, arn: &str, expected: bool| {
            assert_eq!(record(source, arn).is_of(url), expected, "{source} {arn}");
        };
        check("aws:sqs", "arn:aws:sqs:eu-west-1:123456789012:jobs", true);
        check("aws:sqs", "arn:aws-cn:sqs:cn-north-1:123456789012:jobs", true);
        check("aws:sqs", "arn:aws:sqs:eu-west-1:123456789012:other", false);
        check("aws:sqs", "arn:aws:sqs:eu-west-1:999999999999:jobs", false);
        check("aws:sqs", "jobs", false);
        check("aws:sqs", "", false);
        check("aws:sns", "arn:aws:sns:eu-west-1:123456789012:jobs", false);
        check("", "arn:aws:sqs:eu-west-1:123456789012:jobs", false);
        let sns = r#"{"Records":[{"EventSource":"aws:sns","Sns":{"Message":"{}"}}]}"#;
        assert!(serde_json::from_str::<SqsEvent>(sns).is_err(), "what is no queue's record is not even read");
    }
}
