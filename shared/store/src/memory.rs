//! What is remembered beyond the turns: the summary of a conversation, the notes about a person.

use std::collections::HashMap;

use channel::ConversationKey;
use turn::{Note, Notes, Summary, VERSION};

use crate::change::{Change, put_if};
use crate::conversation::mine;
use crate::keys;
use crate::people::Who;
use crate::table::{Outcome, Store, Transacted, number, read, seconds, token};
use crate::{Error, Written};

const DAY_S: i64 = 86_400;
/// How often a change of notes is tried that meets others.
const TRIES: usize = 8;

impl Store {
    /// What earlier turns of a conversation said; `None` where all of them still stand for themselves.
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn summary(&self, conversation: &ConversationKey) -> Result<Option<Summary>, Error> {
        self.get(keys::summary(conversation)).await?.map(read).transpose()
    }

    /// Replaces the summary and moves HEAD's `summary_to` with it, in one transaction that only the holder of `epoch` may make. It
    /// is forgotten `history_days` after `now`, Unix milliseconds, as the turns are.
    ///
    /// # Errors
    /// Whether it is written is not known; writing it again is safe.
    pub async fn put_summary(
        &self,
        conversation: &ConversationKey,
        epoch: u64,
        summary: &Summary,
        history_days: u32,
        now: i64,
    ) -> Result<Written, Error> {
        let head = mine(conversation, "SET #summary_to = :upto", epoch).with(":upto", number(summary.upto));
        let ttl = seconds(now) + i64::from(history_days.max(1)) * DAY_S;
        let item = keys::summary(conversation).with(&Summary { v: VERSION, ..summary.clone() }, Some(ttl))?;
        let items = vec![head.into_item(&self.table)?, put_if(&self.table, item, None, HashMap::new())?];
        Ok(match self.transact(items, &token()).await? {
            Transacted::Done => Written::Done,
            Transacted::Refused(_) => Written::Fenced,
        })
    }

    /// What is remembered of a person.
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn notes(&self, who: Who<'_>) -> Result<Notes, Error> {
        self.get(keys::notes(who.channel, who.account, who.user)).await?.map_or(Ok(Notes::default()), read)
    }

    /// Remembers something of a person; what is remembered already, in the same words, stays as it is, so that again is safe. `None`:
    /// there is no room for another note. `now` is Unix milliseconds.
    ///
    /// # Errors
    /// Whether it is remembered is not known; again is safe.
    pub async fn add_note(&self, who: Who<'_>, text: &str, now: i64) -> Result<Option<Note>, Error> {
        self.change_notes(who, |notes| notes.add(text, now)).await
    }

    /// Forgets a note. `false`: there is none of that id.
    ///
    /// # Errors
    /// Whether it is forgotten is not known; again is safe.
    pub async fn remove_note(&self, who: Who<'_>, id: u32) -> Result<bool, Error> {
        self.change_notes(who, |notes| notes.remove(id)).await
    }

    /// Forgets all notes of a person.
    ///
    /// # Errors
    /// Whether they are forgotten is not known; again is safe.
    pub async fn clear_notes(&self, who: Who<'_>) -> Result<(), Error> {
        self.change_notes(who, |notes| notes.notes.clear()).await
    }

    /// Makes a change to notes that nobody else changed meanwhile.
    async fn change_notes<T>(
        &self,
        who: Who<'_>,
        mut change: impl FnMut(&mut Notes) -> T,
    ) -> Result<T, Error> {
        for _ in 0..TRIES {
            let before = self.notes(who).await?;
            let mut after = before.clone();
            let done = change(&mut after);
            if after == before {
                return Ok(done);
            }
            let key = keys::notes(who.channel, who.account, who.user);
            let write = Change::at(key, "SET #v = :v, #notes = :notes, #last_id = :last_id, #rev = :next")
                .only_if("attribute_not_exists(#rev) OR #rev = :rev")
                .with(":v", number(VERSION))
                .with(":notes", serde_dynamo::to_attribute_value(&after.notes)?)
                .with(":last_id", number(after.last_id))
                .with(":next", number(before.rev + 1))
                .with(":rev", number(before.rev));
            if let Outcome::Done(_) = self.update(write).await? {
                return Ok(done);
            }
        }
        Err(Error::Busy("the notes kept changing".to_owned()))
    }
}
