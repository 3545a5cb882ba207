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
}
