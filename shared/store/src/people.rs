//! People, the groups that may be answered in, and the codes that make somebody an owner.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use channel::{Address, ConversationKey, Home, Inbound};
use serde::{Deserialize, Serialize};
use turn::VERSION;
use turn::access::Role;

use crate::Error;
use crate::change::{Change, delete_if};
use crate::keys;
use crate::table::{Store, number, read, seconds, text, token};

/// Somebody by the platform's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Who<'a> {
    pub channel: &'a str,
    pub account: &'a str,
    pub user: &'a str,
}

impl<'a> From<&'a Inbound> for Who<'a> {
    fn from(inbound: &'a Inbound) -> Who<'a> {
        Who { channel: &inbound.channel, account: &inbound.account, user: &inbound.sender.id }
    }
}

/// What is remembered of somebody who wrote, or whom the operator named.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Person {
    pub v: u32,
    pub channel: String,
    pub account: String,
    pub user: String,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub role: Role,
    #[serde(default = "unknown")]
    pub home: Home,
    /// When the platform last said so, Unix milliseconds; 0 = never.
    #[serde(default)]
    pub home_checked_at: i64,
    /// Unix milliseconds.
    #[serde(default)]
    pub first_seen: i64,
    /// Wrote, was not let in, and nobody has decided yet.
    #[serde(default)]
    pub waiting: bool,
    /// Where an owner is written to in private, as of the last message there.
    #[serde(default)]
    pub reach: Option<Address>,
}

fn unknown() -> Home {
    Home::Unknown
}

impl Store {
    /// What is remembered of somebody; `None` of a stranger who never knocked.
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn person(&self, channel: &str, account: &str, user: &str) -> Result<Option<Person>, Error> {
        self.get(keys::profile(channel, account, user)).await?.map(read).transpose()
    }

    /// Everybody, by channel and account.
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn people(&self) -> Result<Vec<Person>, Error> {
        let call = self.client.query().table_name(&self.table).consistent_read(true);
        let mut pages = call
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", text(keys::PEOPLE))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .into_paginator()
            .send();
        let mut people = Vec::new();
        while let Some(page) = pages.next().await.transpose()? {
            self.count_reads(page.consumed_capacity());
            for item in page.items.unwrap_or_default() {
                people.push(read(item)?);
            }
        }
        Ok(people)
    }

    /// The sender was not let in: waits in the operator's list from now on. `now` is Unix milliseconds.
    ///
    /// # Errors
    /// Whether it is remembered is not known; again is safe.
    pub async fn knocked(&self, inbound: &Inbound, now: i64) -> Result<(), Error> {
        let who = Who::from(inbound);
        let known = self.person(who.channel, who.account, who.user).await?;
        if known.is_some_and(|person| person.waiting) {
            return Ok(());
        }
        let waits = vec![("waiting", AttributeValue::Bool(true))];
        self.remember(who, Some(&inbound.sender.name), waits, now).await
    }

    /// The platform said whether the sender belongs to the tenant. `now` is Unix milliseconds.
    ///
    /// # Errors
    /// Whether it is remembered is not known; again is safe.
    pub async fn set_home(&self, inbound: &Inbound, home: Home, now: i64) -> Result<(), Error> {
        let found = vec![("home", serde_dynamo::to_attribute_value(home)?), ("home_checked_at", number(now))];
        self.remember(inbound.into(), Some(&inbound.sender.name), found, now).await
    }

    /// The operator decides about somebody. `now` is Unix milliseconds.
    ///
    /// # Errors
    /// Whether it is remembered is not known; again is safe.
    pub async fn set_role(&self, who: Who<'_>, role: Role, now: i64) -> Result<(), Error> {
        self.remember(who, None, decided(role)?, now).await
    }

    /// Where an owner is written to in private from now on. `now` is Unix milliseconds.
    ///
    /// # Errors
    /// Whether it is remembered is not known; again is safe.
    pub async fn set_reach(&self, who: Who<'_>, reach: &Address, now: i64) -> Result<(), Error> {
        let found = vec![("reach", serde_dynamo::to_attribute_value(reach)?)];
        self.remember(who, None, found, now).await
    }

    async fn remember(
        &self,
        who: Who<'_>,
        name: Option<&str>,
        fields: Vec<(&str, AttributeValue)>,
        now: i64,
    ) -> Result<(), Error> {
        let [profile, listed] = both(who, name, fields, now);
        let items = vec![profile.into_item(&self.table)?, listed.into_item(&self.table)?];
        self.transact(items, &token()).await?;
        Ok(())
    }

