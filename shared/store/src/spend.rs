//! What was spent: reservations on the counters of caps, and a line of what was used by day, person, conversation, assistant and
//! model.

use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use channel::{ConversationKey, short_id};
use serde::Deserialize;
use turn::calendar;
use turn::spend::{Amount, Held, Reservation, Used};

use crate::Error;
use crate::change::Change;
use crate::conversation::{HELD_BY_ME, Written, mine};
use crate::keys::{self, Key};
use crate::table::{Item, Store, Transacted, is_expired, number, seconds, text, token};

/// How long the counters of a month are kept, seconds.
const COUNTER_TTL_S: i64 = 40 * 86_400;
/// How long it is known what was used, seconds.
const USAGE_TTL_S: i64 = 400 * 86_400;

/// What came of reserving.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reserved {
    Reserved,
    /// There is no room for this one, and nothing is reserved.
    Full(Box<Reservation>),
    /// The lease is no longer mine, or another answer still holds something; nothing is reserved.
    Fenced,
}

/// Who used something, and what for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Deserialize)]
pub struct UsedBy {
    pub channel: String,
    pub account: String,
    /// The platform's id of the person.
    pub user: String,
    /// The conversation's key.
    pub conversation: String,
    pub assistant: String,
    /// Name of the entry of `models`.
    pub model: String,
}

/// What was used on one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageLine {
    pub by: UsedBy,
    /// `yyyy-mm-dd`, UTC.
    pub day: String,
    pub used: Used,
}

impl Store {
    /// Reserves on all counters, or on none, and writes down in HEAD what is held then in place of `before`, which the same answer
    /// held until now; only the holder of `epoch` may. An answer always has room under a cap of which nothing is used. `now` is Unix
    /// milliseconds.
    ///
    /// # Errors
    /// It may be reserved or not; HEAD says so, and it is settled by whoever takes the conversation next.
    pub async fn reserve(
        &self,
        conversation: &ConversationKey,
        epoch: u64,
        reservations: &[Reservation],
        before: &Held,
        held: &Held,
        now: i64,
    ) -> Result<Reserved, Error> {
        let head = mine(conversation, "SET #held = :held", epoch);
        let condition = format!("{HELD_BY_ME} AND (attribute_not_exists(#held) OR #held.#key = :key)");
        let head = head
            .only_if(&condition)
            .with(":held", serde_dynamo::to_attribute_value(held)?)
            .with(":key", text(&held.key));
        let mut items = vec![head.into_item(&self.table)?];
        for reservation in reservations {
            let by = reservation.change(before);
            let mut change = change(&reservation.scope, &reservation.period, by, now);
            if let Ok(more @ 1..) = u64::try_from(by) {
                change = change
                    .only_if("attribute_not_exists(#count) OR #count <= :room")
                    .with(":room", number(reservation.room_for(more)));
            }
            items.push(change.into_item(&self.table)?);
        }
        Ok(match self.transact(items, &token()).await? {
            Transacted::Done => Reserved::Reserved,
            Transacted::Refused(refused) if refused.first() == Some(&true) => Reserved::Fenced,
            Transacted::Refused(refused) => {
                let full = reservations.iter().zip(refused.iter().skip(1)).find(|(_, refused)| **refused);
                full.map_or(Reserved::Fenced, |(full, _)| Reserved::Full(Box::new(full.clone())))
            }
        })
    }

    /// Settles what the answer of that key holds to what was spent, and takes it out of HEAD; only the holder of `epoch` may, and
    /// it is done once. `now` is Unix milliseconds.
    ///
    /// # Errors
    /// It may be settled or not; again is safe.
    pub async fn settle(
        &self,
        conversation: &ConversationKey,
        epoch: u64,
        held: &Held,
        spent: Amount,
        now: i64,
    ) -> Result<Written, Error> {
        let condition = format!("{HELD_BY_ME} AND #held.#key = :key");
        let head =
            mine(conversation, "REMOVE #held", epoch).only_if(&condition).with(":key", text(&held.key));
        let mut items = vec![head.into_item(&self.table)?];
        for each in &held.counters {
            items.push(change(&each.scope, &each.period, each.settled(spent), now).into_item(&self.table)?);
        }
        Ok(match self.transact(items, &token()).await? {
            Transacted::Done => Written::Done,
            Transacted::Refused(_) => Written::Fenced,
        })
    }

    /// Where the counters of these caps stand.
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn stand_at(&self, reservations: &[Reservation]) -> Result<Vec<u64>, Error> {
        let each = reservations.iter().map(|each| self.counted(&each.scope, &each.period));
        futures::future::try_join_all(each).await
    }

