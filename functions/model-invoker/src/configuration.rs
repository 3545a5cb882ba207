//! The configuration as the invoker sees it: read at most every 30 s, the last good one kept, never silent about faults.
//!
//! What could be read once is kept in the table beside the current one, so that a fresh process has it too when the
//! current one cannot be read. Only a stack that never had a good one works with the built-in one.

use std::sync::Arc;

use serde_json::Value;
use tokio::sync::Mutex;
use turn::config::Config;

use crate::metrics::{Metric, Metrics};

/// How long a configuration is used without looking again, milliseconds.
const FRESH_MS: i64 = 30_000;

#[derive(Default)]
pub struct Configuration(Mutex<Cached>);

#[derive(Default)]
struct Cached {
    config: Option<Arc<Config>>,
    read_at: i64,
}

impl Configuration {
    /// The newest configuration that can be read; the last good one while the newest cannot. `now` is Unix milliseconds.
    ///
    /// # Errors
    /// The table does not answer and this process has none yet: nobody can be judged without one, so the message waits.
    pub async fn current(
        &self,
        store: &store::Store,
        metrics: &Metrics,
        now: i64,
    ) -> Result<Arc<Config>, store::Error> {
        let mut cached = self.0.lock().await;
        if let Some(config) = &cached.config
            && now - cached.read_at < FRESH_MS
        {
            return Ok(config.clone());
        }
        let kept = cached.config.take();
        let read = read(store, metrics, kept.clone(), now).await;
        // Faults are looked at again as seldom as good ones: each look is a line in the log.
        (cached.config, cached.read_at) = (read.as_ref().ok().cloned().or(kept), now);
        read
    }
}

async fn read(
    store: &store::Store,
    metrics: &Metrics,
    kept: Option<Arc<Config>>,
    now: i64,
) -> Result<Arc<Config>, store::Error> {
    let alarm = || Value::Object(metrics.fields(&[(Metric::ConfigurationUnreadable, 1.0)], now));
    match store.configuration().await {
        Ok(Some(stored)) => match Config::tolerant(&stored.json) {
            Ok(config) => {
                if let Err(error) = store.keep_good(&stored).await {
                    tracing::warn!(%error, "the configuration is not kept as the last good one yet");
                }
                return Ok(Arc::new(config));
            }
            Err(error) => {
                tracing::error!(configuration = "unreadable", %error, json = %alarm(), "the last good configuration stays in use")
            }
        },
        Ok(None) => {
            tracing::error!(configuration = "missing", json = %alarm(), "no configuration: run crabhook config push")
        }
        Err(store::Error::Broken(why)) => {
            tracing::error!(configuration = "unreadable", why, json = %alarm(), "the last good configuration stays in use")
        }
        Err(error) => {
            tracing::warn!(configuration = "unavailable", %error, "the table does not answer");
            return kept.ok_or(error);
        }
    }
    match kept {
        Some(kept) => Ok(kept),
        None => last_good(store).await,
    }
}

/// The last one that any process could read; the built-in one where there is none.
async fn last_good(store: &store::Store) -> Result<Arc<Config>, store::Error> {
    let found = store.last_good_configuration().await?;
    let config = found.and_then(|good| Config::tolerant(&good.json).ok());
    Ok(Arc::new(config.unwrap_or_default()))
}