    /// Writes a code that makes its first sender an owner, until `until`, Unix milliseconds. Only its hash is kept.
    ///
    /// # Errors
    /// Whether it is written is not known; again is safe.
    pub async fn offer_claim(&self, code: &str, until: i64) -> Result<(), Error> {
        let offer = Change::at(keys::claim(code), "SET #v = :v, #ttl = :ttl")
            .with(":v", number(VERSION))
            .with(":ttl", number(seconds(until)));
        self.update(offer).await?;
        Ok(())
    }

    /// Uses up a code: the sender is an owner now. `false`: it is unknown, used, or too old at `now`, Unix milliseconds.
    ///
    /// # Errors
    /// Whether it is used up is not known.
    pub async fn claim(&self, code: &str, inbound: &Inbound, now: i64) -> Result<bool, Error> {
        let alive = "attribute_exists(#pk) AND #ttl > :now";
        let at = HashMap::from([(":now".to_owned(), number(seconds(now)))]);
        let [profile, listed] = both(inbound.into(), Some(&inbound.sender.name), decided(Role::Owner)?, now);
        let items = vec![
            delete_if(&self.table, keys::claim(code), Some(alive), at)?,
            profile.into_item(&self.table)?,
            listed.into_item(&self.table)?,
        ];
        Ok(!self.transact(items, &token()).await?.refused_at(0))
    }

    /// An owner lets the assistant answer in a chat, all its threads included, and the chat is written to at `address` where
    /// nobody wrote before. `now` is Unix milliseconds.
    ///
    /// # Errors
    /// Whether it is remembered is not known; again is safe.
    pub async fn allow_group(&self, inbound: &Inbound, address: &Address, now: i64) -> Result<(), Error> {
        let key = keys::group(&inbound.channel, &inbound.account, &inbound.conversation.chat);
        let allow = Change::at(key, "SET #v = :v, #by = :by, #at = :at, #address = :address")
            .with(":address", serde_dynamo::to_attribute_value(address)?)
            .with(":v", number(VERSION))
            .with(":by", text(&inbound.sender.id))
            .with(":at", number(now));
        self.update(allow).await?;
        Ok(())
    }

    /// How a chat is written to: as kept when an owner let the assistant answer there, else as the newest turn there was. `None`:
    /// it never wrote there.
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn address_of(
        &self,
        channel: &str,
        account: &str,
        chat: &str,
        now: i64,
    ) -> Result<Option<Address>, Error> {
        let allowed = self.get(keys::group(channel, account, chat)).await?;
        if let Some(kept) = allowed.and_then(|mut item| item.remove("address")) {
            return Ok(Some(serde_dynamo::from_attribute_value(kept)?));
        }
        let conversation = ConversationKey::of(channel, account, chat, "");
        let newest = self.history(&conversation, 0, 1, usize::MAX, now).await?;
        Ok(newest.into_iter().next().map(|turn| turn.address))
    }

    /// Whether an owner let the assistant answer in a chat.
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn group_allowed(&self, channel: &str, account: &str, chat: &str) -> Result<bool, Error> {
        Ok(self.get(keys::group(channel, account, chat)).await?.is_some())
    }
}

fn decided(role: Role) -> Result<Vec<(&'static str, AttributeValue)>, Error> {
    Ok(vec![("role", serde_dynamo::to_attribute_value(role)?), ("waiting", AttributeValue::Bool(false))])
}

/// The profile and its copy in the list, with these fields set and nothing else of it touched: somebody may become an
/// owner at the same moment.
fn both(who: Who<'_>, name: Option<&str>, fields: Vec<(&str, AttributeValue)>, now: i64) -> [Change; 2] {
    let Who { channel, account, user } = who;
    let mut update =
        "SET #v = if_not_exists(#v, :v), #channel = :channel, #account = :account, #user = :user, \
                      #first_seen = if_not_exists(#first_seen, :now)"
            .to_owned();
    let name = name.filter(|name| !name.is_empty()).map(|name| ("name", text(name)));
    let fields: Vec<_> = name.into_iter().chain(fields).collect();
    for (field, _) in &fields {
        update.push_str(&format!(", #{field} = :{field}"));
    }
    [keys::profile(channel, account, user), keys::listed(channel, account, user)].map(|key| {
        let change = Change::at(key, update.clone())
            .with(":v", number(VERSION))
            .with(":channel", text(channel))
            .with(":account", text(account))
            .with(":user", text(user))
            .with(":now", number(now));
        fields.iter().fold(change, |change, (field, value)| change.with(&format!(":{field}"), value.clone()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_read_whatever_of_it_is_there() {
        let item = keys::profile("c", "main", "7")
            .with(
                &serde_json::json!({"v": 1, "channel": "c", "account": "main", "user": "7", "role": "owner"}),
                None,
            )
            .unwrap();
        let person: Person = serde_dynamo::from_item(item).unwrap();
        assert_eq!((person.role, person.home, person.waiting), (Role::Owner, Home::Unknown, false));
    }
}
