//! The lease on a conversation, and the writes that only its holder may make.

use aws_sdk_dynamodb::types::AttributeValue;
use channel::ConversationKey;
use turn::machine::SKEW_MS;
use turn::{Draft, Head, OpenTurn, VERSION};

use crate::Error;
use crate::change::Change;
use crate::keys;
use crate::table::{Item, Outcome, Store, number, read};

/// What came of taking the lease.
#[derive(Debug, Clone, PartialEq)]
pub enum Taken {
    /// It is mine, under HEAD's epoch.
    Taken(Head),
    /// Somebody holds it.
    Busy(Head),
}

/// What came of renewing the lease.
#[derive(Debug, Clone, PartialEq)]
pub enum Renewed {
    Renewed(Box<Head>),
    /// It is no longer mine, or given back.
    Fenced,
}

/// What came of a write that only the holder may make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    Done,
    /// The lease is no longer mine; nothing was written.
    Fenced,
}

/// What came of giving the lease back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Released {
    Released,
    /// A message came that was not looked at; the lease is still mine.
    Moved,
    /// It is no longer mine.
    Fenced,
}

/// A holder that has not given the lease back.
pub(crate) const HELD_BY_ME: &str = "#epoch = :mine AND #until <> :free";

impl Store {
    /// HEAD as it is; all zero where the conversation is new.
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn head(&self, conversation: &ConversationKey) -> Result<Head, Error> {
        self.get(keys::head(conversation)).await?.map_or(Ok(Head::default()), head)
    }

    /// Takes the lease where it is free or expired: epoch + 1, until `until`. Times are Unix milliseconds. HEAD is of this release
    /// from then on.
    ///
    /// # Errors
    /// Whether it is taken is not known; it ends by itself. [`Error::OtherRelease`]: it is not taken from a later release.
    pub async fn take(&self, conversation: &ConversationKey, now: i64, until: i64) -> Result<Taken, Error> {
        let take = Change::at(
            keys::head(conversation),
            "SET #until = :until, #mark = :mark, #v = :v ADD #epoch :one",
        )
        .only_if(
            "(attribute_not_exists(#v) OR #v <= :v) \
             AND (attribute_not_exists(#until) OR #until = :free OR #until < :expired)",
        )
        .with(":until", number(until))
        .with(":v", number(VERSION))
        .with(":one", number(1))
        .with(":free", number(0))
        .with(":expired", number(now - SKEW_MS));
        Ok(match self.update_first(take).await? {
            Outcome::Done(item) => Taken::Taken(head(item)?),
            Outcome::Refused(item) => Taken::Busy(head(item)?),
        })
    }

    /// Makes the lease last until `until`, Unix milliseconds, and shows HEAD: `cancel` may be set.
    ///
    /// # Errors
    /// Whether it is renewed is not known; renewing again is safe.
    pub async fn renew(
        &self,
        conversation: &ConversationKey,
        epoch: u64,
        until: i64,
    ) -> Result<Renewed, Error> {
        let renew = mine(conversation, "SET #until = :until", epoch).with(":until", number(until));
        Ok(match self.update(renew).await? {
            Outcome::Done(item) => Renewed::Renewed(Box::new(head(item)?)),
            Outcome::Refused(_) => Renewed::Fenced,
        })
    }

    /// Writes the open turns and renews the lease until `until`, Unix milliseconds.
    ///
    /// # Errors
    /// Whether it is written is not known; writing it again is safe.
    pub async fn mark(
        &self,
        conversation: &ConversationKey,
        epoch: u64,
        open: &[OpenTurn],
        until: i64,
    ) -> Result<Written, Error> {
        let mark = mine(conversation, "SET #open = :open, #until = :until", epoch)
            .with(":open", serde_dynamo::to_attribute_value(open)?)
            .with(":until", number(until));
        Ok(match self.update(mark).await? {
            Outcome::Done(_) => Written::Done,
            Outcome::Refused(_) => Written::Fenced,
        })
    }

    /// Writes down the message on the platform that shows what is being written, so that whoever goes on edits that one.
    ///
    /// # Errors
    /// Whether it is written is not known; writing it again is safe.
    pub async fn draft(
        &self,
        conversation: &ConversationKey,
        epoch: u64,
        draft: &Draft,
    ) -> Result<Written, Error> {
        let show = mine(conversation, "SET #draft = :draft", epoch)
            .with(":draft", serde_dynamo::to_attribute_value(draft)?);
        Ok(match self.update(show).await? {
            Outcome::Done(_) => Written::Done,
            Outcome::Refused(_) => Written::Fenced,
        })
    }

