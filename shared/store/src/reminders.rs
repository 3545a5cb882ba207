//! What people want to be reminded of: one item a person.

use turn::VERSION;
use turn::reminders::Reminders;

use crate::Error;
use crate::change::Change;
use crate::keys;
use crate::people::Who;
use crate::table::{Outcome, Store, number, read, seconds};

/// How often a change is tried that meets others.
const TRIES: usize = 8;

impl Store {
    /// All reminders of a person.
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn reminders(&self, who: Who<'_>) -> Result<Reminders, Error> {
        let found = self.get(keys::reminders(who.channel, who.account, who.user)).await?;
        found.map_or(Ok(Reminders::default()), read)
    }

    /// Makes a change that nobody else changed meanwhile; `change` may be called more than once. `now` is Unix milliseconds.
    ///
    /// # Errors
    /// Whether it is made is not known.
    pub async fn change_reminders<T>(
        &self,
        who: Who<'_>,
        now: i64,
        mut change: impl FnMut(&mut Reminders) -> T,
    ) -> Result<T, Error> {
        for _ in 0..TRIES {
            let before = self.reminders(who).await?;
            let mut after = before.clone();
            let done = change(&mut after);
            if after == before {
                return Ok(done);
            }
            let update =
                "SET #v = :v, #reminders = :reminders, #last_id = :last_id, #rev = :next, #ttl = :ttl";
            let write = Change::at(keys::reminders(who.channel, who.account, who.user), update)
                .only_if("attribute_not_exists(#rev) OR #rev = :rev")
                .with(":v", number(VERSION))
                .with(":reminders", serde_dynamo::to_attribute_value(&after.reminders)?)
                .with(":last_id", number(after.last_id))
                .with(":next", number(before.rev + 1))
                .with(":rev", number(before.rev))
                .with(":ttl", number(seconds(after.useful_until(now))));
            if let Outcome::Done(_) = self.update(write).await? {
                return Ok(done);
            }
        }
        Err(Error::Busy("the reminders kept changing".to_owned()))
    }
}
