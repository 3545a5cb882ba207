//! The configuration, as JSON text: what it means is `turn::config`'s business.

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::change::Change;
use crate::keys;
use crate::table::{Outcome, Store, number, text, token};

/// An item holds 400 KB.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
const MAX_BYTES: usize = 390_000;

/// The configuration as it was pushed last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configuration {
    pub json: String,
    /// Rises with every push.
    pub version: u64,
    /// When it was pushed, Unix milliseconds.
    pub at: i64,
    /// The version that was last copied to the last good one.
    #[serde(default)]
    pub good: u64,
}

impl Store {
    /// The configuration; `None` where none was ever pushed.
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn configuration(&self) -> Result<Option<Configuration>, Error> {
        let item = self.get(keys::configuration()).await?;
        Ok(item.map(serde_dynamo::from_item).transpose()?)
    }

    /// The newest configuration that an invoker could read; `None` where none ever could.
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn last_good_configuration(&self) -> Result<Option<Configuration>, Error> {
        let item = self.get(keys::last_good_configuration()).await?;
        Ok(item.map(serde_dynamo::from_item).transpose()?)
    }

    /// Keeps a configuration that could be read as the last good one, unless that was done, or a newer one was pushed
    /// meanwhile: whoever reads that one keeps it.
    ///
    /// # Errors
    /// The table did not take it.
    pub async fn keep_good(&self, read: &Configuration) -> Result<(), Error> {
        if read.good == read.version {
            return Ok(());
        }
        let mark = Change::at(keys::configuration(), "SET #good = :version")
            .only_if("#version = :version")
            .with(":version", number(read.version));
        let copy = "SET #json = :json, #version = :version, #at = :at";
        let copy = Change::at(keys::last_good_configuration(), copy)
            .with(":json", text(&read.json))
            .with(":version", number(read.version))
            .with(":at", number(read.at));
        let both = vec![mark.into_item(&self.table)?, copy.into_item(&self.table)?];
        self.transact(both, &token()).await?;
        Ok(())
    }

    /// Replaces the configuration and says its version. `now` is Unix milliseconds.
    ///
    /// # Errors
    /// [`Error::Broken`] also when it is too long for an item.
    pub async fn put_configuration(&self, json: &str, now: i64) -> Result<u64, Error> {
        if json.len() > MAX_BYTES {
            return Err(Error::Broken(format!(
                "the configuration has {} bytes; {MAX_BYTES} are possible",
                json.len()
            )));
        }
        let push = Change::at(keys::configuration(), "SET #json = :json, #at = :at ADD #version :one")
            .with(":json", text(json))
            .with(":at", number(now))
            .with(":one", number(1));
        match self.update(push).await? {
            Outcome::Done(item) | Outcome::Refused(item) => {
                Ok(serde_dynamo::from_item::<_, Configuration>(item)?.version)
            }
        }
    }
}
