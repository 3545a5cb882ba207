//! What every invocation works with: built once per process, before the first event, without touching the network.

use std::sync::Arc;

use channel::{Channel, Secrets};
use serde_json::Value;
use turn::config;

use crate::configuration::Configuration;
use crate::metrics::Metrics;
use crate::models::{Keys, Models};
use crate::tokens::Tokens;

/// The services of a stack.
pub struct Services {
    pub store: store::Store,
    pub queue: queue::Queue,
    pub secrets: secrets::Secrets,
    pub egress: egress::Egress,
    pub models: Models,
    pub tools: tools::Tools,
    pub tokens: Tokens,
    pub configuration: Configuration,
    pub metrics: Metrics,
    /// What the function was given, MB: what a millisecond of it costs depends on it.
    pub memory_mb: u64,
    /// `/<stack>`, the root of all secrets.
    pub secrets_root: String,
    pub dead_letter_url: String,
}

/// One account of a channel as this invocation knows it.
pub struct Place {
    pub room: &'static dyn Channel,
    pub config: Arc<config::Config>,
    /// The channel's part of the configuration, the account's laid over it.
    pub channel: config::Channel,
    /// What the room is given as settings.
    pub settings: Value,
    pub secrets: Secrets,
}

impl Services {
    /// Where the models' keys are.
    pub fn keys(&self) -> Keys<'_> {
        Keys { secrets: &self.secrets, root: &self.secrets_root }
    }

    /// Everything about an account. `now` is Unix milliseconds.
    ///
    /// # Errors
    /// The channel is not in this build, or a service did not answer.
    pub async fn place(&self, channel: &str, account: &str, now: i64) -> Result<Place, PlaceError> {
        let room = crate::channels::named(channel).ok_or_else(|| PlaceError::Unknown(channel.to_owned()))?;
        let config = self.configuration.current(&self.store, &self.metrics, now).await?;
        let path = format!("{}/{channel}/{account}", self.secrets_root);
        let secrets = self.secrets.of_account(&path).await?;
        let channel = config.channel(channel, account);
        Ok(Place { room, settings: channel.room_settings(), channel, config, secrets })
    }
}

impl Place {
    /// Who may talk here.
    pub fn access(&self) -> config::Access {
        self.channel.access(self.room.spec())
    }
}

#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    #[error("this build has no channel {0}")]
    Unknown(String),
    #[error(transparent)]
    Secrets(#[from] secrets::Error),
    #[error("no configuration: {0}")]
    Configuration(#[from] store::Error),
}
