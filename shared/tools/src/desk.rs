//! The built-in tools that change something of ours: what the model is told of them and how its arguments are read. The
//! [`Desk`] does them, for this crate knows neither table nor queue.

use jiff::civil;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use model::ToolSpec;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use turn::config::ToolKind;

use crate::ToolResult;

/// Reminders are for people: what is further away is a matter for a calendar.
const FURTHEST: SignedDuration = SignedDuration::from_hours(366 * 24);

/// Texts that are kept or said later, bytes.
const MAX_TEXT: usize = 2_000;

/// Who does what the built-in tools ask for. Answers are for the model: what was done (`Ok`), or why it was not (`Err`).
#[async_trait::async_trait]
pub trait Desk: Send + Sync {
    /// Keeps a note about the person.
    async fn remember(&self, text: &str) -> Result<String, String>;

    /// Forgets the note of that id.
    async fn forget(&self, id: &str) -> Result<String, String>;

    /// Has the assistant say something in this conversation later.
    async fn remind(&self, reminder: &Reminder) -> Result<String, String>;

    /// Tells the operators that a person should go on here.
    async fn hand_off(&self, reason: &str) -> Result<String, String>;
}

/// What is to be said later.
#[derive(Clone, PartialEq, Eq)]
pub struct Reminder {
    /// Unix milliseconds.
    pub at: i64,
    pub text: String,
    /// The same on every try of the turn: under it, it is scheduled once.
    pub key: String,
}

#[derive(Deserialize)]
struct Remind {
    when: String,
    text: String,
}

#[derive(Deserialize)]
struct Remember {
    text: String,
}

#[derive(Deserialize)]
struct Forget {
    id: Value,
}

#[derive(Deserialize)]
struct HandOff {
    reason: String,
}

/// What the model is told of a kind that the desk does.
pub(crate) fn spec(kind: ToolKind) -> Option<ToolSpec> {
    let text = |about: &str| json!({"type": "string", "description": about});
    let (name, description, properties) = match kind {
        ToolKind::RemindMe => (
            "remind_me",
            "Reminds the person in this chat, once. Work the time out yourself from the present one.",
            json!({
                "when": text("ISO 8601 with date and time, such as 2026-03-01T09:00; in the person's time zone unless it has an offset"),
                "text": text("what to say then, to the person"),
            }),
        ),
        ToolKind::Remember => (
            "remember",
            "Keeps a lasting fact about the person for all later conversations. Only what they would want kept.",
            json!({"text": text("one short sentence")}),
        ),
        ToolKind::Forget => (
            "forget",
            "Forgets one of the notes about the person.",
            json!({"id": text("the note's id, as it stands before it")}),
        ),
        ToolKind::HandOff => (
            "hand_off",
            "Asks a human colleague to take over this chat. Use it when asked for a human, or when you cannot help.",
            json!({"reason": text("what the person needs, in one sentence for the colleague")}),
        ),
        _ => return None,
    };
    let required: Vec<&String> = properties.as_object().into_iter().flat_map(serde_json::Map::keys).collect();
    let schema = json!({"type": "object", "required": required, "properties": properties});
    Some(ToolSpec { name: name.to_owned(), description: description.to_owned(), schema })
}

/// Does it. `now` is Unix milliseconds.
pub(crate) async fn call(
    kind: ToolKind,
    arguments: Value,
    desk: &dyn Desk,
    zone: &TimeZone,
    key: &str,
    now: i64,
) -> ToolResult {
    match told(kind, arguments, desk, zone, key, now).await {
        Ok(text) => ToolResult::ok(text),
        Err(text) => ToolResult::error(text),
    }
}

async fn told(
    kind: ToolKind,
    arguments: Value,
    desk: &dyn Desk,
    zone: &TimeZone,
    key: &str,
    now: i64,
) -> Result<String, String> {
    match kind {
        ToolKind::RemindMe => {
            let Remind { when, text } = read(arguments)?;
            let reminder = Reminder { at: time(&when, zone, now)?, text: some(text)?, key: key.to_owned() };
            desk.remind(&reminder).await
        }
        ToolKind::Remember => desk.remember(&some(read::<Remember>(arguments)?.text)?).await,
        ToolKind::Forget => match read::<Forget>(arguments)?.id {
            Value::String(id) => desk.forget(id.trim()).await,
            // Ids look like numbers, and models write them so.
            id => desk.forget(&id.to_string()).await,
        },
        ToolKind::HandOff => desk.hand_off(&some(read::<HandOff>(arguments)?.reason)?).await,
        _ => Err("there is no such tool".to_owned()),
    }
}

/// The arguments in their form.
pub(crate) fn read<T: DeserializeOwned>(arguments: Value) -> Result<T, String> {
    serde_json::from_value(arguments).map_err(|error| format!("the arguments are wrong: {error}"))
}

fn some(text: String) -> Result<String, String> {
    let text = text.trim();
    match text.len() {
        0 => Err("the text is empty".to_owned()),
        1..=MAX_TEXT => Ok(text.to_owned()),
        _ => Err(format!("the text is longer than {MAX_TEXT} bytes: make it shorter")),
    }
}

