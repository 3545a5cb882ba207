//! Tokens that platforms issue for some time, shared by all invocations.

use channel::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use turn::VERSION;

use crate::Error;
use crate::change::Change;
use crate::keys;
use crate::table::{Store, number, seconds, text};

/// A token as the platform issued it. Has no `Debug` that shows it, on purpose.
pub struct StoredToken {
    pub value: SecretString,
    /// When it is no longer used, Unix milliseconds.
    pub until: i64,
}

#[derive(Deserialize)]
struct Item {
    value: String,
    until: i64,
}

impl Store {
    /// The token of that name that was written last, whether it still counts or not.
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn token(
        &self,
        channel: &str,
        account: &str,
        name: &str,
    ) -> Result<Option<StoredToken>, Error> {
        let item = self.get(keys::token(channel, account, name)).await?;
        let item: Option<Item> = item.map(serde_dynamo::from_item).transpose()?;
        Ok(item.map(|item| StoredToken { value: item.value.into(), until: item.until }))
    }

    /// Keeps a token in place of the one before.
    ///
    /// # Errors
    /// Whether it is kept is not known; again is safe.
    pub async fn put_token(
        &self,
        channel: &str,
        account: &str,
        name: &str,
        token: &StoredToken,
    ) -> Result<(), Error> {
        let update = "SET #v = :v, #value = :value, #until = :until, #ttl = :ttl";
        let put = Change::at(keys::token(channel, account, name), update)
            .with(":v", number(VERSION))
            .with(":value", text(token.value.expose_secret()))
            .with(":until", number(token.until))
            .with(":ttl", number(seconds(token.until)));
        self.update(put).await?;
        Ok(())
    }
}
