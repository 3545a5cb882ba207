//! Secrets and settings from SSM Parameter Store, read by path and cached.
//!
//! `/<stack>/<channel>/<account>/<name>` and `/<stack>/model/<name>`, SecureStrings of the standard tier. A webhook
//! function reads all accounts of its channel at once ([`Secrets::of_channel`]), the invoker one account on first use
//! ([`Secrets::of_account`]). What was read serves ten minutes; the last good values outlive an outage.

mod accounts;
mod cache;
mod error;
mod parameters;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_types::SdkConfig;
use channel::SecretString;
use tokio::sync::Mutex;

pub use accounts::{Account, Accounts, SETTINGS};
pub use error::Error;
pub use parameters::{Listed, MAX_VALUE_BYTES, fingerprint};

use cache::Cache;
use parameters::{Parameters, Tree};

/// The secrets that this process may read. Clones share what was read.
#[derive(Clone)]
pub struct Secrets {
    parameters: Parameters,
    /// What lies below each path.
    read: Arc<Mutex<BTreeMap<String, Cache<Arc<Tree>>>>>,
}

impl Secrets {
    /// Touches no network.
    pub fn connect(aws: &SdkConfig) -> Secrets {
        Secrets { parameters: Parameters::connect(aws), read: Arc::default() }
    }

    /// All accounts of a channel; `path` is `/<stack>/<channel>`.
    ///
    /// # Errors
    /// They cannot be read, and never were.
    pub async fn of_channel(&self, path: &str) -> Result<Accounts, Error> {
        Ok(accounts::accounts(&*self.below(path).await?))
    }

    /// Reads them early, because a signature failed or an account is unknown. `None` where that was done less than a
    /// minute ago: nothing new is known.
    ///
    /// # Errors
    /// They cannot be read, and never were.
    pub async fn refresh_channel(&self, path: &str) -> Result<Option<Accounts>, Error> {
        let mut read = self.read.lock().await;
        let cache = read.entry(path.to_owned()).or_default();
        if !cache.may_read_early(now()) {
            return Ok(None);
        }
        let tree = self.fetch(path, cache).await?;
        Ok(Some(accounts::accounts(&tree)))
    }

    /// The secrets directly below a path: `/<stack>/<channel>/<account>`, or `/<stack>/model`. Its settings are left out.
    ///
    /// # Errors
    /// They cannot be read, and never were.
    pub async fn of_account(&self, path: &str) -> Result<channel::Secrets, Error> {
        Ok(accounts::account(&*self.below(path).await?).secrets)
    }

    async fn below(&self, path: &str) -> Result<Arc<Tree>, Error> {
        let mut read = self.read.lock().await;
        let cache = read.entry(path.to_owned()).or_default();
        match cache.get(now()) {
            // Nothing there yet: somebody is setting it up, and should not wait ten minutes.
            Some(tree) if !tree.is_empty() || !cache.may_read_early(now()) => Ok(tree),
            _ => self.fetch(path, cache).await,
        }
    }

    /// Reads; when that fails, the last good values go on serving.
    async fn fetch(&self, path: &str, cache: &mut Cache<Arc<Tree>>) -> Result<Arc<Tree>, Error> {
        match self.parameters.read(path).await {
            Ok(tree) => {
                let tree = Arc::new(tree);
                cache.put(tree.clone(), now());
                Ok(tree)
            }
            Err(error) => {
                let Some(last) = cache.failed(now()) else { return Err(error) };
                tracing::warn!(path, %error, "the secrets read last stay in use");
                Ok(last)
            }
        }
    }

    /// Names and fingerprints of everything below a path, read afresh.
    ///
    /// # Errors
    /// They cannot be read.
    pub async fn list(&self, path: &str) -> Result<Vec<Listed>, Error> {
        Ok(parameters::listed(&self.parameters.read(path).await?))
    }

    /// Writes a secret; `name` is its whole path. An older value is replaced.
    ///
    /// # Errors
    /// [`Error::Broken`] also for an empty value, and for one over [`MAX_VALUE_BYTES`].
    pub async fn put(&self, name: &str, value: &SecretString) -> Result<(), Error> {
        self.parameters.put(name, value).await
    }

    /// Removes a secret; `name` is its whole path.
    ///
    /// # Errors
    /// [`Error::Broken`] also when it is not there.
    pub async fn delete(&self, name: &str) -> Result<(), Error> {
        self.parameters.delete(name).await
    }
}

/// Unix milliseconds.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
