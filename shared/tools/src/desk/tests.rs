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
        let repeat = reminder.repeat.map(|(repeat, until)| format!(" {} {}", repeat.name(), until - NOW));
        let Reminder { at, text, key, .. } = reminder;
        self.note(format!("remind {} {text} {key}{}", at - NOW, repeat.unwrap_or_default()))
    }
    async fn list_reminders(&self) -> Result<String, String> {
        self.note("list".to_owned())
    }
    async fn cancel_reminder(&self, id: &str) -> Result<String, String> {
        self.note(format!("cancel {id}"))
    }
    async fn hand_off(&self, reason: &str) -> Result<String, String> {
        self.note(format!("hand_off {reason}"))
    }
}

async fn check(act: Act, arguments: Value, expected: Result<&str, &str>) {
    let desk = Asked::default();
    let zone = TimeZone::fixed(offset(1));
    let result = call(act, arguments.clone(), &desk, &zone, "k1", NOW).await;
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
    check(Act::Remind, remind("2026-11-21T15:00"), Ok("remind 7200000 tea k1")).await;
    check(Act::Remind, remind("2026-11-21T15:00:00"), Ok("remind 7200000 tea k1")).await;
    check(Act::Remind, remind("2026-11-21 15:00"), Ok("remind 7200000 tea k1")).await;
    check(Act::Remind, remind("2026-11-21T15:00:00Z"), Ok("remind 10800000 tea k1")).await;
    check(Act::Remind, remind("2026-11-21T15:00-05:00"), Ok("remind 28800000 tea k1")).await;
    check(Act::Remind, remind("2026-11-21T13:00"), Err("it is 2026-11-21T13:00+01:00 now")).await;
    check(Act::Remind, remind("2027-12-24T12:00"), Err("more than a year")).await;
    check(Act::Remind, remind("in two hours"), Err("is no time")).await;
    check(Act::Remind, json!({"when": "2026-11-21T15:00"}), Err("missing field `text`")).await;
    check(Act::Remind, json!({"when": "2026-11-21T15:00", "text": " "}), Err("empty")).await;
}

#[tokio::test]
async fn reminders_repeat_for_a_year_at_most() {
    let remind = |repeat: Value, until: Value| json!({"when": "2026-11-21T15:00", "text": "tea", "repeat": repeat, "until": until});
    let year = 7_200_000 + 366 * 86_400_000_i64;
    let daily = format!("remind 7200000 tea k1 daily {year}");
    check(Act::Remind, remind(json!("daily"), json!(null)), Ok(&daily)).await;
    check(Act::Remind, remind(json!("daily"), json!("2030-01-01")), Ok(&daily)).await;
    // To the end of that day.
    check(
        Act::Remind,
        remind(json!("weekly"), json!("2026-11-28")),
        Ok("remind 7200000 tea k1 weekly 644399000"),
    )
    .await;
    check(
        Act::Remind,
        remind(json!("monthly"), json!("2026-12-31T15:00Z")),
        Ok("remind 7200000 tea k1 monthly 3466800000"),
    )
    .await;
    for once in [json!(null), json!(""), json!("none")] {
        check(Act::Remind, remind(once, json!("2026-11-28")), Ok("remind 7200000 tea k1")).await;
    }
    check(
        Act::Remind,
        remind(json!("hourly"), json!(null)),
        Err("there is daily, weekdays, weekly, monthly"),
    )
    .await;
    check(Act::Remind, remind(json!("daily"), json!("2026-11-20")), Err("ends before")).await;
    check(Act::Remind, remind(json!("daily"), json!("soon")), Err("is no time")).await;
}

#[tokio::test]
async fn what_is_set_can_be_listed_and_taken_back() {
    check(Act::ListReminders, json!({}), Ok("list")).await;
    check(Act::CancelReminder, json!({"id": "3"}), Ok("cancel 3")).await;
    check(Act::CancelReminder, json!({"id": 3}), Ok("cancel 3")).await;
    check(Act::CancelReminder, json!({}), Err("missing field `id`")).await;
}

#[tokio::test]
async fn notes_and_hand_offs() {
    check(Act::Remember, json!({"text": "likes tea"}), Ok("remember likes tea")).await;
    check(Act::Remember, json!({"text": "x".repeat(2_001)}), Err("shorter")).await;
    check(Act::Forget, json!({"id": "7"}), Ok("forget 7")).await;
    check(Act::Forget, json!({"id": 7}), Ok("forget 7")).await;
    check(Act::HandOff, json!({"reason": "a refund"}), Ok("hand_off a refund")).await;
    check(Act::HandOff, json!({"reason": 1}), Err("wrong")).await;
}

#[test]
fn the_model_is_told_of_those_that_the_desk_does() {
    let mut names = Vec::new();
    for kind in [ToolKind::RemindMe, ToolKind::Remember, ToolKind::Forget, ToolKind::HandOff] {
        for spec in acts(kind).iter().map(|act| act.spec()) {
            assert_eq!(spec.schema["type"], "object");
            let required = spec.schema["required"].as_array().unwrap();
            let known = |name: &Value| spec.schema["properties"].get(name.as_str().unwrap()).is_some();
            assert!(required.iter().all(known), "{}", spec.name);
            names.push(spec.name);
        }
    }
    assert_eq!(names, ["remind_me", "list_reminders", "cancel_reminder", "remember", "forget", "hand_off"]);
    assert!(acts(ToolKind::Http).is_empty());
}