/// A time in the future, Unix milliseconds. Without an offset it is one of `zone`.
fn time(when: &str, zone: &TimeZone, now: i64) -> Result<i64, String> {
    let when = when.trim();
    let parsed = when
        .parse::<Timestamp>()
        .or_else(|_| when.parse::<civil::DateTime>().and_then(|local| zone.to_timestamp(local)));
    let at = parsed.map_err(|_| format!("{when:?} is no time: write it as 2026-03-01T09:00"))?;
    let now = Timestamp::from_millisecond(now).map_err(|error| error.to_string())?;
    let ahead = at.duration_since(now);
    if ahead <= SignedDuration::ZERO {
        let now = now.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M%:z");
        return Err(format!("{when} is in the past: it is {now} now"));
    }
    if ahead > FURTHEST {
        return Err(format!("{when} is more than a year ahead, which is further than reminders go"));
    }
    Ok(at.as_millisecond())
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use jiff::tz::offset;

    use super::*;

    /// Saturday, 21 November 2026, 12:00 UTC.
    const NOW: i64 = 1_795_262_400_000;

    /// Writes down what it is asked.
    #[derive(Default)]
    struct Asked(Mutex<Vec<String>>);

    impl Asked {
        fn note(&self, what: String) -> Result<String, String> {
            self.0.lock().unwrap().push(what);
            Ok("done".to_owned())
        }
    }

    #[async_trait::async_trait]
    impl Desk for Asked {
        async fn remember(&self, text: &str) -> Result<String, String> {
            self.note(format!("remember {text}"))
        }
        async fn forget(&self, id: &str) -> Result<String, String> {
            self.note(format!("forget {id}"))
        }
        async fn remind(&self, reminder: &Reminder) -> Result<String, String> {
            self.note(format!("remind {} {} {}", reminder.at - NOW, reminder.text, reminder.key))
        }
        async fn hand_off(&self, reason: &str) -> Result<String, String> {
            self.note(format!("hand_off {reason}"))
        }
    }

    async fn check(kind: ToolKind, arguments: Value, expected: Result<&str, &str>) {
        let desk = Asked::default();
        let zone = TimeZone::fixed(offset(1));
        let result = call(kind, arguments.clone(), &desk, &zone, "k1", NOW).await;
        let asked = desk.0.into_inner().unwrap();
        match expected {
            Ok(expected) => {
                assert_eq!((asked, result.is_error), (vec![expected.to_owned()], false), "{arguments}")
            }
            Err(words) => {
                assert!(result.is_error && asked.is_empty(), "{arguments}: {asked:?}");
                assert!(result.text.contains(words), "{arguments}: {}", result.text);
            }
        }
    }

    #[tokio::test]
    async fn reminders_are_at_a_time_in_the_coming_year() {
        let remind = |when: &str| json!({"when": when, "text": " tea "});
        check(ToolKind::RemindMe, remind("2026-11-21T15:00"), Ok("remind 7200000 tea k1")).await;
        check(ToolKind::RemindMe, remind("2026-11-21T15:00:00"), Ok("remind 7200000 tea k1")).await;
        check(ToolKind::RemindMe, remind("2026-11-21 15:00"), Ok("remind 7200000 tea k1")).await;
        check(ToolKind::RemindMe, remind("2026-11-21T15:00:00Z"), Ok("remind 10800000 tea k1")).await;
        check(ToolKind::RemindMe, remind("2026-11-21T15:00-05:00"), Ok("remind 28800000 tea k1")).await;
        check(ToolKind::RemindMe, remind("2026-11-21T13:00"), Err("it is 2026-11-21T13:00+01:00 now")).await;
        check(ToolKind::RemindMe, remind("2027-12-24T12:00"), Err("more than a year")).await;
        check(ToolKind::RemindMe, remind("in two hours"), Err("is no time")).await;
        check(ToolKind::RemindMe, json!({"when": "2026-11-21T15:00"}), Err("missing field `text`")).await;
        check(ToolKind::RemindMe, json!({"when": "2026-11-21T15:00", "text": " "}), Err("empty")).await;
    }

    #[tokio::test]
    async fn notes_and_hand_offs() {
        check(ToolKind::Remember, json!({"text": "likes tea"}), Ok("remember likes tea")).await;
        check(ToolKind::Remember, json!({"text": "x".repeat(2_001)}), Err("shorter")).await;
        check(ToolKind::Forget, json!({"id": "7"}), Ok("forget 7")).await;
        check(ToolKind::Forget, json!({"id": 7}), Ok("forget 7")).await;
        check(ToolKind::HandOff, json!({"reason": "a refund"}), Ok("hand_off a refund")).await;
        check(ToolKind::HandOff, json!({"reason": 1}), Err("wrong")).await;
    }

    #[test]
    fn the_model_is_told_of_those_that_the_desk_does() {
        for kind in [ToolKind::RemindMe, ToolKind::Remember, ToolKind::Forget, ToolKind::HandOff] {
            let spec = spec(kind).unwrap();
            assert_eq!(spec.schema["type"], "object");
            let required = spec.schema["required"].as_array().unwrap();
            assert!(
                !required.is_empty()
                    && required
                        .iter()
                        .all(|name| spec.schema["properties"].get(name.as_str().unwrap()).is_some())
            );
        }
        assert!(spec(ToolKind::Http).is_none());
    }
}
