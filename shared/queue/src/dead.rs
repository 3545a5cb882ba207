//! Dead letters: what could not be done, with the reason, for an operator to look at.

use channel::{ConversationKey, Inbound, Shape, shape};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Job;

/// The shape of a dead letter as written today.
const DEAD_VERSION: u32 = 1;

/// A failed message, or a turn whose reply could not be posted. Holds what was said: never to be logged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeadLetter {
    pub v: u32,
    /// Why, for a person.
    pub reason: String,
    /// When it was buried, Unix milliseconds.
    pub at: i64,
    pub conversation: String,
    #[serde(default)]
    pub channel: String,
    #[serde(default)]
    pub account: String,
    /// The message that was not answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inbound: Option<Box<Inbound>>,
    /// The turn that was not posted, as it was stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<Value>,
    /// Anything else, as it was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<String>,
    /// SQS moved it here by itself: its message may still wait in the inbox.
    #[serde(skip)]
    pub unfinished: bool,
}

impl DeadLetter {
    /// For a message that is given up. `at` is Unix milliseconds.
    pub fn message(inbound: &Inbound, reason: impl Into<String>, at: i64) -> DeadLetter {
        DeadLetter {
            conversation: inbound.conversation_key().to_string(),
            channel: inbound.channel.clone(),
            account: inbound.account.clone(),
            inbound: Some(Box::new(inbound.clone())),
            ..DeadLetter::because(reason, at)
        }
    }

    /// For a turn that is committed and cannot be posted. `at` is Unix milliseconds.
    pub fn turn(
        conversation: &ConversationKey,
        turn: &impl Serialize,
        reason: impl Into<String>,
        at: i64,
    ) -> DeadLetter {
        let turn = serde_json::to_value(turn).unwrap_or_default();
        let of = |field: &str| {
            let value = turn.get("address").and_then(|address| address.get(field)).and_then(Value::as_str);
            value.unwrap_or_default().to_owned()
        };
        DeadLetter {
            conversation: conversation.to_string(),
            channel: of("channel"),
            account: of("account"),
            turn: Some(turn),
            ..DeadLetter::because(reason, at)
        }
    }

    /// For the body of a queue message that is no job. `at` is Unix milliseconds.
    pub fn raw(body: &str, reason: impl Into<String>, at: i64) -> DeadLetter {
        DeadLetter { raw: Some(body.to_owned()), ..DeadLetter::because(reason, at) }
    }

    fn because(reason: impl Into<String>, at: i64) -> DeadLetter {
        DeadLetter {
            v: DEAD_VERSION,
            reason: reason.into(),
            at,
            conversation: String::new(),
            channel: String::new(),
            account: String::new(),
            inbound: None,
            turn: None,
            raw: None,
            unfinished: false,
        }
    }

    /// Reads what lies on the dead-letter queue: a letter of ours, or a job that SQS moved there after its last receive.
    /// `sent_at` (Unix milliseconds) stands in where the body does not say.
    pub fn parse(body: &str, sent_at: i64) -> DeadLetter {
        match serde_json::from_str::<DeadLetter>(body) {
            // What of it this release can read is shown; what a later one put into it would be lost by trying it again.
            Ok(letter) if shape(u64::from(letter.v), DEAD_VERSION) == Shape::Newer => {
                let reason =
                    format!("{} (written by a later release: redrive it with that one)", letter.reason);
                return DeadLetter {
                    inbound: None,
                    turn: None,
                    raw: Some(body.to_owned()),
                    reason,
                    ..letter
                };
            }
            Ok(letter) => return letter,
            Err(_) => {}
        }
        let reason = "it was given out 10 times and never done";
        match Job::parse(body) {
            Ok(Job::Message { inbound, .. }) => {
                DeadLetter { unfinished: true, ..DeadLetter::message(&inbound, reason, sent_at) }
            }
            Ok(Job::Newer { .. }) => DeadLetter {
                unfinished: true,
                ..DeadLetter::raw(body, "no release in use knew this kind of job", sent_at)
            },
            Err(error) => DeadLetter::raw(body, error.to_string(), sent_at),
        }
    }

    /// The job that tries it once more, with its conversation; `None` where there is nothing to try again.
    ///
    /// A message that we buried has left the inbox and is marked as seen, so it comes back under a new id, always the
    /// same one for the same message. One that SQS moved keeps its id: it may still wait in the inbox.
    pub fn job(&self) -> Option<(String, String)> {
        if let (None, true, Some(raw)) = (&self.inbound, self.unfinished, &self.raw) {
            return Some((raw.clone(), "unknown".to_owned()));
        }
        let mut again = self.inbound.clone()?;
        if !self.unfinished {
            again.id = format!("{}~{}", again.id, again.at);
        }
        Some((Job::message(&again, None), self.conversation.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::tests::inbound;

    fn id_of(job: Option<(String, String)>) -> String {
        match Job::parse(&job.unwrap().0).unwrap() {
            Job::Message { inbound, .. } => inbound.id,
            newer => panic!("{newer:?}"),
        }
    }

    #[test]
    fn a_buried_message_comes_back_under_a_new_id() {
        let letter = DeadLetter::message(&inbound("m1", "hello"), "poison", 99);
        let read = DeadLetter::parse(&serde_json::to_string(&letter).unwrap(), 0);
        assert_eq!(read, letter);
        assert_eq!(id_of(read.job()), "m1~5");
        // A kill may leave two letters for one message: given back twice, it is still one.
        let second = DeadLetter::message(&inbound("m1", "hello"), "poison", 200);
        assert_eq!(id_of(second.job()), "m1~5");
    }

    #[test]
    fn a_job_that_sqs_moved_keeps_its_id() {
        let letter = DeadLetter::parse(&Job::message(&inbound("m1", "hello"), Some("r")), 7);
        assert_eq!((letter.at, letter.channel.as_str(), letter.unfinished), (7, "telegram", true));
        assert_eq!(id_of(letter.job()), "m1");
        let later = r#"{"v":9,"kind":"due"}"#;
        assert_eq!(DeadLetter::parse(later, 7).job().unwrap().0, later);
    }

    #[test]
    fn a_letter_of_a_later_release_is_shown_and_left_to_it() {
        let letter =
            DeadLetter { v: DEAD_VERSION + 1, ..DeadLetter::message(&inbound("m1", "hello"), "why", 9) };
        let body = serde_json::to_string(&letter).unwrap();
        let read = DeadLetter::parse(&body, 0);
        assert_eq!((read.channel.as_str(), read.at, read.job()), ("telegram", 9, None));
        assert!(read.reason.contains("later release") && read.raw == Some(body));
    }

    #[test]
    fn what_is_no_message_can_only_be_shown() {
        let rubbish = DeadLetter::parse("rubbish", 7);
        assert_eq!((rubbish.raw.as_deref(), rubbish.job()), (Some("rubbish"), None));
        let turn = serde_json::json!({"number": 3, "address": {"channel": "slack", "account": "main"}});
        let conversation = inbound("1", "").conversation_key();
        let letter = DeadLetter::turn(&conversation, &turn, "the chat is gone", 1);
        assert_eq!((letter.channel.as_str(), letter.job()), ("slack", None));
    }
}
