//! The configuration as the invoker sees it: read at most every 30 s, the last good one kept, never silent about faults.

use std::sync::Arc;

use tokio::sync::Mutex;
use turn::config::Config;

/// How long a configuration is used without looking again, milliseconds.
const FRESH_MS: i64 = 30_000;

#[derive(Default)]
pub struct Configuration(Mutex<Cached>);

#[derive(Default)]
struct Cached {
    config: Arc<Config>,
    read_at: i64,
}

impl Configuration {
    /// The newest configuration that can be read; the one before while the newest cannot. `now` is Unix milliseconds.
    pub async fn current(&self, store: &store::Store, now: i64) -> Arc<Config> {
        let mut cached = self.0.lock().await;
        if cached.read_at != 0 && now - cached.read_at < FRESH_MS {
            return cached.config.clone();
        }
        match store.configuration().await {
            Ok(Some(stored)) => match Config::tolerant(&stored.json) {
                Ok(config) => cached.config = Arc::new(config),
                // The alarm counts this field.
                Err(error) => {
                    tracing::error!(configuration = "unreadable", %error, "the last good configuration stays in use")
                }
            },
            Ok(None) => {
                tracing::error!(configuration = "missing", "no configuration: run crabhook config push")
            }
            Err(error) => {
                tracing::error!(configuration = "unavailable", %error, "the last good configuration stays in use")
            }
        }
        cached.read_at = now;
        cached.config.clone()
    }
}
