//! The configuration, as JSON text: what it means is `turn::config`'s business.

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::change::Change;
use crate::keys;
use crate::table::{Outcome, Store, number, text};

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