    /// Adds to what was used today. `now` is Unix milliseconds.
    ///
    /// # Errors
    /// Whether it is added is not known.
    pub async fn add_usage(&self, by: &UsedBy, used: Used, now: i64) -> Result<(), Error> {
        let day = calendar::day(now);
        let key = Key { pk: keys::usage(&calendar::month(now)), sk: usage_sk(by, &day) };
        let update = "SET #channel = :channel, #account = :account, #user = :user, #conversation = :conversation, \
                      #assistant = :assistant, #model = :model, #day = :day, #ttl = if_not_exists(#ttl, :ttl) \
                      ADD #turns :turns, #input :input, #output :output, #cached :cached, #micro_usd :micro_usd";
        let add = Change::at(key, update)
            .with(":channel", text(&by.channel))
            .with(":account", text(&by.account))
            .with(":user", text(&by.user))
            .with(":conversation", text(&by.conversation))
            .with(":assistant", text(&by.assistant))
            .with(":model", text(&by.model))
            .with(":day", text(day))
            .with(":ttl", number(seconds(now) + USAGE_TTL_S))
            .with(":turns", number(used.turns))
            .with(":input", number(used.input))
            .with(":output", number(used.output))
            .with(":cached", number(used.cached))
            .with(":micro_usd", number(used.micro_usd));
        self.update(add).await?;
        Ok(())
    }

    /// What was used in a month, `yyyy-mm`: by everybody, or by one person (channel, account, user). `now` is Unix milliseconds.
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn usage(
        &self,
        month: &str,
        of: Option<(&str, &str, &str)>,
        now: i64,
    ) -> Result<Vec<UsageLine>, Error> {
        let call = self.client.query().table_name(&self.table);
        let call = match of {
            None => call.key_condition_expression("pk = :pk"),
            Some((channel, account, user)) => call
                .key_condition_expression("pk = :pk AND begins_with(sk, :of)")
                .expression_attribute_values(":of", text(person_prefix(channel, account, user))),
        };
        let mut pages = call
            .expression_attribute_values(":pk", text(keys::usage(month)))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .into_paginator()
            .send();
        let mut lines = Vec::new();
        while let Some(page) = pages.next().await.transpose()? {
            self.count_reads(page.consumed_capacity());
            let items = page.items.unwrap_or_default();
            for item in items.into_iter().filter(|item| !is_expired(item, now)) {
                lines.push(line(item)?);
            }
        }
        Ok(lines)
    }
}

/// A counter changed within a transaction.
fn change(scope: &str, period: &str, by: i64, now: i64) -> Change {
    Change::at(keys::count(scope, period), "SET #ttl = if_not_exists(#ttl, :ttl) ADD #count :add")
        .with(":ttl", number(seconds(now) + COUNTER_TTL_S))
        .with(":add", number(by))
}

fn person_prefix(channel: &str, account: &str, user: &str) -> String {
    format!("{channel}#{account}#{}#", short_id(user))
}

fn usage_sk(by: &UsedBy, day: &str) -> String {
    let person = person_prefix(&by.channel, &by.account, &by.user);
    format!("{person}{}#{}#{}#{day}", by.conversation, short_id(&by.assistant), short_id(&by.model))
}

fn line(item: Item) -> Result<UsageLine, Error> {
    let number = |name: &str| -> u64 {
        let value = item.get(name).and_then(|value| value.as_n().ok());
        value.and_then(|value| value.parse().ok()).unwrap_or(0)
    };
    let used = Used {
        turns: number("turns"),
        input: number("input"),
        output: number("output"),
        cached: number("cached"),
        micro_usd: number("micro_usd"),
    };
    let day = item.get("day").and_then(|day| day.as_s().ok()).cloned().unwrap_or_default();
    Ok(UsageLine { used, day, by: serde_dynamo::from_item(item)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_a_key_of_its_own_that_begins_with_the_person() {
        let by = UsedBy {
            channel: "telegram".into(),
            account: "main".into(),
            user: "7".into(),
            conversation: "c".into(),
            assistant: "default".into(),
            model: "m".into(),
        };
        let key = usage_sk(&by, "2026-11-21");
        assert_eq!(key, "telegram#main#7#c#default#m#2026-11-21");
        assert!(key.starts_with(&person_prefix("telegram", "main", "7")));
        assert!(!key.starts_with(&person_prefix("telegram", "main", "")));
        let long = UsedBy { user: "u".repeat(900), assistant: "a".repeat(900), model: "m".repeat(900), ..by };
        assert!(usage_sk(&long, "2026-11-21").len() < 1_024, "a sort key has 1,024 bytes at most");
    }
}
