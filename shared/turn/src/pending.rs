//! Calls of tools that wait for somebody's yes.

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
    /// Unix milliseconds after which nobody is listened to.
    pub until: i64,
    /// Number of the turn that asks. A word that may be meant for anything is heard right after it only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<u32>,
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
    /// Of the question, where a button was pressed; words are meant for the newest one.
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
    /// Whether it is what `reply` is about, said by that person at `now`, Unix milliseconds, in the turn of that number. A button
    /// says what it is about; a word is about what was asked last.
    pub fn hears(&self, reply: Reply<'_>, person: &str, now: i64, number: u32) -> bool {
        let is_meant = match reply.id {
            Some(id) => id == self.id,
            None => self.turn.is_none_or(|turn| turn.checked_add(1) == Some(number)),
        };
        self.person == person && now < self.until && is_meant
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
            Pending { id: "ab".into(), person: "7".into(), until: 10, turn: Some(3), ..Pending::default() };
        let said = |id| Reply { yes: true, id };
        let check = |id, person, now, heard| assert_eq!(pending.hears(said(id), person, now, 4), heard);
        check(None, "7", 9, true);
        check(Some("ab"), "7", 9, true);
        check(Some("cd"), "7", 9, false);
        check(Some("ab"), "8", 9, false);
        check(Some("ab"), "7", 10, false);
        // Something else was said since: the button still says what it is about.
        assert!(!pending.hears(said(None), "7", 9, 5) && pending.hears(said(Some("ab")), "7", 9, 5));
        // Asked by the release before.
        assert!(Pending { turn: None, ..pending }.hears(said(None), "7", 9, 5));
    }
}
