//! What the assistant is to say later at somebody's request, once or again and again: the list of it, which says what is open,
//! and when each comes next. That they come is the work of schedules outside, one for the next time of each.

use jiff::civil::Weekday;
use jiff::{ToSpan as _, Zoned};
use serde::{Deserialize, Serialize};

use crate::calendar;

/// Most reminders of one person that are still to come.
pub const MAX_OPEN: usize = 20;
/// Characters of a reminder's text that the list holds; the schedule has all of it.
pub const MAX_SHOWN: usize = 200;
/// For so long a cancelled one is known as such, milliseconds: its message may wait in a queue.
const CANCELLED_MS: i64 = 14 * 86_400_000;
/// Times of one reminder that are looked through for the next: a year of days, and then some.
const MAX_TIMES: i32 = 800;
/// What ids of the messages begin with that come when a reminder is due.
const DUE: &str = "due-";

/// All reminders of one person.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Reminders {
    #[serde(default)]
    pub v: u32,
    /// Rises with every change.
    #[serde(default)]
    pub rev: u64,
    /// The highest id that was given.
    #[serde(default)]
    pub last_id: u32,
    /// In the order in which they were set.
    #[serde(default)]
    pub reminders: Vec<Reminder>,
}

/// One reminder. Times are Unix milliseconds.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reminder {
    /// From 1.
    pub id: u32,
    /// The same on every try of the turn that set it.
    pub key: String,
    /// Key of the conversation in which it is said.
    pub conversation: String,
    /// Its beginning.
    pub text: String,
    /// When it comes next.
    pub at: i64,
    /// When it comes first.
    pub first: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<Repeat>,
    /// One that repeats ends then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<i64>,
    /// The zone whose clock it follows; UTC unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// It is not wanted any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cancelled: bool,
}

/// How often a reminder comes, at the same time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Repeat {
    Daily,
    /// From Monday to Friday.
    Weekdays,
    Weekly,
    /// On the same day of the month, or its last.
    Monthly,
}

impl Reminders {
    /// Those that are still to come, the next one first.
    pub fn open(&self, now: i64) -> Vec<&Reminder> {
        let mut open: Vec<&Reminder> =
            self.reminders.iter().filter(|reminder| reminder.is_open(now)).collect();
        open.sort_by_key(|reminder| reminder.at);
        open
    }

    /// Whether another one of that key has a place: one that is there already takes none.
    pub fn has_room(&self, key: &str, now: i64) -> bool {
        self.reminders.iter().any(|reminder| reminder.key == key) || self.open(now).len() < MAX_OPEN
    }

    /// Adds it under an id of its own, which is given back, and forgets those that are over. `None`: there is no room.
    pub fn add(&mut self, new: &Reminder, now: i64) -> Option<u32> {
        if let Some(known) = self.reminders.iter().find(|reminder| reminder.key == new.key) {
            return Some(known.id);
        }
        if !self.has_room(&new.key, now) {
            return None;
        }
        self.reminders.retain(|reminder| {
            let known = reminder.cancelled && reminder.at + CANCELLED_MS > now;
            known || reminder.is_open(now)
        });
        self.last_id += 1;
        let text = new.text.chars().take(MAX_SHOWN).collect();
        self.reminders.push(Reminder { id: self.last_id, text, ..new.clone() });
        Some(self.last_id)
    }

    /// Takes back an open one of that id, of that conversation where one is named. It is given back as it was.
    pub fn cancel(&mut self, id: u32, conversation: Option<&str>, now: i64) -> Option<Reminder> {
        let here = |reminder: &Reminder| conversation.is_none_or(|here| reminder.conversation == here);
        let found = self
            .reminders
            .iter_mut()
            .find(|reminder| reminder.id == id && reminder.is_open(now) && here(reminder))?;
        let as_it_was = found.clone();
        found.cancelled = true;
        found.text.clear();
        Some(as_it_was)
    }

    /// The one whose message that is.
    pub fn of_message(&self, id: &str) -> Option<&Reminder> {
        let name = id.strip_prefix(DUE)?;
        let is_of = |reminder: &&Reminder| {
            name.strip_prefix(reminder.key.as_str()).is_some_and(|rest| rest.starts_with('-'))
        };
        self.reminders.iter().find(is_of)
    }

    /// The one of that key comes next at `at`; `None`: it came for the last time.
    pub fn comes_next(&mut self, key: &str, at: Option<i64>) {
        for reminder in self.reminders.iter_mut().filter(|reminder| reminder.key == key) {
            match at {
                Some(at) => reminder.at = at,
                None => reminder.until = Some(reminder.at),
            }
        }
    }

