//! What tools servers have, for invocations that have not asked them.

use turn::VERSION;

use crate::Error;
use crate::change::Change;
use crate::keys;
use crate::table::{Store, number, seconds, text};

/// A list that nobody renewed for so long is forgotten, milliseconds.
const FORGOTTEN: i64 = 30 * 86_400_000;

impl Store {
    /// The list of tools that was kept under the server's name.
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn tools(&self, server: &str) -> Result<Option<String>, Error> {
        let item = self.get(keys::tools(server)).await?;
        Ok(item.and_then(|mut item| item.remove("list")).and_then(|list| list.as_s().ok().cloned()))
    }

    /// Keeps a list in place of the one before, for 30 days after `now`, Unix milliseconds.
    ///
    /// # Errors
    /// Whether it is kept is not known; again is safe.
    pub async fn keep_tools(&self, server: &str, list: &str, now: i64) -> Result<(), Error> {
        let keep = Change::at(keys::tools(server), "SET #v = :v, #list = :list, #ttl = :ttl")
            .with(":v", number(VERSION))
            .with(":list", text(list))
            .with(":ttl", number(seconds(now + FORGOTTEN)));
        self.update(keep).await?;
        Ok(())
    }
}
