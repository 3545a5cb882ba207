//! Putting messages on the queue, in batches, within the time that the platform leaves.

use std::time::Duration;

use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use channel::Inbound;

use crate::{Error, Job, Queue, SendError};

/// Entries that one SendMessageBatch takes.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html>
const MAX_ENTRIES: usize = 10;
/// Bytes of one batch: the limit is 1 MiB for all entries together, with room left for what surrounds the bodies.
const MAX_BYTES: usize = 900 * 1000;
/// Each message is tried so often, beside the SDK's own retries of whole calls.
const ROUNDS: usize = 2;

#[derive(Debug, Clone, PartialEq)]
struct Entry {
    body: String,
    /// The conversation: no conversation can crowd out the others.
    group: String,
}

impl Queue {
    /// Puts all messages on the queue within `budget`, each under its conversation. `trace` goes along for the logs.
    ///
    /// # Errors
    /// [`SendError`] when some are not known to be there; others may be, and sending all again does no harm.
    pub async fn send(
        &self,
        messages: &[Inbound],
        trace: Option<&str>,
        budget: Duration,
    ) -> Result<(), SendError> {
        let entry = |inbound: &Inbound| Entry {
            body: Job::message(inbound, trace),
            group: inbound.conversation_key().as_str().to_owned(),
        };
        let mut left: Vec<Entry> = messages.iter().map(entry).collect();
        let why = match tokio::time::timeout(budget, self.send_all(&mut left)).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(why)) => why,
            Err(_) => format!("no answer within {} ms", budget.as_millis()),
        };
        Err(SendError { failed: left.len(), of: messages.len(), why })
    }

    /// Takes out of `left` what is on the queue.
    async fn send_all(&self, left: &mut Vec<Entry>) -> Result<(), String> {
        let mut why = String::new();
        for _ in 0..ROUNDS {
            for batch in batches(left) {
                match self.send_batch(&batch).await {
                    Ok(refused) => {
                        left.retain(|entry| {
                            !batch.contains(entry) || refused.iter().any(|(no, _)| no == entry)
                        });
                        why = refused.into_iter().next().map_or(why, |(_, code)| code);
                    }
                    Err(error) => why = error.to_string(),
                }
            }
            if left.is_empty() {
                return Ok(());
            }
        }
        Err(why)
    }

    /// The entries that SQS did not take, with its code.
    async fn send_batch(&self, batch: &[Entry]) -> Result<Vec<(Entry, String)>, Error> {
        let mut call = self.client.send_message_batch().queue_url(&self.url);
        for (index, entry) in batch.iter().enumerate() {
            let entry = SendMessageBatchRequestEntry::builder()
                .id(index.to_string())
                .message_body(&entry.body)
                .message_group_id(&entry.group)
                .build()
                .map_err(|error| Error::Broken(error.to_string()))?;
            call = call.entries(entry);
        }
        self.count_request();
        let answer = call.send().await?;
        let refused = answer.failed().iter().filter_map(|failed| {
            let entry = batch.get(failed.id().parse::<usize>().ok()?)?;
            Some((entry.clone(), failed.code().to_owned()))
        });
        Ok(refused.collect())
    }
}

/// In their order, each as full as SQS allows.
fn batches(entries: &[Entry]) -> Vec<Vec<Entry>> {
    let mut batches: Vec<Vec<Entry>> = Vec::new();
    let mut bytes = 0;
    for entry in entries {
        let size = entry.body.len();
        match batches.last_mut() {
            Some(batch) if batch.len() < MAX_ENTRIES && bytes + size <= MAX_BYTES => {
                batch.push(entry.clone());
                bytes += size;
            }
            _ => {
                batches.push(vec![entry.clone()]);
                bytes = size;
            }
        }
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sizes: &[usize], expected: &[usize]) {
        let entries: Vec<Entry> =
            sizes.iter().map(|size| Entry { body: "x".repeat(*size), group: String::new() }).collect();
        let batches = batches(&entries);
        assert_eq!(batches.iter().map(Vec::len).collect::<Vec<_>>(), expected, "{sizes:?}");
        assert_eq!(batches.concat(), entries);
    }

    #[test]
    fn batches_keep_both_limits() {
        check(&[], &[]);
        check(&[1; 10], &[10]);
        check(&[1; 23], &[10, 10, 3]);
        check(&[400_000, 400_000, 400_000], &[2, 1]);
        check(&[1_000_000, 1], &[1, 1]);
        check(&[450_000, 450_000], &[2]);
    }
}