    /// Gives the lease back, where `rev` is given only if no message has come since, and writes the open turns where they
    /// are given.
    ///
    /// # Errors
    /// Whether it is given back is not known; it ends by itself.
    pub async fn release(
        &self,
        conversation: &ConversationKey,
        epoch: u64,
        rev: Option<u64>,
        open: Option<&[OpenTurn]>,
    ) -> Result<Released, Error> {
        let update = if open.is_some() { "SET #until = :free, #open = :open" } else { "SET #until = :free" };
        let mut free = Change::at(keys::head(conversation), update)
            .only_if(match rev {
                // A conversation in which nothing was ever kept has none.
                Some(0) => {
                    "#epoch = :mine AND #until <> :free AND (attribute_not_exists(#rev) OR #rev = :rev)"
                }
                Some(_) => "#epoch = :mine AND #until <> :free AND #rev = :rev",
                None => HELD_BY_ME,
            })
            .with(":mine", number(epoch))
            .with(":free", number(0));
        if let Some(rev) = rev {
            free = free.with(":rev", number(rev));
        }
        if let Some(open) = open {
            free = free.with(":open", serde_dynamo::to_attribute_value(open)?);
        }
        Ok(match self.update(free).await? {
            Outcome::Done(_) => Released::Released,
            Outcome::Refused(item) if head(item.clone())?.epoch == epoch && !item.is_empty() => {
                Released::Moved
            }
            Outcome::Refused(_) => Released::Fenced,
        })
    }

    /// Asks the holder to give up its model call for the messages that have come by now. `false`: nobody holds the lease at `now`,
    /// Unix milliseconds.
    ///
    /// # Errors
    /// Whether it is asked is not known.
    pub async fn interrupt(&self, conversation: &ConversationKey, now: i64) -> Result<bool, Error> {
        let interrupt = Change::at(keys::head(conversation), "SET #interrupt = #rev")
            .only_if("#until > :now")
            .with(":now", number(now));
        Ok(matches!(self.update(interrupt).await?, Outcome::Done(_)))
    }

    /// Asks the holder to stop what it is writing. `false`: nobody holds the lease at `now`, Unix milliseconds.
    ///
    /// # Errors
    /// Whether it is asked is not known.
    pub async fn cancel(&self, conversation: &ConversationKey, now: i64) -> Result<bool, Error> {
        let cancel = Change::at(keys::head(conversation), "SET #cancel = #epoch, #cancel_at = :now")
            .only_if("#until > :now")
            .with(":now", number(now));
        Ok(matches!(self.update(cancel).await?, Outcome::Done(_)))
    }

    /// It was said here that an assistant answers. Whoever holds the lease.
    ///
    /// # Errors
    /// Whether it is written is not known; again is safe.
    pub async fn disclosed(&self, conversation: &ConversationKey) -> Result<(), Error> {
        let disclosed = Change::at(keys::head(conversation), "SET #disclosed = :yes")
            .with(":yes", AttributeValue::Bool(true));
        self.update(disclosed).await?;
        Ok(())
    }

    /// Lets only people answer until then, Unix milliseconds; 0 = the assistant answers again. Whoever holds the lease.
    ///
    /// # Errors
    /// Whether it is written is not known; again is safe.
    pub async fn pause(&self, conversation: &ConversationKey, until: i64) -> Result<(), Error> {
        let pause =
            Change::at(keys::head(conversation), "SET #paused = :until").with(":until", number(until));
        self.update(pause).await?;
        Ok(())
    }
}

/// A change of HEAD that only the holder of that epoch may make.
pub(crate) fn mine(conversation: &ConversationKey, update: &str, epoch: u64) -> Change {
    Change::at(keys::head(conversation), update)
        .only_if(HELD_BY_ME)
        .with(":mine", number(epoch))
        .with(":free", number(0))
}

pub(crate) fn head(item: Item) -> Result<Head, Error> {
    read(item)
}

#[cfg(test)]
mod tests {
    use turn::spend::{Amount, Held, HeldOn};

    use super::*;

    #[test]
    fn a_head_is_read_whatever_of_it_is_there() {
        let of = ConversationKey::of("c", "main", "1", "");
        assert_eq!(head(Item::new()).unwrap(), Head::default());
        let stored =
            keys::head(&of).with(&serde_json::json!({"rev": 2, "mark": "x", "later": [1]}), None).unwrap();
        assert_eq!(head(stored).unwrap(), Head { rev: 2, ..Head::default() });
        let newer = keys::head(&of).with(&serde_json::json!({"v": VERSION + 1, "open": "?"}), None).unwrap();
        assert!(matches!(head(newer), Err(Error::OtherRelease)));
        let full = Head {
            v: VERSION - 1,
            epoch: 7,
            until: 1_795_000_000_000,
            rev: 3,
            next: 4,
            since: 1,
            open: vec![OpenTurn {
                turn: 3,
                parts: vec![turn::PartState::Sending],
                wait_until: 0,
                waits: 1,
                failed: Some("no".into()),
            }],
            cancel: Some(7),
            cancel_at: 1_795_000_000_004,
            interrupt: Some(3),
            paused: 1_795_000_000_001,
            draft: Some(Draft { turn: 4, posted: "88".into(), at: 1_795_000_000_002, stream: false }),
            summary_to: 2,
            assistant: Some("reviewer".into()),
            model: Some("claude".into()),
            disclosed: true,
            last_at: 1_795_000_000_003,
            held: Some(Held {
                key: "7/4".into(),
                counters: vec![HeldOn {
                    scope: "spend#usd".into(),
                    period: "2026-11".into(),
                    unit: turn::spend::Unit::Money,
                    add: 9,
                }],
                known: Amount { tokens: 1, micro_usd: 2 },
            }),
        };
        assert_eq!(head(keys::head(&of).with(&full, None).unwrap()).unwrap(), full);
    }
}