    /// The one of that key comes no more: what it said last was not taken.
    pub fn end(&mut self, key: &str) {
        for reminder in self.reminders.iter_mut().filter(|reminder| reminder.key == key) {
            reminder.cancelled = true;
            reminder.text.clear();
        }
    }

    /// None of them comes any more, and nothing of what they say is kept. How many were to come.
    pub fn cancel_all(&mut self, now: i64) -> usize {
        let open = self.open(now).len();
        for reminder in &mut self.reminders {
            reminder.cancelled = true;
            reminder.text.clear();
        }
        open
    }

    /// From when on nothing of it is of use, Unix milliseconds.
    pub fn useful_until(&self, now: i64) -> i64 {
        let last = |reminder: &Reminder| reminder.at.max(reminder.until.unwrap_or(0));
        self.reminders.iter().map(last).max().unwrap_or(now) + CANCELLED_MS
    }
}

impl Reminder {
    /// Whether it is still to come. One that repeats is between two times, too, until its message was looked at.
    fn is_open(&self, now: i64) -> bool {
        let ends = self.until.filter(|_| self.repeat.is_some()).unwrap_or(self.at);
        !self.cancelled && self.at.max(ends) > now
    }

    /// The name of the schedule of its next time.
    pub fn schedule(&self) -> String {
        format!("{}-{}", self.key, self.at.div_euclid(1_000))
    }

    /// The id of the message that comes then.
    pub fn message(&self) -> String {
        format!("{DUE}{}", self.schedule())
    }

    /// Its first time after `after`, before its end.
    pub fn next(&self, after: i64) -> Option<i64> {
        let (repeat, first) = (self.repeat?, calendar::local(self.first, self.zone.as_deref()));
        for n in 1..=MAX_TIMES {
            let time = repeat.nth(&first, n)?;
            let at = time.timestamp().as_millisecond();
            if self.until.is_some_and(|until| at > until) {
                return None;
            }
            let weekend = matches!(time.weekday(), Weekday::Saturday | Weekday::Sunday);
            if at > after && !(weekend && repeat == Repeat::Weekdays) {
                return Some(at);
            }
        }
        None
    }

    /// As the model is told of it.
    pub fn line(&self) -> String {
        let time = |at: i64| calendar::local(at, self.zone.as_deref());
        let end = self.until.map(|until| format!(" until {}", time(until).strftime("%Y-%m-%d")));
        let repeat = self.repeat.map(|repeat| format!(", {}{}", repeat.name(), end.unwrap_or_default()));
        let at = time(self.at).strftime("%A, %Y-%m-%d %H:%M");
        format!("{}: {at}{}: {}", self.id, repeat.unwrap_or_default(), self.text)
    }
}

/// Without the text: it is part of a conversation.
impl std::fmt::Debug for Reminder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reminder").field("id", &self.id).field("at", &self.at).finish_non_exhaustive()
    }
}

impl Repeat {
    pub const ALL: [Repeat; 4] = [Repeat::Daily, Repeat::Weekdays, Repeat::Weekly, Repeat::Monthly];

