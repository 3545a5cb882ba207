//! The few ways in which this crate talks to DynamoDB, each counting what it cost.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{
    AttributeValue, ConsumedCapacity, ReturnConsumedCapacity, ReturnValue,
    ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};
use aws_types::SdkConfig;
use channel::{Shape, shape};
use serde::Serialize;
use turn::VERSION;

use crate::Error;
use crate::change::Change;
use crate::keys::Key;

/// One attempt of a call; the SDK makes up to three. All of them together end before a lease does.
const ATTEMPT: Duration = Duration::from_secs(3);
const ALL_ATTEMPTS: Duration = Duration::from_secs(8);
/// How often a write is tried that met another one on the same item, beside the SDK's own retries.
const TRIES: u32 = 6;

pub(crate) type Item = HashMap<String, AttributeValue>;

/// The table of one stack. Clones share their connections and their count.
#[derive(Clone)]
pub struct Store {
    pub(crate) client: Client,
    pub(crate) table: String,
    spent: Arc<Spent>,
}

/// Capacity units that were used.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Capacity {
    pub reads: f64,
    pub writes: f64,
}

/// In tenths: units come in halves.
#[derive(Default)]
struct Spent {
    reads: AtomicU64,
    writes: AtomicU64,
}

/// The item as a value, where it is of a release that this one can read. What has no version is of any.
pub(crate) fn read<T: serde::de::DeserializeOwned>(item: Item) -> Result<T, Error> {
    let v = item.get("v").and_then(|v| v.as_n().ok()).and_then(|v| v.parse().ok());
    match v.map_or(Shape::Known, |v| shape(v, VERSION)) {
        Shape::Known => Ok(serde_dynamo::from_item(item)?),
        Shape::Newer | Shape::Outdated => Err(Error::OtherRelease),
    }
}

/// What became of a write with a condition.
pub(crate) enum Outcome {
    /// The item as it is now.
    Done(Item),
    /// The condition does not hold; the item as it is, empty where there is none.
    Refused(Item),
}

/// What became of a transaction.
pub(crate) enum Transacted {
    Done,
    /// Nothing was written; for each item, whether its condition does not hold.
    Refused(Vec<bool>),
}

impl Transacted {
    /// Whether the condition of the item at that place does not hold.
    pub fn refused_at(&self, index: usize) -> bool {
        matches!(self, Transacted::Refused(items) if items.get(index) == Some(&true))
    }
}

impl Store {
    /// The table of that name. Touches no network.
    pub fn connect(aws: &SdkConfig, table: impl Into<String>) -> Store {
        let time_outs =
            TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT).operation_timeout(ALL_ATTEMPTS);
        let config = aws_sdk_dynamodb::config::Builder::from(aws).timeout_config(time_outs.build()).build();
        Store { client: Client::from_conf(config), table: table.into(), spent: Arc::default() }
    }

    /// Capacity units used so far, as DynamoDB reported them.
    pub fn spent(&self) -> Capacity {
        let units = |count: &AtomicU64| {
            f64::from(u32::try_from(count.load(Ordering::Relaxed)).unwrap_or(u32::MAX)) / 10.0
        };
        Capacity { reads: units(&self.spent.reads), writes: units(&self.spent.writes) }
    }

    pub(crate) fn count_reads(&self, capacity: Option<&ConsumedCapacity>) {
        add(&self.spent.reads, capacity);
    }

    fn count_writes(&self, capacity: Option<&ConsumedCapacity>) {
        add(&self.spent.writes, capacity);
    }

    pub(crate) async fn get(&self, key: Key) -> Result<Option<Item>, Error> {
        let call = self.client.get_item().table_name(&self.table).set_key(Some(key.item()));
        let call = call.consistent_read(true).return_consumed_capacity(ReturnConsumedCapacity::Total);
        let answer = call.send().await?;
        self.count_reads(answer.consumed_capacity());
        Ok(answer.item)
    }

    pub(crate) async fn update(&self, change: Change) -> Result<Outcome, Error> {
        let mut tries = 0;
        loop {
            let call = self.client.update_item().table_name(&self.table).set_key(Some(change.key.item()));
            let call = call
                .update_expression(&change.update)
                .set_condition_expression(change.condition.clone())
                .set_expression_attribute_names(change.names())
                .set_expression_attribute_values(change.values())
                .return_values(ReturnValue::AllNew)
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
                .return_consumed_capacity(ReturnConsumedCapacity::Total);
            let error = match call.send().await {
                Ok(answer) => {
                    self.count_writes(answer.consumed_capacity());
                    return Ok(Outcome::Done(answer.attributes.unwrap_or_default()));
                }
                Err(error) => error,
            };
            match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(refused)) => {
                    return Ok(Outcome::Refused(refused.item().cloned().unwrap_or_default()));
                }
                // Somebody's transaction is on the item: nothing was written.
                Some(UpdateItemError::TransactionConflictException(_)) if tries + 1 < TRIES => {}
                _ => return Err(error.into()),
            }
            pause(tries).await;
            tries += 1;
        }
    }

    /// An update that only the first can make, whose expression sets `#mark = :mark`. The SDK repeats a call whose answer
    /// was lost, and its own first attempt would refuse it: by the mark it is known again.
    pub(crate) async fn update_first(&self, change: Change) -> Result<Outcome, Error> {
        let mark = text(channel::sign::hex(&channel::sign::random::<8>()));
        Ok(match self.update(change.with(":mark", mark.clone())).await? {
            Outcome::Refused(item) if item.get("mark") == Some(&mark) => Outcome::Done(item),
            outcome => outcome,
        })
    }

    /// All or nothing. `token` makes a repetition within 10 minutes harmless.
    pub(crate) async fn transact(
        &self,
        items: Vec<TransactWriteItem>,
        token: &str,
    ) -> Result<Transacted, Error> {
        let mut tries = 0;
        loop {
            let call = self.client.transact_write_items().set_transact_items(Some(items.clone()));
            let call =
                call.client_request_token(token).return_consumed_capacity(ReturnConsumedCapacity::Total);
            let error = match call.send().await {
                Ok(answer) => {
                    answer.consumed_capacity().iter().for_each(|capacity| self.count_writes(Some(capacity)));
                    return Ok(Transacted::Done);
                }
                Err(error) => error,
            };
            match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(canceled)) => {
                    let codes: Vec<&str> = canceled
                        .cancellation_reasons()
                        .iter()
                        .map(|reason| reason.code().unwrap_or("None"))
                        .collect();
                    if codes.contains(&"ConditionalCheckFailed") {
                        let refused = codes.iter().map(|code| *code == "ConditionalCheckFailed");
                        return Ok(Transacted::Refused(refused.collect()));
                    }
                    let hopeless = codes.iter().find(|code| !PASSING.contains(code));
                    if let Some(code) = hopeless {
                        return Err(Error::Broken(format!("a transaction was refused: {code}")));
                    }
                    if tries + 1 == TRIES {
                        return Err(Error::Busy("a transaction kept meeting others".to_owned()));
                    }
                }
                Some(TransactWriteItemsError::TransactionInProgressException(_)) if tries + 1 < TRIES => {}
                _ => return Err(error.into()),
            }
            pause(tries).await;
            tries += 1;
        }
    }
}

