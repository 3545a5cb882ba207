//! What tools servers have, remembered by the process and beyond it ([`crate::Memory`]): the question for them would double the time to
//! the first answer, so a list that is known is used, however old, and asked for anew when the answer is out.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use channel::sign;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Server;
use crate::Error;

/// A list older than this is asked for anew, ms.
const FRESH: i64 = 10 * 60_000;
/// For so long a server that failed is left alone, ms: every turn would wait for it.
const LEFT_ALONE: i64 = 60_000;
/// A list longer than this is not kept beyond the process, bytes: an item of the table has 400 KB.
const MAX_KEPT: usize = 300_000;
/// Bytes of a tool's description that the model is shown.
const MAX_DESCRIPTION: usize = 1_024;

/// A server's tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Listed {
    pub name: String,
    pub description: String,
    pub schema: Value,
    /// The server says that it changes nothing.
    pub read_only: bool,
}

impl Listed {
    pub fn of(tool: &rmcp::model::Tool) -> Listed {
        let description = tool.description.as_deref().or(tool.title.as_deref()).unwrap_or_default();
        Listed {
            name: tool.name.to_string(),
            description: channel::text::cut(description.to_owned(), MAX_DESCRIPTION),
            schema: Value::Object(tool.input_schema.as_ref().clone()),
            read_only: tool.annotations.as_ref().and_then(|hints| hints.read_only_hint).unwrap_or(false),
        }
    }
}

/// A list as it is kept.
#[derive(Serialize, Deserialize)]
struct Memo {
    /// When the server was asked, Unix milliseconds.
    at: i64,
    /// `None`: it has never told them.
    tools: Option<Vec<Listed>>,
}

/// A server by its name in the configuration and its address.
pub(crate) type Key = (String, String);

/// The lists of all servers that this process knows.
#[derive(Default)]
pub(crate) struct Lists {
    known: Mutex<BTreeMap<Key, Kept>>,
    /// Those to be asked when the answer is out.
    later: Mutex<BTreeMap<Key, Server>>,
}

#[derive(Clone)]
struct Kept {
    /// The last that the server told.
    tools: Option<Vec<Listed>>,
    /// Why it did not tell them when it was last asked.
    error: Option<Error>,
    /// Until then it is not asked again.
    until: i64,
}

impl Lists {
    /// What is known of a server: what it told last, or why it told nothing. `now` is Unix milliseconds.
    pub fn known(&self, key: &Key, now: i64) -> Option<Known> {
        let all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(key).map(|kept| kept.known(now))
    }

    /// Takes up what another process was told, or that it was told nothing.
    pub fn take_up(&self, key: Key, memo: &str, now: i64) -> Option<Known> {
        let Memo { at, tools } = serde_json::from_str(memo).ok()?;
        let error = tools.is_none().then(|| Error::NotDone("it has not told its tools yet".to_owned()));
        let for_ms = if error.is_none() { FRESH } else { LEFT_ALONE };
        let kept = Kept { tools, error, until: at.min(now) + for_ms };
        let known = kept.known(now);
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(key, kept);
        Some(known)
    }

    /// Keeps what came of asking. A server that fails now still has the tools that it told before.
    pub fn keep(&self, key: Key, found: Result<Vec<Listed>, Error>, now: i64) -> Result<Vec<Listed>, Error> {
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = match found {
            Ok(tools) => Kept { tools: Some(tools), error: None, until: now + FRESH },
            Err(error) => {
                let tools = all.remove(&key).and_then(|kept| kept.tools);
                Kept { tools, error: Some(error), until: now + LEFT_ALONE }
            }
        };
        let told = kept.told();
        all.insert(key, kept);
        told
    }

    /// The server is asked when the answer is out.
    pub fn ask_later(&self, key: Key, server: Server) {
        self.later.lock().unwrap_or_else(PoisonError::into_inner).insert(key, server);
    }

