//! What tools servers have, remembered by the process: the question for them would double the time to the first answer.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use crate::Error;

/// For so long a list is taken for true, ms.
const FRESH: i64 = 10 * 60_000;
/// For so long a server that failed is left alone, ms: every turn would wait for it.
const LEFT_ALONE: i64 = 60_000;
/// Bytes of a tool's description that the model is shown.
const MAX_DESCRIPTION: usize = 1_024;

/// A server's tool.
#[derive(Debug, Clone, PartialEq)]
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

/// A server by its name in the configuration and its address.
type Key = (String, String);

/// The lists of all servers that this process asked.
#[derive(Default)]
pub(crate) struct Lists(Mutex<BTreeMap<Key, Kept>>);

#[derive(Clone)]
struct Kept {
    /// The last that the server told.
    tools: Option<Vec<Listed>>,
    /// Why it did not tell them when it was last asked.
    error: Option<Error>,
    until: i64,
}

impl Lists {
    /// What is known of a server and still counts. `now` is Unix milliseconds.
    pub fn fresh(&self, key: &Key, now: i64) -> Option<Result<Vec<Listed>, Error>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(key).filter(|kept| now < kept.until).map(Kept::told)
    }

    /// Keeps what came of asking. A server that fails now still has the tools that it told before.
    pub fn keep(&self, key: Key, found: Result<Vec<Listed>, Error>, now: i64) -> Result<Vec<Listed>, Error> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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
}

impl Kept {
    fn told(&self) -> Result<Vec<Listed>, Error> {
        match (&self.tools, &self.error) {
            (Some(tools), _) => Ok(tools.clone()),
            (None, Some(error)) => Err(error.clone()),
            (None, None) => Ok(Vec::new()),
        }
    }
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

    #[test]
    fn a_list_counts_for_ten_minutes() {
        let lists = Lists::default();
        assert_eq!(lists.fresh(&key(), 0), None);
        lists.keep(key(), Ok(list("a")), 0).unwrap();
        assert_eq!(lists.fresh(&key(), FRESH - 1), Some(Ok(list("a"))));
        assert_eq!(lists.fresh(&key(), FRESH), None);
        assert_eq!(lists.fresh(&("github".into(), "https://example.com/other".into()), 0), None);
    }

    #[test]
    fn a_server_that_fails_is_left_alone_and_keeps_its_tools() {
        let lists = Lists::default();
        let down = Error::NotDone("down".into());
        assert_eq!(lists.keep(key(), Err(down.clone()), 0), Err(down.clone()));
        assert_eq!(lists.fresh(&key(), LEFT_ALONE - 1), Some(Err(down.clone())));
        assert_eq!(lists.fresh(&key(), LEFT_ALONE), None);
        lists.keep(key(), Ok(list("a")), LEFT_ALONE).unwrap();
        assert_eq!(lists.keep(key(), Err(down), 0), Ok(list("a")));
    }
}
