//! What waits in a conversation: keeping messages, looking at them.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use channel::{ConversationKey, INBOUND_VERSION, Inbound, Shape, shape, short_id};
use serde_json::json;
use turn::machine::SKEW_MS;
use turn::{Head, VERSION, Waiting};

use crate::Error;
use crate::change::{Change, put_if};
use crate::conversation::head;
use crate::keys;
use crate::table::{Item, Outcome, Store, number, read, seconds, text, token};

/// Platforms send again for hours to days; a mark outlives them all. Seconds.
const SEEN_TTL_S: i64 = 8 * 86_400;
/// A conversation's inbox is read up to so many pages of 1 MB.
const MAX_PAGES: usize = 4;

/// What came of keeping a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    New,
    /// It came before; nothing was written.
    Seen,
}

/// How an answer beside the turns may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begun {
    First,
    /// It was begun before, and is not known to have ended.
    Again,
    /// Somebody else is at it.
    Busy,
    /// It is answered, or was kept.
    Done,
}

/// HEAD, and behind it what waited when it was read or a little later.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Looked {
    pub head: Head,
    /// Oldest first.
    pub waiting: Vec<Waiting>,
    /// More waits than was asked for.
    pub more: bool,
    /// Messages of another release, by their ids in keys: left there for an invoker that knows them.
    pub left: Vec<String>,
}

impl Store {
    /// Marks a message as seen and puts it into the inbox, in one transaction. `now` is Unix milliseconds.
    ///
    /// # Errors
    /// It may or may not be kept; keeping it again is safe.
    pub async fn keep(
        &self,
        conversation: &ConversationKey,
        inbound: &Inbound,
        now: i64,
    ) -> Result<Kept, Error> {
        let id = short_id(&inbound.id);
        let waiting = Waiting { v: VERSION, inbound: inbound.clone(), kept_at: now, tries: 0 };
        let waiting = keys::inbox(conversation, &id).with(&waiting, None)?;
        let arrival = Change::at(keys::head(conversation), "SET #v = if_not_exists(#v, :v) ADD #rev :one")
            .with(":v", number(VERSION))
            .with(":one", number(1));
        let items = vec![
            put_if(&self.table, seen_item(conversation, &id, now)?, Some(NOT_SEEN), at_second(now))?,
            put_if(&self.table, waiting, None, HashMap::new())?,
            arrival.into_item(&self.table)?,
        ];
        let outcome = self.transact(items, &token()).await?;
        Ok(if outcome.refused_at(0) { Kept::Seen } else { Kept::New })
    }

    /// Begins to answer a message that never enters the inbox (commands that do not wait). Nobody else begins until `until`; times
    /// are Unix milliseconds.
    ///
    /// # Errors
    /// It may or may not be begun.
    pub async fn begin(
        &self,
        conversation: &ConversationKey,
        id: &str,
        now: i64,
        until: i64,
    ) -> Result<Begun, Error> {
        let begin = Change::at(
            keys::seen(conversation, id),
            "SET #v = :v, #ttl = :ttl, #mark = :mark, #until = :until ADD #tries :one",
        )
        .only_if("attribute_not_exists(#pk) OR #ttl < :now OR #until < :over")
        .with(":v", number(VERSION))
        .with(":ttl", number(seconds(now) + SEEN_TTL_S))
        .with(":until", number(until))
        .with(":one", number(1))
        .with(":now", number(seconds(now)))
        .with(":over", number(now - SKEW_MS));
        Ok(match self.update_first(begin).await? {
            Outcome::Done(item) if item.get("tries") == Some(&number(1)) => Begun::First,
            Outcome::Done(_) => Begun::Again,
            Outcome::Refused(item) if item.contains_key("until") => Begun::Busy,
            Outcome::Refused(_) => Begun::Done,
        })
    }

    /// The message that was begun is answered; where it is not, because the platform wants to wait, it may be begun afresh.
    ///
    /// # Errors
    /// Whether it is written is not known.
    pub async fn end(&self, conversation: &ConversationKey, id: &str, answered: bool) -> Result<(), Error> {
        let end = Change::at(
            keys::seen(conversation, id),
            if answered { "REMOVE #until" } else { "SET #until = :free, #tries = :free" },
        );
        self.update(if answered { end } else { end.with(":free", number(0)) }).await?;
        Ok(())
    }

    /// Whether a message came before. A mark that expired and is still there counts too.
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn seen(&self, conversation: &ConversationKey, id: &str) -> Result<bool, Error> {
        Ok(self.get(keys::seen(conversation, id)).await?.is_some())
    }

    /// Whether a message is still in the inbox.
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn waits(&self, conversation: &ConversationKey, id: &str) -> Result<bool, Error> {
        Ok(self.get(keys::inbox(conversation, id)).await?.is_some())
    }

    /// HEAD, then the inbox: at most `max_items` messages with `max_text` bytes of text, the oldest, at least one.
    ///
    /// HEAD is read first, so its `rev` covers nothing that is not in the list: who releases on it loses no arrival.
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn look(
        &self,
        conversation: &ConversationKey,
        max_items: usize,
        max_text: usize,
    ) -> Result<Looked, Error> {
        let (from, to) = keys::HEAD_AND_INBOX;
        let call = self.client.query().table_name(&self.table).consistent_read(true);
        let mut pages = call
            .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
            .expression_attribute_values(":pk", text(keys::conversation(conversation)))
            .expression_attribute_values(":from", text(from))
            .expression_attribute_values(":to", text(to))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .into_paginator()
            .send();
        let mut looked = Looked::default();
        for _ in 0..MAX_PAGES {
            let Some(page) = pages.next().await.transpose()? else { break };
            self.count_reads(page.consumed_capacity());
            for item in page.items.unwrap_or_default() {
                self.sort_in(conversation, item, &mut looked)?;
            }
        }
        looked.waiting.sort_by(|a, b| (a.inbound.at, &a.inbound.id).cmp(&(b.inbound.at, &b.inbound.id)));
        let fit = fit(&looked.waiting, max_items, max_text);
        looked.more = fit < looked.waiting.len();
        looked.waiting.truncate(fit);
        Ok(looked)
    }

