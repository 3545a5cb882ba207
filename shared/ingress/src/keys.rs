//! Public keys that platforms sign with: fetched when a signature names one that is not known yet, kept for the process's life.

use std::collections::BTreeMap;
use std::time::Duration;

use channel::{Keys, Spec};
use egress::{Call, Egress, HeaderMap, Method, Trust};
use serde_json::Value;
use tokio::sync::Mutex;

/// An address is asked again for a key it did not have at most this often, milliseconds: forgers can name any key.
const AGAIN_MS: i64 = 5 * 60_000;
const TIME_OUT: Duration = Duration::from_secs(2);
const MAX_BYTES: usize = 64 * 1024;

#[derive(Default)]
pub struct Fetched(Mutex<Cache>);

#[derive(Default)]
struct Cache {
    keys: Keys,
    asked_at: BTreeMap<String, i64>,
    egress: Option<Egress>,
}

impl Fetched {
    pub async fn known(&self) -> Keys {
        self.0.lock().await.keys.clone()
    }

    /// Fetches the document at `url`, which must be of [`Spec::key_hosts`] or begin with an address that the operator set.
    /// Whether there is something new to judge with. `now` is Unix milliseconds.
    pub async fn fetch(&self, spec: &Spec, settings: &Value, url: &str, kid: &str, now: i64) -> bool {
        let mut cache = self.0.lock().await;
        if cache.asked_at.get(url).is_some_and(|at| now - at < AGAIN_MS) {
            return false;
        }
        cache.asked_at.insert(url.to_owned(), now);
        match get(&mut cache.egress, spec, settings, url).await {
            Ok(text) => {
                cache.keys.insert(url.to_owned(), text);
                true
            }
            Err(error) => {
                tracing::warn!(kid, %error, "a public key cannot be fetched");
                false
            }
        }
    }
}

async fn get(
    egress: &mut Option<Egress>,
    spec: &Spec,
    settings: &Value,
    url: &str,
) -> Result<String, egress::Error> {
    let client = match egress.take() {
        Some(client) => client,
        None => Egress::new()?,
    };
    let overridden = settings.get("urls").and_then(Value::as_object);
    let bases = overridden.into_iter().flat_map(|urls| urls.values().filter_map(Value::as_str));
    let call = Call {
        method: Method::GET,
        url,
        headers: HeaderMap::new(),
        body: Vec::new(),
        time_out: TIME_OUT,
        max_bytes: MAX_BYTES,
        trust: Trust::of(url, bases, spec.key_hosts),
    };
    let answer = client.send(call).await;
    *egress = Some(client);
    let answer = answer?;
    match (answer.status, String::from_utf8(answer.body)) {
        (200, Ok(text)) => Ok(text),
        (status, _) => Err(egress::Error::Refused(format!("HTTP {status}"))),
    }
}
