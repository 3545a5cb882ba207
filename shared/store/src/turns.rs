//! Turns: committing them, writing down what was posted, reading them back.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use channel::ConversationKey;
use turn::machine::LEASE_MS;
use turn::{Commit, OpenTurn, Turn};

use crate::change::{Change, delete_if, put_if};
use crate::conversation::mine;
use crate::keys;
use crate::table::{Store, Transacted, is_expired, number, read, seconds, text, token};
use crate::{Error, Written};

const DAY_S: i64 = 86_400;
/// Turns read at a time: a page that the budget does not hold is paid for nothing.
const HISTORY_PAGE: usize = 8;

impl Store {
    /// Writes a turn: HEAD, the turn, the messages that leave the inbox, a turn that is taken back, in one transaction that only the
    /// holder of `epoch` may make; the lease is renewed with it, and with a turn no draft is left. `token` names this commit among all, so that repeating it is safe. The turn is forgotten
    /// `history_days` after `now`, Unix milliseconds.
    ///
    /// # Errors
    /// Whether it is written is not known; writing it again with the same token is safe.
    pub async fn commit(
        &self,
        conversation: &ConversationKey,
        epoch: u64,
        commit: &Commit,
        token: &str,
        history_days: u32,
        now: i64,
    ) -> Result<Written, Error> {
        let mut items = vec![of_head(conversation, epoch, commit, now)?.into_item(&self.table)?];
        if let Some(turn) = &commit.turn {
            let ttl = seconds(now) + i64::from(history_days.max(1)) * DAY_S;
            let item = keys::turn(conversation, turn.number).with(&with_places(turn), Some(ttl))?;
            items.push(put_if(&self.table, item, None, HashMap::new())?);
        }
        if let Some(undone) = commit.change.undone {
            let undo = Change::at(keys::turn(conversation, undone), "SET #undone = :yes")
                .only_if("attribute_exists(#pk)")
                .with(":yes", AttributeValue::Bool(true));
            items.push(undo.into_item(&self.table)?);
        }
        for id in &commit.delete {
            items.push(delete_if(&self.table, keys::inbox(conversation, id), None, HashMap::new())?);
        }
        Ok(match self.transact(items, token).await? {
            Transacted::Done => Written::Done,
            Transacted::Refused(_) => Written::Fenced,
        })
    }

    /// Writes down the platform's id of a posted part.
    ///
    /// # Errors
    /// Whether it is written is not known; writing it again is safe.
    pub async fn part_posted(
        &self,
        conversation: &ConversationKey,
        turn: u32,
        part: usize,
        id: &str,
    ) -> Result<(), Error> {
        let posted = Change::at(keys::turn(conversation, turn), format!("SET #ids[{part}] = :id"))
            .only_if("attribute_exists(#pk)")
            .with(":id", text(id));
        self.update(posted).await?;
        Ok(())
    }

    /// Replaces a turn's planned parts, and how they are posted, by those of `turn`, HEAD's open turns with them, in one
    /// transaction that only the holder of `epoch` may make; the lease is renewed until `until`, Unix milliseconds like `now`.
    ///
    /// # Errors
    /// Whether it is written is not known; writing it again is safe.
    pub async fn rewrite(
        &self,
        conversation: &ConversationKey,
        epoch: u64,
        turn: &Turn,
        open: &[OpenTurn],
        until: i64,
    ) -> Result<Written, Error> {
        let head = mine(conversation, "SET #open = :open, #until = :until", epoch)
            .with(":open", serde_dynamo::to_attribute_value(open)?)
            .with(":until", number(until));
        let turn = with_places(turn);
        let rewrite = Change::at(
            keys::turn(conversation, turn.number),
            "SET #steps = :steps, #ids = :ids, #way = :way, #plain = :plain, #draft = :draft, #grown = :grown",
        )
        .only_if("attribute_exists(#pk)")
        .with(":steps", serde_dynamo::to_attribute_value(&turn.steps)?)
        .with(":ids", serde_dynamo::to_attribute_value(&turn.ids)?)
        .with(":way", serde_dynamo::to_attribute_value(turn.way)?)
        .with(":plain", serde_dynamo::to_attribute_value(turn.plain)?)
        .with(":draft", serde_dynamo::to_attribute_value(&turn.draft)?)
        .with(":grown", serde_dynamo::to_attribute_value(&turn.grown)?);
        let items = vec![head.into_item(&self.table)?, rewrite.into_item(&self.table)?];
        Ok(match self.transact(items, &token()).await? {
            Transacted::Done => Written::Done,
            Transacted::Refused(_) => Written::Fenced,
        })
    }

    /// One turn, forgotten or not: its reply may still have to be posted.
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn turn(&self, conversation: &ConversationKey, number: u32) -> Result<Option<Turn>, Error> {
        self.get(keys::turn(conversation, number)).await?.map(read).transpose()
    }