    /// An item that a later release wrote stays where it is, for an invoker that knows it.
    fn sort_in(&self, conversation: &ConversationKey, item: Item, looked: &mut Looked) -> Result<(), Error> {
        if item.get("sk") == Some(&text("HEAD")) {
            looked.head = head(item)?;
            return Ok(());
        }
        let id = item.get("sk").and_then(|sk| sk.as_s().ok()).and_then(|sk| sk.strip_prefix("IN#"));
        let id = id.unwrap_or_default().to_owned();
        match waiting(item) {
            Ok(waiting) => looked.waiting.push(waiting),
            Err(_) => {
                tracing::warn!(%conversation, id, "a message in the inbox is of another release: it is left there");
                looked.left.push(id);
            }
        }
        Ok(())
    }

    /// Counts a try for each message that is still in the inbox.
    ///
    /// # Errors
    /// Some may not be counted.
    pub async fn count_try(&self, conversation: &ConversationKey, ids: &[String]) -> Result<(), Error> {
        self.add_tries(conversation, ids, 1).await
    }

    /// Gives a try back that was not the messages' fault.
    ///
    /// # Errors
    /// Some may not be given back.
    pub async fn uncount_try(&self, conversation: &ConversationKey, ids: &[String]) -> Result<(), Error> {
        self.add_tries(conversation, ids, -1).await
    }

    async fn add_tries(&self, conversation: &ConversationKey, ids: &[String], add: i32) -> Result<(), Error> {
        let counts = ids.iter().map(|id| {
            let count =
                Change::at(keys::inbox(conversation, id), "ADD #tries :add").only_if("attribute_exists(#pk)");
            self.update(count.with(":add", number(add)))
        });
        futures::future::try_join_all(counts).await?;
        Ok(())
    }
}

fn waiting(item: Item) -> Result<Waiting, Error> {
    let waiting: Waiting = read(item)?;
    match shape(u64::from(waiting.inbound.v), INBOUND_VERSION) {
        Shape::Known => Ok(waiting),
        Shape::Newer | Shape::Outdated => Err(Error::OtherRelease),
    }
}

/// Expired marks count as absent.
const NOT_SEEN: &str = "attribute_not_exists(#pk) OR #ttl < :now";

fn at_second(now: i64) -> HashMap<String, aws_sdk_dynamodb::types::AttributeValue> {
    HashMap::from([(":now".to_owned(), number(seconds(now)))])
}

fn seen_item(conversation: &ConversationKey, id: &str, now: i64) -> Result<Item, Error> {
    let ttl = Some(seconds(now) + SEEN_TTL_S);
    keys::seen(conversation, id).with(&json!({ "v": VERSION }), ttl)
}

/// How many of the messages, from the front, keep both limits: at least one where there is one.
fn fit(waiting: &[Waiting], max_items: usize, max_text: usize) -> usize {
    let mut bytes = 0;
    let fits = |waiting: &&Waiting| {
        let first = bytes == 0;
        bytes += waiting.inbound.text().len().max(1);
        first || bytes <= max_text
    };
    waiting.iter().take(max_items.max(1)).take_while(fits).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sizes: &[usize], max_items: usize, max_text: usize, expected: usize) {
        let waiting: Vec<Waiting> = sizes.iter().map(|size| message(&"x".repeat(*size))).collect();
        assert_eq!(fit(&waiting, max_items, max_text), expected, "{sizes:?}");
    }

    fn message(text: &str) -> Waiting {
        let inbound = json!({
            "v": 1, "id": "1", "channel": "c", "account": "main", "conversation": {"chat": "1"}, "kind": "dm",
            "sender": {"id": "7", "name": "Ana", "home": "unknown"}, "addressed": true, "content": {"text": text},
            "at": 0, "address": {"channel": "c", "account": "main", "chat": "1"},
        });
        Waiting { v: 1, inbound: serde_json::from_value(inbound).unwrap(), kept_at: 0, tries: 0 }
    }

    #[test]
    fn a_look_takes_what_fits_and_never_nothing() {
        check(&[], 50, 100, 0);
        check(&[10; 60], 50, 10_000, 50);
        check(&[60, 30, 20], 50, 100, 2);
        check(&[500, 1], 50, 100, 1);
        check(&[0, 500], 50, 100, 1);
    }

    #[test]
    fn a_waiting_message_survives_the_table() {
        let of = ConversationKey::of("c", "main", "1", "");
        let stored = |message: &Waiting| keys::inbox(&of, "1").with(message, None).unwrap();
        let hello = message("hello \u{1f600}");
        assert_eq!(waiting(stored(&hello)).unwrap(), hello);
        let newer = Waiting { v: VERSION + 1, ..hello.clone() };
        assert!(matches!(waiting(stored(&newer)), Err(Error::OtherRelease)));
        let mut newer_inside = hello;
        newer_inside.inbound.v = INBOUND_VERSION + 1;
        assert!(matches!(waiting(stored(&newer_inside)), Err(Error::OtherRelease)));
    }
}
