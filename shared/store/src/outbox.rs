//! What the channel `web` reads back: replies that its page fetches. They are written as posts, by the channel itself.

use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use serde::de::DeserializeOwned;

use crate::Error;
use crate::table::{Store, is_expired, read, text};

/// One look takes the newest so many.
const NEWEST: i32 = 200;

impl Store {
    /// The newest items of a partition from this key on, newest first, at most 200. What is forgotten at `now` (Unix
    /// milliseconds) is left out, and so is what another release wrote. The function of `web` may read no other partitions
    /// than those of its sessions.
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn outbox<T: DeserializeOwned>(
        &self,
        partition: &str,
        from: &str,
        now: i64,
    ) -> Result<Vec<T>, Error> {
        let call = self.client.query().table_name(&self.table).consistent_read(true);
        let call = call
            .scan_index_forward(false)
            .limit(NEWEST)
            .key_condition_expression("pk = :pk AND sk >= :from")
            .expression_attribute_values(":pk", text(partition))
            .expression_attribute_values(":from", text(from))
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let answer = call.send().await?;
        self.count_reads(answer.consumed_capacity());
        let items = answer.items.unwrap_or_default().into_iter().filter(|item| !is_expired(item, now));
        let known = items.map(read).filter(|item| !matches!(item, Err(Error::OtherRelease)));
        known.collect()
    }
}