    pub fn name(self) -> &'static str {
        match self {
            Repeat::Daily => "daily",
            Repeat::Weekdays => "weekdays",
            Repeat::Weekly => "weekly",
            Repeat::Monthly => "monthly",
        }
    }

    /// Counted from the first time, so that the 31st comes back after a short month. The clock of the wall counts.
    fn nth(self, first: &Zoned, n: i32) -> Option<Zoned> {
        let span = match self {
            Repeat::Daily | Repeat::Weekdays => n.days(),
            Repeat::Weekly => n.weeks(),
            Repeat::Monthly => n.months(),
        };
        first.checked_add(span).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        text.parse::<jiff::Timestamp>().unwrap().as_millisecond()
    }

    fn reminder(key: &str, first: &str, repeat: Option<Repeat>) -> Reminder {
        Reminder {
            id: 0,
            key: key.into(),
            conversation: "here".into(),
            text: "drink tea".into(),
            at: at(first),
            first: at(first),
            repeat,
            until: None,
            zone: Some("Europe/Berlin".into()),
            cancelled: false,
        }
    }

    fn check(repeat: Repeat, first: &str, after: &str, expected: &str) {
        let next = reminder("k", first, Some(repeat)).next(at(after));
        assert_eq!(next, Some(at(expected)), "{repeat:?} {first} {after}");
    }

    #[test]
    fn they_come_at_the_same_time_of_the_wall_clock() {
        // 9:00 in Berlin, over the end of summer time.
        check(Repeat::Daily, "2026-10-24T07:00:00Z", "2026-10-24T07:00:00Z", "2026-10-25T08:00:00Z");
        check(Repeat::Weekly, "2026-10-19T07:00:00Z", "2026-10-20T07:00:00Z", "2026-10-26T08:00:00Z");
        // A Friday; what was missed meanwhile is not made up for.
        check(Repeat::Weekdays, "2026-11-20T08:00:00Z", "2026-11-20T08:00:00Z", "2026-11-23T08:00:00Z");
        check(Repeat::Weekdays, "2026-11-20T08:00:00Z", "2026-12-04T09:00:00Z", "2026-12-07T08:00:00Z");
        check(Repeat::Monthly, "2026-01-31T08:00:00Z", "2026-02-01T00:00:00Z", "2026-02-28T08:00:00Z");
        check(Repeat::Monthly, "2026-01-31T08:00:00Z", "2026-03-01T00:00:00Z", "2026-03-31T07:00:00Z");
    }

    #[test]
    fn they_end() {
        let until = Some(at("2026-11-23T00:00:00Z"));
        let daily = Reminder { until, ..reminder("k", "2026-11-21T08:00:00Z", Some(Repeat::Daily)) };
        assert_eq!(daily.next(daily.at), Some(at("2026-11-22T08:00:00Z")));
        assert_eq!(daily.next(at("2026-11-22T08:00:00Z")), None);
        assert_eq!(reminder("k", "2026-11-21T08:00:00Z", None).next(0), None);
    }

    #[test]
    fn a_person_has_so_many_open_ones_and_sets_each_once() {
        let now = at("2026-11-21T12:00:00Z");
        let mut all = Reminders::default();
        let later =
            |n: usize| Reminder { at: now + 1, ..reminder(&format!("k{n}"), "2026-11-22T08:00:00Z", None) };
        for n in 0..MAX_OPEN {
            assert_eq!(all.add(&later(n), now), u32::try_from(n + 1).ok());
        }
        assert_eq!(all.add(&later(7), now), Some(8), "set already");
        assert_eq!(all.add(&later(99), now), None);
        assert!(all.has_room("k7", now) && !all.has_room("k99", now));
        // What has come makes room, and is forgotten.
        assert_eq!(all.add(&later(99), now + 1), Some(21));
        assert_eq!(all.reminders.len(), 1);
        let long = Reminder { text: "ä".repeat(900), key: "long".into(), ..later(0) };
        all.add(&long, now);
        assert_eq!(all.reminders[1].text.chars().count(), MAX_SHOWN);
    }

    #[test]
    fn cancelled_ones_are_known_for_as_long_as_their_messages_may_wait() {
        let now = at("2026-11-21T12:00:00Z");
        let mut all = Reminders::default();
        let tea = reminder("k", "2026-11-22T08:00:00Z", None);
        assert_eq!(all.add(&tea, now), Some(1));
        assert_eq!(all.cancel(2, None, now), None);
        assert_eq!(all.cancel(1, Some("elsewhere"), now), None);
        assert_eq!(all.cancel(1, Some("here"), now).map(|found| found.text), Some("drink tea".into()));
        assert_eq!(all.cancel(1, None, now), None);
        assert!(all.open(now).is_empty());
        let message = tea.message();
        assert_eq!(message, "due-k-1795334400");
        assert!(all.of_message(&message).is_some_and(|found| found.cancelled && found.text.is_empty()));
        assert_eq!(all.of_message("due-k2-1795334400"), None);
        all.add(&reminder("other", "2026-12-24T08:00:00Z", None), tea.at + CANCELLED_MS - 1);
        assert!(all.of_message(&message).is_some());
        all.add(&reminder("third", "2026-12-24T08:00:00Z", None), tea.at + CANCELLED_MS);
        assert_eq!(all.of_message(&message), None);
    }

    #[test]
    fn the_next_one_is_first_in_the_list() {
        let now = at("2026-11-21T12:00:00Z");
        let mut all = Reminders::default();
        let until = at("2027-11-21T12:00:00Z");
        all.add(
            &Reminder { until: Some(until), ..reminder("a", "2026-11-24T08:00:00Z", Some(Repeat::Weekly)) },
            now,
        );
        all.add(&reminder("b", "2026-11-22T08:00:00Z", None), now);
        let lines: Vec<String> = all.open(now).iter().map(|reminder| reminder.line()).collect();
        let expected = [
            "2: Sunday, 2026-11-22 09:00: drink tea",
            "1: Tuesday, 2026-11-24 09:00, weekly until 2027-11-21: drink tea",
        ];
        assert_eq!(lines, expected);
        assert_eq!(all.useful_until(now), until + CANCELLED_MS);
        // Its time has come, and its message is on the way.
        all.comes_next("a", Some(now));
        assert_eq!(all.open(now)[0].id, 1);
        all.comes_next("a", None);
        assert_eq!(all.open(now).len(), 1);
        all.end("b");
        assert!(all.open(now).is_empty());
    }
}
