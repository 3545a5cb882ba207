//! What was recorded of one showing of a promise.

use model_invoker::channels;
use serde_json::Value;

use super::promise::Show;
use super::record::All;
use super::seen::{Ack, Appeared, Delivery, Given, turns};
use super::verdict::Promise;

/// What was recorded since the button was pressed.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// The webhook's answers.
    pub acks: Vec<Ack>,
    /// Ids of the messages.
    pub messages: Vec<String>,
    /// What went from the queue to the invoker.
    pub given: Vec<Given>,
    /// The messages of each turn, and when it was posted.
    pub turns: Vec<(Vec<String>, Option<i64>)>,
    /// What appeared in the chat.
    pub appeared: Vec<Appeared>,
    /// When the platform was called to show a message, and what it answered.
    pub posts: Vec<(i64, u16)>,
    /// The process that was killed, and when; the second once it is known to have died of it.
    pub killed: Option<(u32, i64)>,
    pub died: bool,
    /// When the first event was sent.
    pub sent_at: i64,
    /// The refusal that everybody gets, and why the log says it was given.
    pub refusal: (u16, String),
    pub why: Option<String>,
}

impl Facts {
    /// What was recorded since the button was pressed.
    pub fn of(show: &Show, all: &All) -> Facts {
        let ours: Vec<&Delivery> = all
            .deliveries
            .iter()
            .filter(|sent| sent.n > show.before && sent.chat == show.chat)
            .take(if show.promise == Promise::Five { 5 } else { 2 })
            .collect();
        let mut messages: Vec<String> = ours.iter().filter_map(|sent| sent.message.clone()).collect();
        messages.sort_unstable();
        messages.dedup();
        let field =
            |line: &Value, name: &str| line.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let of_channel = all.lines.iter().filter(|line| field(line, "channel") == show.chat.channel);
        let mut seen: Vec<(u32, Vec<String>, Option<i64>)> = Vec::new();
        for turn in of_channel
            .clone()
            .flat_map(turns)
            .filter(|turn| turn.messages.iter().any(|id| messages.contains(id)))
        {
            match seen.iter_mut().find(|(number, of, _)| *number == turn.number && *of == turn.messages) {
                Some((.., posted)) => *posted = posted.or(turn.posted_at),
                None => seen.push((turn.number, turn.messages, turn.posted_at)),
            }
        }
        let posts = all.calls.iter().filter(|called| {
            let at_us = called.call.status == 429 || called.call.said.is_some();
            called.call.channel == show.chat.channel && called.call.at >= show.sent_at && at_us
        });
        let rejected = |line: &&Value| field(line, "verdict") == "forged" && logged_at(line) >= show.sent_at;
        let reject = channels::named(&show.chat.channel).map(|room| room.spec().reject);
        Facts {
            acks: ours.iter().filter_map(|sent| sent.ack.clone()).collect(),
            given: all.given.iter().filter(|given| messages.contains(&given.message)).cloned().collect(),
            turns: seen.into_iter().map(|(_, messages, posted)| (messages, posted)).collect(),
            appeared: all
                .appeared
                .iter()
                .filter(|appeared| appeared.chat == show.chat && appeared.at >= show.sent_at)
                .cloned()
                .collect(),
            posts: posts.map(|called| (called.call.at, called.call.status)).collect(),
            killed: show.killed,
            died: show.killed.is_some_and(|(pid, _)| all.ended.contains(&(pid, Some(9)))),
            sent_at: show.sent_at,
            refusal: reject.map_or((0, String::new()), |reject| (reject.status, reject.body.to_owned())),
            why: of_channel.clone().filter(rejected).map(|line| field(line, "why")).next(),
            messages,
        }
    }

    /// Every message is answered, and the answer is there.
    pub fn is_answered(&self) -> bool {
        !self.messages.is_empty() && self.messages.iter().all(|id| self.answers(id) > 0)
    }

    /// Nothing more can come of it: every queue message is done with.
    pub fn is_settled(&self) -> bool {
        self.unfinished() == 0
    }

    /// Queue messages that are not done with, or have not come out of the queue yet.
    fn unfinished(&self) -> usize {
        let mut jobs: Vec<&str> = self.given.iter().map(|given| given.job.as_str()).collect();
        jobs.sort_unstable();
        jobs.dedup();
        let done = |job: &&&str| {
            let last = self.given.iter().rev().find(|given| given.job == ***job);
            last.is_some_and(|given| {
                given.over_at.is_some() && given.outcome.as_deref() == Some("Acknowledged")
            })
        };
        let sent = self.acks.iter().filter(|ack| ack.taken).count();
        sent.max(jobs.len()).saturating_sub(jobs.iter().filter(done).count())
    }

    /// How many posted turns answer the message.
    pub fn answers(&self, id: &str) -> usize {
        let answers = |(messages, posted): &&(Vec<String>, Option<i64>)| {
            posted.is_some() && messages.iter().any(|message| message == id)
        };
        self.turns.iter().filter(answers).count()
    }

    pub fn posted_at(&self) -> Option<i64> {
        self.turns.iter().filter_map(|(_, posted)| *posted).max()
    }

    /// The text that appeared most often, how often.
    pub fn copies(&self) -> usize {
        let times = |one: &Appeared| self.appeared.iter().filter(|other| other.html == one.html).count();
        self.appeared.iter().map(times).max().unwrap_or_default()
    }

    /// Each message has one answer, and no answer appeared twice.
    pub fn once(&self) -> bool {
        let turns = self.turns.iter().filter(|(_, posted)| posted.is_some()).count();
        self.messages.iter().all(|id| self.answers(id) == 1) && (1..=turns).contains(&self.copies())
    }

    pub fn acked(&self) -> String {
        let statuses: Vec<String> = self.acks.iter().map(|ack| ack.status.to_string()).collect();
        let slowest = self.acks.iter().map(|ack| ack.ms).max().unwrap_or_default();
        match statuses.len() {
            1 => format!("the webhook answered {} in {slowest} ms", statuses.join("")),
            _ => format!("the webhook answered {}, the slowest in {slowest} ms", statuses.join(", ")),
        }
    }

    pub fn waiting(&self) -> String {
        match self.unfinished() {
            0 => String::new(),
            1 => {
                " One queue message looks once more, within a minute: a second answer would be told of here."
                    .to_owned()
            }
            n => format!(
                " {n} queue messages look once more, within a minute: a second answer would be told of here."
            ),
        }
    }
}

/// Unix milliseconds; 0 where the line does not say.
fn logged_at(line: &Value) -> i64 {
    let text = line.get("timestamp").and_then(Value::as_str).unwrap_or_default();
    ctl::parse_time(text).unwrap_or_default()
}