    /// Those to be asked now, each once.
    pub fn later(&self) -> BTreeMap<Key, Server> {
        std::mem::take(&mut *self.later.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What is known of a server.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Known {
    pub told: Result<Vec<Listed>, Error>,
    /// It may be another by now: the server is to be asked again, when nobody waits for it.
    pub old: bool,
}

impl Kept {
    fn told(&self) -> Result<Vec<Listed>, Error> {
        match (&self.tools, &self.error) {
            (Some(tools), _) => Ok(tools.clone()),
            (None, Some(error)) => Err(error.clone()),
            (None, None) => Ok(Vec::new()),
        }
    }

    fn known(&self, now: i64) -> Known {
        Known { told: self.told(), old: now >= self.until }
    }
}

/// The name under which a server's list is remembered.
pub(super) fn name(key: &Key) -> String {
    let (name, url) = key;
    sign::sha256_hex(format!("{name}\0{url}").as_bytes()).chars().take(32).collect()
}

/// A list as it is remembered, or that there is none; `None` where it is too long.
pub(super) fn memo(tools: Option<&[Listed]>, now: i64) -> Option<String> {
    let memo = Memo { at: now, tools: tools.map(<[Listed]>::to_vec) };
    serde_json::to_string(&memo).ok().filter(|memo| memo.len() <= MAX_KEPT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Key {
        ("github".to_owned(), "https://example.com/mcp".to_owned())
    }

    fn list(name: &str) -> Vec<Listed> {
        vec![Listed { name: name.into(), description: String::new(), schema: Value::Null, read_only: true }]
    }

    fn known(told: Result<Vec<Listed>, Error>, old: bool) -> Option<Known> {
        Some(Known { told, old })
    }

    #[test]
    fn a_list_is_fresh_for_ten_minutes_and_used_for_good() {
        let lists = Lists::default();
        assert_eq!(lists.known(&key(), 0), None);
        lists.keep(key(), Ok(list("a")), 0).unwrap();
        assert_eq!(lists.known(&key(), FRESH - 1), known(Ok(list("a")), false));
        assert_eq!(lists.known(&key(), FRESH), known(Ok(list("a")), true));
        assert_eq!(lists.known(&("github".into(), "https://example.com/other".into()), 0), None);
    }

    #[test]
    fn a_server_that_fails_is_left_alone_and_keeps_its_tools() {
        let lists = Lists::default();
        let down = Error::NotDone("down".into());
        assert_eq!(lists.keep(key(), Err(down.clone()), 0), Err(down.clone()));
        assert_eq!(lists.known(&key(), LEFT_ALONE - 1), known(Err(down.clone()), false));
        assert_eq!(lists.known(&key(), LEFT_ALONE), known(Err(down.clone()), true));
        lists.keep(key(), Ok(list("a")), LEFT_ALONE).unwrap();
        assert_eq!(lists.keep(key(), Err(down), 0), Ok(list("a")));
        assert_eq!(lists.known(&key(), LEFT_ALONE), known(Ok(list("a")), true));
    }

    #[test]
    fn another_process_takes_up_what_was_told() {
        let lists = Lists::default();
        let memo = memo(Some(&list("a")), 1_000).unwrap();
        assert_eq!(lists.take_up(key(), &memo, 2_000), known(Ok(list("a")), false));
        assert_eq!(lists.known(&key(), 1_000 + FRESH), known(Ok(list("a")), true));
        assert_eq!(lists.take_up(key(), &memo, 1_000 + FRESH), known(Ok(list("a")), true));
        assert_eq!(lists.take_up(key(), "{\"other\": 1}", 0), None);
        let none = super::memo(None, 1_000).unwrap();
        let found = lists.take_up(key(), &none, 1_000 + LEFT_ALONE).unwrap();
        assert!(found.told.is_err() && found.old);
        let long = vec![Listed { description: "x".repeat(MAX_KEPT), ..list("a").remove(0) }];
        assert_eq!(super::memo(Some(&long), 0), None);
    }
}