    /// The turns from number `since` on, newest first: at most `max_turns`, and none more once their texts have
    /// `max_bytes`. What is forgotten at `now`, Unix milliseconds, is left out, and so are turns of another release.
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn history(
        &self,
        conversation: &ConversationKey,
        since: u32,
        max_turns: usize,
        max_bytes: usize,
        now: i64,
    ) -> Result<Vec<Turn>, Error> {
        let call =
            self.client.query().table_name(&self.table).consistent_read(true).scan_index_forward(false);
        let mut pages = call
            .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
            .expression_attribute_values(":pk", text(keys::conversation(conversation)))
            .expression_attribute_values(":from", text(keys::turn_sk(since)))
            .expression_attribute_values(":to", text(keys::turn_sk(u32::MAX)))
            .limit(i32::try_from(max_turns.clamp(1, HISTORY_PAGE)).unwrap_or(i32::MAX))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .into_paginator()
            .send();
        let (mut turns, mut bytes) = (Vec::new(), 0);
        while let Some(page) = pages.next().await.transpose()? {
            self.count_reads(page.consumed_capacity());
            for item in page.items.unwrap_or_default() {
                if is_expired(&item, now) {
                    continue;
                }
                if turns.len() >= max_turns || bytes >= max_bytes {
                    return Ok(turns);
                }
                let turn: Turn = match read(item) {
                    Err(Error::OtherRelease) => {
                        tracing::warn!(%conversation, "a turn is of another release: the model does not see it");
                        continue;
                    }
                    turn => turn?,
                };
                bytes += size(&turn);
                turns.push(turn);
            }
            if turns.len() >= max_turns || bytes >= max_bytes {
                break;
            }
        }
        Ok(turns)
    }
}

/// What a commit changes of HEAD. With a turn, what it was asked to stop is over, and its draft is its first part.
fn of_head(conversation: &ConversationKey, epoch: u64, commit: &Commit, now: i64) -> Result<Change, Error> {
    let turn::Change { since, summary_to, assistant, model, disclosed, last_at, undone: _ } = &commit.change;
    let mut set = "SET #open = :open, #next = :next, #since = :since, #until = :until".to_owned();
    let mut remove = "REMOVE #cancel".to_owned();
    if commit.turn.is_some() {
        remove.push_str(", #draft");
    }
    let mut values = vec![
        (":open", serde_dynamo::to_attribute_value(&commit.open)?),
        (":next", number(commit.next)),
        (":since", number(since.unwrap_or(commit.since))),
        (":until", number(now + LEASE_MS)),
    ];
    let fields = [
        ("summary_to", ":summary_to", summary_to.map(number)),
        ("disclosed", ":disclosed", disclosed.map(AttributeValue::Bool)),
        ("last_at", ":last_at", last_at.map(number)),
        ("assistant", ":assistant", assistant.clone().flatten().map(text)),
        ("model", ":model", model.clone().flatten().map(text)),
    ];
    for (name, place, value) in fields {
        if let Some(value) = value {
            set.push_str(&format!(", #{name} = {place}"));
            values.push((place, value));
        }
    }
    for (name, chosen) in [("assistant", assistant), ("model", model)] {
        if *chosen == Some(None) {
            remove.push_str(&format!(", #{name}"));
        }
    }
    let change = mine(conversation, &format!("{set} {remove}"), epoch);
    Ok(values.into_iter().fold(change, |change, (place, value)| change.with(place, value)))
}

/// The turn with a place for the id of each part, so that each can be written into its own.
fn with_places(turn: &Turn) -> Turn {
    let mut turn = turn.clone();
    turn.ids.resize(turn.steps.len(), None);
    turn
}

/// Bytes of text.
fn size(turn: &Turn) -> usize {
    turn.answer.len() + turn.messages.iter().map(|spoken| spoken.text.len()).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use channel::{Auth, Body, Step, Target};
    use serde_json::json;

    use super::*;

    #[test]
    fn a_turn_survives_the_table() {
        let text = "two\nlines, \u{1f980}, and \"quotes\"";
        let url = Target::Url("https://example.com/hook".into());
        let secret =
            Body::JsonWithSecrets { value: json!({"s": null}), fill: vec![("/s".into(), "token".into())] };
        let mut turn: Turn = serde_json::from_value(json!({
            "v": 1, "number": 4, "answer": text, "history": true, "at": 1_795_000_000_000i64, "model": "echo",
            "messages": [{"id": "1", "sender": "7", "name": "Ana", "text": "", "at": -5}],
            "address": {"channel": "c", "account": "main", "chat": "1", "data": {"token": "t"}},
            "steps": [], "usage": {"input": 10, "output": 3},
        }))
        .unwrap();
        turn.steps = vec![
            Step::json(
                "api",
                "/bot{bot_token}/send",
                json!({"text": text, "n": 1.5, "big": u64::MAX, "deep": [[null, true, -3]]}),
            )
            .header("x-a", "b")
            .auth(Auth::bearer("token"))
            .optional(),
            Step::new("DELETE", url, Body::None),
            Step::new(
                "POST",
                Target::Base { base: "api".into(), path: String::new() },
                Body::Form(vec![("a".into(), String::new())]),
            ),
            Step::json("api", "/x", json!({})).on_doubt(channel::OnDoubt::Skip),
            Step::new("POST", Target::Url(String::new()), secret),
        ];
        let of = ConversationKey::of("c", "main", "1", "");
        let stored = keys::turn(&of, 4).with(&with_places(&turn), Some(1)).unwrap();
        let read: Turn = serde_dynamo::from_item(stored).unwrap();
        assert_eq!(read.ids, vec![None; 5]);
        assert_eq!(Turn { ids: vec![], ..read }, turn);
        assert_eq!(size(&turn), text.len());
    }
}
