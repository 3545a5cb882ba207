//! Everything that is kept of a person, found and taken away.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use turn::{Turn, Waiting};

use crate::Error;
use crate::keys::{self, Key};
use crate::people::Who;
use crate::table::{Item, Store, read};

/// Deletes that are made side by side.
const AT_ONCE: usize = 16;

/// What is kept of somebody.
#[derive(Debug, Default)]
pub struct Traces {
    /// Turns in which they said something, whoever else did; messages of theirs that wait.
    pub turns: usize,
    /// Summaries and questions of the conversations that those are of.
    pub conversations: usize,
    /// What they used, a line for a day, conversation and model.
    pub usage: usize,
    /// Keys in the stack's bucket of what they sent and of what tools made for them.
    pub files: BTreeSet<String>,
    keys: Vec<Key>,
}

impl Store {
    /// What is kept of somebody in the whole table: it is read from end to end. Counters of caps are none of it: they hold no more
    /// than an id, and for 40 days.
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn traces(&self, who: Who<'_>) -> Result<Traces, Error> {
        let Who { channel, account, user } = who;
        let mut traces = Traces {
            keys: vec![
                keys::profile(channel, account, user),
                keys::notes(channel, account, user),
                keys::listed(channel, account, user),
            ],
            ..Traces::default()
        };
        let (mut conversations, mut chats) = (BTreeSet::new(), BTreeSet::new());
        // Replies that pages fetch, by page: whose they are, only the turns know.
        let mut pages_of: BTreeMap<String, Vec<Key>> = BTreeMap::new();
        let call = self.client.scan().table_name(&self.table).consistent_read(true);
        let call = call.return_consumed_capacity(ReturnConsumedCapacity::Total);
        let mut pages = call.into_paginator().send();
        while let Some(page) = pages.next().await.transpose()? {
            self.count_reads(page.consumed_capacity());
            for item in page.items.unwrap_or_default() {
                let Some(key) = Key::of(&item) else { continue };
                let is_of = |field: &str, value: &str| {
                    item.get(field).and_then(|field| field.as_s().ok()).is_some_and(|field| field == value)
                };
                if key.pk.starts_with(keys::USAGE) {
                    if is_of("channel", channel) && is_of("account", account) && is_of("user", user) {
                        traces.usage += 1;
                        traces.keys.push(key);
                    }
                } else if key.pk.starts_with(keys::WEB) {
                    pages_of.entry(key.pk.clone()).or_default().push(key);
                } else if let Some(said) = said(&key, item, who)? {
                    traces.turns += 1;
                    traces.files.extend(said.files);
                    chats.extend(said.chat);
                    conversations.insert(key.pk.clone());
                    traces.keys.push(key);
                }
            }
        }
        traces.conversations = conversations.len();
        for pk in conversations {
            traces.keys.extend(keys::OF_ALL_TURNS.map(|sk| Key { pk: pk.clone(), sk: sk.to_owned() }));
        }
        for chat in chats.iter().filter(|_| channel == "web") {
            let page = format!("{}{account}#{chat}", keys::WEB);
            traces.keys.extend(pages_of.remove(&page).unwrap_or_default());
        }
        Ok(traces)
    }

    /// Takes it away, files excepted: they are in the bucket.
    ///
    /// # Errors
    /// Some of it may be left; again is safe.
    pub async fn erase(&self, traces: &Traces) -> Result<(), Error> {
        for keys in traces.keys.chunks(AT_ONCE) {
            let each = keys.iter().map(async |key| {
                let delete = self.client.delete_item().table_name(&self.table).set_key(Some(key.item()));
                delete.send().await.map(|_| ())
            });
            futures::future::try_join_all(each).await?;
        }
        Ok(())
    }
}

/// Where a person said something, and what they sent.
struct Said {
    files: Vec<String>,
    chat: Option<String>,
}

/// `None`: the item is no turn and no waiting message of theirs.
fn said(key: &Key, item: Item, who: Who<'_>) -> Result<Option<Said>, Error> {
    if !key.pk.starts_with(keys::CONVERSATION) {
        return Ok(None);
    }
    if key.sk.starts_with("TURN#") {
        let turn: Turn = read(item)?;
        let theirs = turn.address.channel == who.channel
            && turn.address.account == who.account
            && turn.messages.iter().any(|message| message.sender == who.user);
        let files = turn.files.into_iter().chain(turn.made).map(|file| file.key).collect();
        return Ok(theirs.then_some(Said { files, chat: Some(turn.address.chat) }));
    }
    if key.sk.starts_with("IN#") {
        let waiting: Waiting = read(item)?;
        return Ok((Who::from(&waiting.inbound) == who).then_some(Said { files: Vec::new(), chat: None }));
    }
    Ok(None)
}
