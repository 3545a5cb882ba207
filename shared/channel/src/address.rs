//! Where a reply goes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// All that a reply needs; stored with the turn, so that any later invocation can post it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Address {
    pub channel: String,
    pub account: String,
    pub chat: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<String>,
    /// The platform's id of the message to quote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
    /// How long and how often the platform takes a direct reply; `None` = as long as one likes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// What else this platform's requests need (an interaction token, a reply URL).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub data: BTreeMap<String, String>,
}

impl Address {
    /// The chat of that id, of which nothing else is known.
    pub fn of(channel: &str, account: &str, chat: &str) -> Address {
        Address {
            channel: channel.to_owned(),
            account: account.to_owned(),
            chat: chat.to_owned(),
            ..Address::default()
        }
    }

    /// Where the same place is written to days later: without what answers one message alone. `keeps` are the names of `data` that
    /// still hold then, [`crate::Channel::keeps`].
    pub fn lasting(&self, keeps: &[&str]) -> Address {
        let data = self.data.iter().filter(|(name, _)| keeps.contains(&name.as_str()));
        Address {
            thread: None,
            reply_to: None,
            window: None,
            data: data.map(|(name, value)| (name.clone(), value.clone())).collect(),
            ..self.clone()
        }
    }
}

/// What reaches the same place later, when nobody has just written there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Later {
    pub to: Address,
    /// Unix milliseconds after which the platform takes no message of our own accord; `None` = as long as one likes.
    pub until: Option<i64>,
}

impl Later {
    pub fn always(to: &Address) -> Later {
        Later { to: to.clone(), until: None }
    }

    pub fn until(to: &Address, until: i64) -> Later {
        Later { to: to.clone(), until: Some(until) }
    }

    /// For platforms that take messages of our own accord for as long as a direct reply.
    pub fn within_window(to: &Address) -> Later {
        Later { to: to.clone(), until: to.window.map(|window| window.deadline) }
    }

    /// Without what the address holds for a direct reply only.
    pub fn without(to: &Address, data: &str) -> Later {
        let mut later = Later::always(to);
        later.to.data.remove(data);
        later
    }
}

/// A platform's reply window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Unix milliseconds after which only a push is possible.
    pub deadline: i64,
    /// Calls left inside the window; `None` = no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uses: Option<u32>,
}

impl Window {
    pub fn is_open(&self, now: i64) -> bool {
        now < self.deadline && self.uses != Some(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_answers_one_message_does_not_last() {
        let data = [("service", "https://x.example"), ("token", "t")];
        let to = Address {
            channel: "c".into(),
            account: "main".into(),
            chat: "7".into(),
            thread: Some("1".into()),
            reply_to: Some("2".into()),
            window: Some(Window { deadline: 1, uses: None }),
            data: data.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        };
        let lasting = to.lasting(&["service"]);
        let kept = [("service".to_owned(), "https://x.example".to_owned())].into();
        let expected = Address { thread: None, reply_to: None, window: None, data: kept, ..to };
        assert_eq!(lasting, expected);
    }
}
