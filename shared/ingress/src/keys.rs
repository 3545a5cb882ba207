//! Public keys that requests are signed with and that must be fetched (JWKS, certificates): kept for a day, fetched
//! only from the channel's own hosts, and seldom, whatever strangers send.

use std::collections::BTreeMap;

use channel::{Keys, Spec};
use serde_json::Value;
use tokio::sync::Mutex;

/// A key that was withdrawn stops counting after this long, milliseconds.
const FRESH_MS: i64 = 24 * 3_600_000;
/// An unknown key id leads to a fetch at most this often, milliseconds.
const UNKNOWN_MS: i64 = 5 * 60_000;
/// A failed fetch is repeated at most this often, milliseconds.
const FAILED_MS: i64 = 10_000;

/// How a document is fetched.
pub(crate) trait Fetch {
    /// The document, or why there is none.
    async fn fetch(&self, url: &str, spec: &Spec, settings: &Value) -> Result<String, String>;
}

pub(crate) struct KeyCache<F> {
    pub fetch: F,
    documents: Mutex<BTreeMap<String, Document>>,
}

struct Document {
    body: Option<String>,
    tried_at: i64,
}

impl<F: Fetch> KeyCache<F> {
    pub fn new(fetch: F) -> KeyCache<F> {
        KeyCache { fetch, documents: Mutex::default() }
    }

    /// The documents that count at `now`, Unix milliseconds.
    pub async fn known(&self, now: i64) -> Keys {
        let documents = self.documents.lock().await;
        let fresh = documents.iter().filter(|(_, document)| now - document.tried_at < FRESH_MS);
        fresh.filter_map(|(url, document)| Some((url.clone(), document.body.clone()?))).collect()
    }

    /// Fetches a document. `false`: it was fetched lately, so the key that is asked for does not exist.
    pub async fn refresh(&self, url: &str, spec: &Spec, settings: &Value, now: i64) -> Result<bool, String> {
        let mut documents = self.documents.lock().await;
        if let Some(known) = documents.get(url) {
            let age = now - known.tried_at;
            match known.body {
                Some(_) if age < UNKNOWN_MS => return Ok(false),
                None if age < FAILED_MS => return Err("it could not be fetched a moment ago".to_owned()),
                _ => {}
            }
        }
        let fetched = self.fetch.fetch(url, spec, settings).await;
        // What was known stays known when it cannot be fetched anew.
        let last =
            documents.remove(url).filter(|last| now - last.tried_at < FRESH_MS).and_then(|last| last.body);
        let body = fetched.clone().ok().or(last);
        documents.insert(url.to_owned(), Document { body, tried_at: now });
        fetched.map(|_| true)
    }
}

#[cfg(feature = "keys")]
pub(crate) use fetched::fetcher;

#[cfg(feature = "keys")]
mod fetched {
    use std::time::Duration;

    use channel::Spec;
    use egress::{Call, Egress, HeaderMap, Method, Trust};
    use serde_json::Value;

    use super::Fetch;

    const TIME_OUT: Duration = Duration::from_secs(2);
    const MAX_BYTES: usize = 64 * 1024;

    pub(crate) fn fetcher() -> Result<impl Fetch, egress::Error> {
        Ok(FromWeb(Egress::new()?))
    }

    struct FromWeb(Egress);

    impl Fetch for FromWeb {
        async fn fetch(&self, url: &str, spec: &Spec, settings: &Value) -> Result<String, String> {
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
            let answer = self.0.send(call).await.map_err(|error| error.to_string())?;
            if answer.status != 200 {
                return Err(format!("HTTP {}", answer.status));
            }
            String::from_utf8(answer.body).map_err(|_| "it is no text".to_owned())
        }
    }
}

#[cfg(not(feature = "keys"))]
pub(crate) fn fetcher() -> Result<impl Fetch, std::convert::Infallible> {
    struct NotBuiltIn;
    impl Fetch for NotBuiltIn {
        async fn fetch(&self, _: &str, _: &Spec, _: &Value) -> Result<String, String> {
            Err("this function was built without the feature `keys` of ingress".to_owned())
        }
    }
    Ok(NotBuiltIn)
}
