//! Where things lie in the table.
//!
//! | pk | sk | what |
//! |---|---|---|
//! | `C#<conversation>` | `HEAD` | who holds it, what is open |
//! | | `SEEN#<id>` | the message came before; for 8 days |
//! | | `IN#<id>` | the message waits |
//! | | `TURN#<10 digits>` | an answered turn |
//! | | `PENDING` | calls of tools that wait for somebody's yes |
//! | | `SUMMARY` | what earlier turns said |
//! | `U#<channel>#<account>#<user>` | `PROFILE` | a person |
//! | | `NOTES` | what is remembered of them |
//! | | `REMINDERS` | what they want to be reminded of |
//! | `PEOPLE` | `<channel>#<account>#<user>` | the same person, for the operator's list |
//! | `G#<channel>#<account>#<chat>` | `ALLOWED` | an owner said `/allow` there |
//! | `CLAIM` | `<SHA-256 of the code>` | a one-time code of `crabhook claim` |
//! | `COUNT#<scope>` | `<month, day or minute>` | a counter |
//! | `USAGE#<month>` | `<channel>#<account>#<user>#<conversation>#<assistant>#<model>#<day>` | what was used that day |
//! | `TOOLS` | `<server>` | the tools that a server told |
//! | `COOLDOWN` | `<model>` | a model that is left alone for some time |
//! | `TOKEN#<channel>#<account>` | `<name>` | a token that the platform issued for some time |
//! | `WEB#<account>#<session>` | `OUT#…` | a part of a reply to a page: the channel `web` writes and lays it out |
//! | | `SIGN` | what is being written there |
//! | `CONFIG` | `CURRENT` | the configuration |
//! | | `LAST_GOOD` | the newest one that an invoker could read |

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use channel::{ConversationKey, short_id};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    pub pk: String,
    pub sk: String,
}

/// The partition of the operator's list of people.
pub(crate) const PEOPLE: &str = "PEOPLE";

/// `HEAD` and the inbox lie side by side, so that one query reads both, HEAD first. `$` comes right after `#`.
pub(crate) const HEAD_AND_INBOX: (&str, &str) = ("HEAD", "IN$");

/// What the partitions of conversations, of what was used in a month, and of pages begin with.
pub(crate) const CONVERSATION: &str = "C#";
pub(crate) const USAGE: &str = "USAGE#";
pub(crate) const WEB: &str = "WEB#";

/// What a conversation has of all its turns together.
pub(crate) const OF_ALL_TURNS: [&str; 2] = ["PENDING", "SUMMARY"];

impl Key {
    /// The key of an item.
    pub fn of(item: &HashMap<String, AttributeValue>) -> Option<Key> {
        let text = |name: &str| item.get(name)?.as_s().ok().cloned();
        Some(Key { pk: text("pk")?, sk: text("sk")? })
    }
}

pub(crate) fn conversation(conversation: &ConversationKey) -> String {
    format!("{CONVERSATION}{conversation}")
}

pub(crate) fn head(of: &ConversationKey) -> Key {
    Key { pk: conversation(of), sk: "HEAD".to_owned() }
}

pub(crate) fn seen(of: &ConversationKey, id: &str) -> Key {
    Key { pk: conversation(of), sk: format!("SEEN#{id}") }
}

pub(crate) fn inbox(of: &ConversationKey, id: &str) -> Key {
    Key { pk: conversation(of), sk: format!("IN#{id}") }
}

pub(crate) fn turn(of: &ConversationKey, number: u32) -> Key {
    Key { pk: conversation(of), sk: turn_sk(number) }
}

pub(crate) fn pending(of: &ConversationKey) -> Key {
    Key { pk: conversation(of), sk: "PENDING".to_owned() }
}

/// Ten digits hold every `u32`, so that the order of keys is the order of turns.
pub(crate) fn turn_sk(number: u32) -> String {
    format!("TURN#{number:010}")
}

pub(crate) fn summary(of: &ConversationKey) -> Key {
    Key { pk: conversation(of), sk: "SUMMARY".to_owned() }
}

pub(crate) fn notes(channel: &str, account: &str, user: &str) -> Key {
    Key { sk: "NOTES".to_owned(), ..profile(channel, account, user) }
}

pub(crate) fn reminders(channel: &str, account: &str, user: &str) -> Key {
    Key { sk: "REMINDERS".to_owned(), ..profile(channel, account, user) }
}

pub(crate) fn tools(server: &str) -> Key {
    Key { pk: "TOOLS".to_owned(), sk: short_id(server) }
}

pub(crate) fn profile(channel: &str, account: &str, user: &str) -> Key {
    Key { pk: format!("U#{channel}#{account}#{}", short_id(user)), sk: "PROFILE".to_owned() }
}

pub(crate) fn listed(channel: &str, account: &str, user: &str) -> Key {
    Key { pk: PEOPLE.to_owned(), sk: format!("{channel}#{account}#{}", short_id(user)) }
}

pub(crate) fn group(channel: &str, account: &str, chat: &str) -> Key {
    Key { pk: format!("G#{channel}#{account}#{}", short_id(chat)), sk: "ALLOWED".to_owned() }
}

pub(crate) fn claim(code: &str) -> Key {
    let code = code.trim().to_ascii_lowercase();
    Key { pk: "CLAIM".to_owned(), sk: channel::sign::sha256_hex(code.as_bytes()) }
}

pub(crate) fn count(scope: &str, period: &str) -> Key {
    Key { pk: format!("COUNT#{}", short_id(scope)), sk: period.to_owned() }
}

/// The partition of what was used in a month, `yyyy-mm`.
pub(crate) fn usage(month: &str) -> String {
    format!("{USAGE}{month}")
}

/// The partition of the models that are left alone for some time.
pub(crate) const COOLDOWN: &str = "COOLDOWN";

pub(crate) fn cooldown(model: &str) -> Key {
    Key { pk: COOLDOWN.to_owned(), sk: short_id(model) }
}

pub(crate) fn token(channel: &str, account: &str, name: &str) -> Key {
    Key { pk: format!("TOKEN#{channel}#{account}"), sk: name.to_owned() }
}

pub(crate) fn configuration() -> Key {
    Key { pk: "CONFIG".to_owned(), sk: "CURRENT".to_owned() }
}

pub(crate) fn last_good_configuration() -> Key {
    Key { pk: "CONFIG".to_owned(), sk: "LAST_GOOD".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_as_the_queries_need() {
        let of = ConversationKey::of("telegram", "main", "1", "");
        assert_eq!(head(&of).pk.len(), 28);
        let (from, to) = HEAD_AND_INBOX;
        for sk in [head(&of).sk, inbox(&of, "~").sk, inbox(&of, "\u{10ffff}").sk, inbox(&of, "").sk] {
            assert!(from <= sk.as_str() && sk.as_str() < to, "{sk}");
        }
        for sk in [seen(&of, "1").sk, turn(&of, 1).sk, summary(&of).sk] {
            assert!(sk.as_str() > to, "{sk}");
        }
        assert!(turn_sk(9) < turn_sk(10) && turn_sk(10) < turn_sk(u32::MAX));
    }

    #[test]
    fn a_claim_code_is_kept_as_its_hash() {
        assert_eq!(claim(" CLAIM-00FF\n"), claim("claim-00ff"));
        assert_eq!(claim("claim-00ff").sk.len(), 64);
    }
}
