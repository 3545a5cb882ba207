//! Calls of tools that wait for somebody's yes.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How long a yes is waited for, milliseconds. Later than that, nobody remembers what it was about.
pub const PATIENCE_MS: i64 = 24 * 3_600_000;

/// What the model wanted to call, asked about in a turn. A conversation has one at most: a newer one takes its place.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Pending {
    pub v: u32,
    /// What the buttons say it is; no secret, for only `person` may answer it.
    pub id: String,
    /// The platform's id of the one who is asked.
    pub person: String,
    /// Number of the turn that asks.
    #[serde(default)]
    pub turn: u32,
    /// Unix milliseconds after which nobody is listened to.
    pub until: i64,
    /// What the model wrote before it called.
    #[serde(default)]
    pub text: String,
    /// In the model's order.
    pub calls: Vec<PendingCall>,
    /// Id, as in keys, of the message that answered it: its own retries may act on it again, no other message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_by: Option<String>,
}

/// One call of the model's.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct PendingCall {
    /// The model's own.
    pub id: String,
    pub name: String,
    pub arguments: Value,
    /// What the provider wants back with the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Value>,
    /// What came of it, where nobody had to be asked. The others wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
}

/// What somebody says to a question of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reply<'a> {
    pub yes: bool,
    /// Of the question, where a button was pressed; words are meant for what was said last.
    pub id: Option<&'a str>,
}

/// What a button says.
pub fn press(yes: bool, id: &str) -> String {
    format!("/{} {id}", if yes { "yes" } else { "no" })
}

/// Yes and no, as people write them in the languages that our own lines are in.
const YES: &[&str] = &[
    "yes",
    "y",
    "ok",
    "okay",
    "ja",
    "oui",
    "sí",
    "si",
    "sì",
    "sim",
    "tak",
    "evet",
    "да",
    "はい",
    "是",
    "好",
    "네",
    "예",
    "हाँ",
    "हां",
    "نعم",
    "👍",
];
const NO: &[&str] = &[
    "no",
    "n",
    "nein",
    "non",
    "não",
    "nee",
    "nie",
    "hayır",
    "нет",
    "いいえ",
    "不",
    "否",
    "아니요",
    "नहीं",
    "لا",
    "👎",
];

/// The yes or no that a text is, if it is nothing else.
pub fn reply(text: &str) -> Option<Reply<'_>> {
    let text = text.trim();
    for (yes, command) in [(true, "/yes"), (false, "/no")] {
        if let Some(id) = text.strip_prefix(command).and_then(|rest| rest.strip_prefix(' ')) {
            return Some(Reply { yes, id: Some(id.trim()) });
        }
    }
    let word = text.trim_end_matches(['.', '!', '。', '！']).to_lowercase();
    let yes = YES.contains(&word.as_str()) || word == "/yes";
    let no = NO.contains(&word.as_str()) || word == "/no";
    (yes || no).then_some(Reply { yes, id: None })
}

impl Pending {
    /// Whether it is what `reply` is about, said by that person at `now`, Unix milliseconds. `turns` are those since the conversation
    /// started over: a word in place of a button is meant for the last of them.
    pub fn hears(&self, reply: Reply<'_>, person: &str, turns: &Range<u32>, now: i64) -> bool {
        let meant = match reply.id {
            Some(id) => id == self.id,
            None => turns.clone().next_back() == Some(self.turn),
        };
        meant && self.person == person && now < self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yes_and_no_are_whole_texts() {
        let check = |text: &str, expected: Option<(bool, Option<&str>)>| {
            assert_eq!(reply(text), expected.map(|(yes, id)| Reply { yes, id }), "{text}");
        };
        check("/yes 1a2b", Some((true, Some("1a2b"))));
        check(" /no 1a2b\n", Some((false, Some("1a2b"))));
        check("Yes!", Some((true, None)));
        check("JA", Some((true, None)));
        check("はい。", Some((true, None)));
        check("nein", Some((false, None)));
        check("/no", Some((false, None)));
        check("yes, but later", None);
        check("/yesterday", None);
        check("no idea", None);
        check("", None);
        assert_eq!(reply(&press(true, "ab")), Some(Reply { yes: true, id: Some("ab") }));
    }

    #[test]
    fn only_who_was_asked_is_heard_and_only_in_time() {
        let pending =
            Pending { id: "ab".into(), person: "7".into(), turn: 4, until: 10, ..Pending::default() };
        let said = |id| Reply { yes: true, id };
        let check = |id, person, now, heard| {
            assert_eq!(pending.hears(said(id), person, &(1..5), now), heard, "{id:?} {person} {now}");
        };
        check(None, "7", 9, true);
        check(Some("ab"), "7", 9, true);
        check(Some("cd"), "7", 9, false);
        check(Some("ab"), "8", 9, false);
        check(Some("ab"), "7", 10, false);
    }

    #[test]
    fn a_word_is_meant_for_what_was_said_last_and_a_button_for_its_question() {
        let pending = Pending { id: "ab".into(), turn: 4, until: 10, ..Pending::default() };
        let check = |turns: Range<u32>, word| {
            let hears = |id| pending.hears(Reply { yes: true, id }, "", &turns, 9);
            assert_eq!((hears(None), hears(Some("ab"))), (word, true), "{turns:?}");
        };
        check(0..5, true);
        check(4..5, true);
        check(0..6, false);
        check(5..5, false);
        check(5..6, false);
    }
}