/// Reasons for a cancelled transaction that pass.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>
const PASSING: &[&str] = &[
    "None",
    "TransactionConflict",
    "ThrottlingError",
    "ProvisionedThroughputExceeded",
    "RequestLimitExceeded",
];

fn add(count: &AtomicU64, capacity: Option<&ConsumedCapacity>) {
    let units = capacity.and_then(ConsumedCapacity::capacity_units).unwrap_or(0.0);
    // Units are small and never negative.
    count.fetch_add((units * 10.0).round() as u64, Ordering::Relaxed);
}

/// 20 ms, 40 ms, …, each between half and whole: those who met once do not meet again.
async fn pause(tries: u32) {
    let whole = 20u64 << tries.min(5);
    let [random] = channel::sign::random::<1>();
    tokio::time::sleep(Duration::from_millis(whole / 2 + whole * u64::from(random) / 512)).await;
}

/// A fresh token for a transaction that nobody repeats from outside.
pub(crate) fn token() -> String {
    channel::sign::hex(&channel::sign::random::<16>())
}

impl Key {
    pub fn item(&self) -> Item {
        HashMap::from([("pk".to_owned(), text(&self.pk)), ("sk".to_owned(), text(&self.sk))])
    }

    /// The value's fields as the item at this key. `ttl` is in Unix seconds.
    pub fn with<T: Serialize>(&self, value: &T, ttl: Option<i64>) -> Result<Item, Error> {
        let mut item: Item = serde_dynamo::to_item(value)?;
        item.extend(self.item());
        item.extend(ttl.map(|ttl| ("ttl".to_owned(), number(ttl))));
        Ok(item)
    }
}

pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(crate) fn number(value: impl std::fmt::Display) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// The Unix second of a time in milliseconds.
pub(crate) fn seconds(ms: i64) -> i64 {
    ms.div_euclid(1_000)
}

/// Whether the item's time is over. DynamoDB removes such items days late.
pub(crate) fn is_expired(item: &Item, now: i64) -> bool {
    let ttl = item.get("ttl").and_then(|ttl| ttl.as_n().ok()).and_then(|ttl| ttl.parse::<i64>().ok());
    ttl.is_some_and(|ttl| ttl <= seconds(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expired_item_is_not_alive() {
        let key = crate::keys::configuration();
        let item = key.with(&serde_json::json!({"a": 1}), Some(100)).unwrap();
        assert!(is_expired(&item, 100_000));
        assert!(!is_expired(&item, 99_999));
        assert!(!is_expired(&key.item(), 100_000));
    }
}
