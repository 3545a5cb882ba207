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
    AttributeValue, ConsumedCapacity, Delete, Put, ReturnConsumedCapacity, ReturnValue,
    ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use aws_types::SdkConfig;
use serde::Serialize;

use crate::Error;
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
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
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

/// An update of one item, alone or in a transaction. Attributes are written `#name` in expressions, because many of ours
/// are reserved words; their names are found there.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    key: Key,
    update: String,
    condition: Option<String>,
    values: HashMap<String, AttributeValue>,
}

impl Change {
    pub fn at(key: Key, update: impl Into<String>) -> Change {
        Change { key, update: update.into(), condition: None, values: HashMap::new() }
    }

    pub fn only_if(mut self, condition: &str) -> Change {
        self.condition = Some(condition.to_owned());
        self
    }

    /// The value of `:name` in the expressions.
    pub fn with(mut self, name: &str, value: AttributeValue) -> Change {
        self.values.insert(name.to_owned(), value);
        self
    }

    pub fn into_item(self, table: &str) -> Result<TransactWriteItem, Error> {
        let update = Update::builder()
            .table_name(table)
            .set_key(Some(self.key.item()))
            .update_expression(&self.update)
            .set_condition_expression(self.condition.clone())
            .set_expression_attribute_names(self.names())
            .set_expression_attribute_values(self.values())
            .build()?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    fn names(&self) -> Option<HashMap<String, String>> {
        let names = names(&[&self.update, self.condition.as_deref().unwrap_or_default()]);
        (!names.is_empty()).then_some(names)
    }

    fn values(&self) -> Option<HashMap<String, AttributeValue>> {
        (!self.values.is_empty()).then(|| self.values.clone())
    }
}

/// Every `#name` in the expressions, with the name it stands for.
fn names(expressions: &[&str]) -> HashMap<String, String> {
    let found = expressions.iter().flat_map(|expression| expression.split('#').skip(1)).map(|rest| {
        let name: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        (format!("#{name}"), name)
    });
    found.collect()
}

/// A put within a transaction, with a condition in which every attribute is written `#name`.
pub(crate) fn put_if(
    table: &str,
    item: Item,
    condition: Option<&str>,
    values: HashMap<String, AttributeValue>,
) -> Result<TransactWriteItem, Error> {
    let put = Put::builder()
        .table_name(table)
        .set_item(Some(item))
        .set_condition_expression(condition.map(str::to_owned))
        .set_expression_attribute_names(condition.map(|condition| names(&[condition])))
        .set_expression_attribute_values((!values.is_empty()).then_some(values))
        .build()?;
    Ok(TransactWriteItem::builder().put(put).build())
}

/// A delete within a transaction.
pub(crate) fn delete_if(
    table: &str,
    key: Key,
    condition: Option<&str>,
    values: HashMap<String, AttributeValue>,
) -> Result<TransactWriteItem, Error> {
    let delete = Delete::builder()
        .table_name(table)
        .set_key(Some(key.item()))
        .set_condition_expression(condition.map(str::to_owned))
        .set_expression_attribute_names(condition.map(|condition| names(&[condition])))
        .set_expression_attribute_values((!values.is_empty()).then_some(values))
        .build()?;
    Ok(TransactWriteItem::builder().delete(delete).build())
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
    fn names_are_found_in_expressions() {
        let found =
            names(&["SET #ids[3] = :id, #until=:until ADD #epoch :one", "#epoch = :mine OR NOT (#ttl<:now)"]);
        let mut found: Vec<(&str, &str)> = found.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        found.sort_unstable();
        assert_eq!(found, [("#epoch", "epoch"), ("#ids", "ids"), ("#ttl", "ttl"), ("#until", "until")]);
    }

    #[test]
    fn an_expired_item_is_not_alive() {
        let key = crate::keys::configuration();
        let item = key.with(&serde_json::json!({"a": 1}), Some(100)).unwrap();
        assert!(is_expired(&item, 100_000));
        assert!(!is_expired(&item, 99_999));
        assert!(!is_expired(&key.item(), 100_000));
    }
}
