//! What waits for somebody's yes: one item a conversation.

use channel::ConversationKey;
use turn::VERSION;
use turn::pending::Pending;

use crate::change::Change;
use crate::keys;
use crate::table::{Outcome, Store, number, read, seconds, text};
use crate::{Error, Written};

impl Store {
    /// Keeps what somebody is asked about, in place of what was asked before.
    ///
    /// # Errors
    /// Whether it is kept is not known; again is safe.
    pub async fn put_pending(&self, conversation: &ConversationKey, pending: &Pending) -> Result<(), Error> {
        let put = Change::at(
            keys::pending(conversation),
            "SET #v = :v, #id = :id, #person = :person, #until = :until, #text = :text, #calls = :calls, #ttl = :ttl, #turn = :turn \
             REMOVE #answered_by",
        )
        .with(":v", number(VERSION))
        .with(":id", text(&pending.id))
        .with(":person", text(&pending.person))
        .with(":until", number(pending.until))
        .with(":turn", serde_dynamo::to_attribute_value(pending.turn)?)
        .with(":text", text(&pending.text))
        .with(":calls", serde_dynamo::to_attribute_value(&pending.calls)?)
        .with(":ttl", number(seconds(pending.until)));
        self.update(put).await?;
        Ok(())
    }

    /// What somebody was asked about last; whether it is over is not looked at.
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn pending(&self, conversation: &ConversationKey) -> Result<Option<Pending>, Error> {
        self.get(keys::pending(conversation)).await?.map(read).transpose()
    }

    /// Writes down which message answers the question of that id. [`Written::Fenced`]: another one does already, or there
    /// is a newer question.
    ///
    /// # Errors
    /// Whether it is written is not known; again is safe.
    pub async fn answer_pending(
        &self,
        conversation: &ConversationKey,
        id: &str,
        message: &str,
    ) -> Result<Written, Error> {
        let answer = Change::at(keys::pending(conversation), "SET #answered_by = :message")
            .only_if("#id = :id AND (attribute_not_exists(#answered_by) OR #answered_by = :message)")
            .with(":id", text(id))
            .with(":message", text(message));
        Ok(match self.update(answer).await? {
            Outcome::Done(_) => Written::Done,
            Outcome::Refused(_) => Written::Fenced,
        })
    }
}
