//! The queue between the webhooks and the invoker: the [`Job`]s on it, and the dead letters beside it.
//!
//! A standard queue whose `MessageGroupId` is the conversation, so that nobody's flood delays the others. Order and
//! exclusion are the store's business.

mod dead;
mod error;
mod job;
mod send;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::timeout::TimeoutConfig;
use aws_sdk_sqs::types::{MessageSystemAttributeName, QueueAttributeName};
use aws_types::SdkConfig;

pub use dead::DeadLetter;
pub use error::{Error, SendError};
pub use job::{JOB_VERSION, Job, Unreadable};

/// SQS keeps a message hidden for 12 hours at most.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html>
const MAX_HIDDEN_S: u32 = 43_200;
/// One attempt of a call; the SDK makes up to three. A receive that waits for messages is no longer.
const ATTEMPT: Duration = Duration::from_secs(4);
/// How long a receive waits for messages, seconds: one round over all of SQS's servers, so that none are missed.
const RECEIVE_WAIT_S: i32 = 1;

/// One queue. Clones share their connections and their count.
#[derive(Clone)]
pub struct Queue {
    client: Client,
    url: String,
    requests: Arc<AtomicU64>,
}

/// About how many messages a queue holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    pub waiting: u64,
    /// Being worked on, or hidden until later.
    pub hidden: u64,
}

/// A message that was received; it shows again unless it is deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    pub id: String,
    pub receipt: String,
    pub body: String,
    /// When it was put on the queue, Unix milliseconds.
    pub sent_at: i64,
}

impl Queue {
    /// The queue at that URL. Touches no network.
    pub fn connect(aws: &SdkConfig, url: impl Into<String>) -> Queue {
        let time_outs = TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT).build();
        let config = aws_sdk_sqs::config::Builder::from(aws).timeout_config(time_outs).build();
        Queue { client: Client::from_conf(config), url: url.into(), requests: Arc::default() }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Hides a received message for so many seconds from now (12 hours at most); 0 shows it at once.
    ///
    /// # Errors
    /// [`Error::Broken`] also when the receipt is no longer good: the message showed again, or is gone.
    pub async fn hide(&self, receipt: &str, seconds: u32) -> Result<(), Error> {
        self.count_request();
        let seconds = i32::try_from(seconds.min(MAX_HIDDEN_S)).unwrap_or(0);
        let call = self.client.change_message_visibility().queue_url(&self.url);
        call.receipt_handle(receipt).visibility_timeout(seconds).send().await?;
        Ok(())
    }

    /// Puts a letter on the dead-letter queue at that URL.
    ///
    /// # Errors
    /// It is not there.
    pub async fn bury(&self, dead_letter_url: &str, letter: &DeadLetter) -> Result<(), Error> {
        let body = serde_json::to_string(letter).map_err(|error| Error::Broken(error.to_string()))?;
        self.put(dead_letter_url, &body, &letter.conversation).await
    }

    /// Puts a ready body on this queue, under that conversation: how an operator tries a dead letter again
    /// ([`DeadLetter::job`], then [`Queue::delete`] of the letter).
    ///
    /// # Errors
    /// It is not there.
    pub async fn resend(&self, body: &str, conversation: &str) -> Result<(), Error> {
        self.put(&self.url, body, conversation).await
    }

    async fn put(&self, url: &str, body: &str, conversation: &str) -> Result<(), Error> {
        self.count_request();
        let group = if conversation.is_empty() { "unknown" } else { conversation };
        self.client.send_message().queue_url(url).message_body(body).message_group_id(group).send().await?;
        Ok(())
    }

    /// Up to 10 messages, hidden from others for so many seconds; no more when it answers with none.
    ///
    /// # Errors
    /// The queue did not answer, or may not be read.
    pub async fn receive(&self, hidden_s: u32) -> Result<Vec<Received>, Error> {
        self.count_request();
        let call = self.client.receive_message().queue_url(&self.url).max_number_of_messages(10);
        let answer = call
            .visibility_timeout(i32::try_from(hidden_s.min(MAX_HIDDEN_S)).unwrap_or(0))
            .wait_time_seconds(RECEIVE_WAIT_S)
            .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp)
            .send()
            .await?;
        let received = answer.messages().iter().map(|message| {
            let sent =
                message.attributes().and_then(|all| all.get(&MessageSystemAttributeName::SentTimestamp));
            Received {
                id: message.message_id().unwrap_or_default().to_owned(),
                receipt: message.receipt_handle().unwrap_or_default().to_owned(),
                body: message.body().unwrap_or_default().to_owned(),
                sent_at: sent.and_then(|at| at.parse().ok()).unwrap_or(0),
            }
        });
        Ok(received.collect())
    }

    /// Removes a received message for good.
    ///
    /// # Errors
    /// It may still be there.
    pub async fn delete(&self, receipt: &str) -> Result<(), Error> {
        self.count_request();
        self.client.delete_message().queue_url(&self.url).receipt_handle(receipt).send().await?;
        Ok(())
    }

    /// About how many messages wait, and how many are hidden.
    ///
    /// # Errors
    /// The queue did not answer, or may not be read.
    pub async fn counts(&self) -> Result<Counts, Error> {
        use QueueAttributeName as Name;
        self.count_request();
        let call = self.client.get_queue_attributes().queue_url(&self.url);
        let answer = call
            .attribute_names(Name::ApproximateNumberOfMessages)
            .attribute_names(Name::ApproximateNumberOfMessagesNotVisible)
            .attribute_names(Name::ApproximateNumberOfMessagesDelayed)
            .send()
            .await?;
        let number = |name: Name| {
            let text = answer.attributes().and_then(|all| all.get(&name));
            text.and_then(|text| text.parse::<u64>().ok()).unwrap_or(0)
        };
        let hidden = number(Name::ApproximateNumberOfMessagesNotVisible)
            + number(Name::ApproximateNumberOfMessagesDelayed);
        Ok(Counts { waiting: number(Name::ApproximateNumberOfMessages), hidden })
    }

    /// Requests made so far, each of them billed.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    fn count_request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }
}
