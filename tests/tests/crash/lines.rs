//! Messages, the marks by which their answers are known, and what happens to those answers on their way.

use std::time::Duration;

use serde_json::{Value, json};
use tests::history::{Mark, Meant};

use crate::dice::Dice;

/// Longer than what most platforms take in one message, characters; Slack takes more.
const LONG: usize = 9_000;
const LONG_ON_SLACK: usize = 26_000;

/// One message.
#[derive(Debug)]
pub struct Line {
    /// The platform's number of it.
    pub id: String,
    pub text: String,
    pub marks: Vec<Mark>,
    pub meant: Meant,
    /// After the one before it.
    pub pause: Duration,
    pub again: Option<Again>,
}

/// A second delivery of the same message, so much later.
#[derive(Debug, Clone, Copy)]
pub enum Again {
    /// By the platform.
    Event(Duration),
    /// By the queue.
    Job(Duration),
}

impl Line {
    /// A message with so many marks.
    pub fn new(n: usize, i: usize, text: &str, marks: usize) -> Line {
        let marks: Vec<String> = (0..marks).map(|k| mark(n, i, k)).collect();
        Line {
            id: (1_000_000 + n * 100 + i).to_string(),
            text: format!("{text} {}", marks.join(" ")),
            marks: marks.into_iter().map(Mark::Word).collect(),
            meant: Meant::Answered,
            pause: Duration::ZERO,
            again: None,
        }
    }

    /// A message whose echo needs several posts on that channel, each with marks of its own.
    pub fn long(n: usize, i: usize, text: &str, channel: &str) -> Line {
        let chars = if channel == "slack" { LONG_ON_SLACK } else { LONG };
        let paragraph = |k| format!("{} {}", mark(n, i, k), "word ".repeat(60).trim_end());
        let paragraphs: Vec<String> = (0..chars / 310).map(paragraph).collect();
        let line = Line::new(n, i, text, paragraphs.len());
        Line { text: format!("{text}\n\n{}", paragraphs.join("\n\n")), ..line }
    }

    /// So many milliseconds after the one before.
    pub fn after(mut self, ms: u64) -> Line {
        self.pause = Duration::from_millis(ms);
        self
    }
}

/// The word of a scene, a line and a piece of it.
pub fn mark(n: usize, i: usize, k: usize) -> String {
    format!("s{n}l{i}p{k}")
}

fn command(n: usize, i: usize, text: &str, answer: &str) -> Line {
    let marks = vec![Mark::Phrase(answer.to_owned())];
    Line { text: text.to_owned(), marks, ..Line::new(n, i, text, 0) }.after(1_500)
}

pub fn new_over(n: usize, i: usize, text: &str) -> Line {
    command(n, i, text, "Let us start over")
}

pub fn at_once(n: usize, i: usize, text: &str, answer: &str) -> Line {
    Line { meant: Meant::AnsweredAtOnce, ..command(n, i, text, answer) }
}

/// Stops the answer that is being written, if one still is.
pub fn stop(n: usize, i: usize) -> Line {
    let marks = vec![Mark::OneOf(&["Stopped.", "I am not writing anything"])];
    Line { marks, ..at_once(n, i, "/stop", "") }
}

/// The model thinks long about this: so long that lease and token must be renewed.
pub fn slow(mark: &str) -> Value {
    json!({"channel": "model", "delay_ms": 7_000, "holds": mark})
}

/// Telegram refuses posts of this.
pub fn refused(mark: &str, why: &str, times: u32) -> Value {
    let body = json!({"ok": false, "error_code": 400, "description": why});
    json!({"channel": "telegram", "status": 400, "times": times, "holds": mark, "body": body})
}

/// What a platform may do to a post.
pub fn rude(channel: &str, mark: &str, dice: &mut Dice) -> (&'static str, Value) {
    let (about, mut fault) = match dice.below(5) {
        0 => ("too many", json!({"status": 429, "retry_after": 1, "times": 2})),
        1 => ("unavailable", json!({"status": 503})),
        2 => ("done, and its answer lost", json!({"status": 0, "done": true})),
        3 => ("closed before it did anything", json!({"status": 0})),
        _ => ("late", json!({"delay_ms": 4_000})),
    };
    fault["channel"] = channel.into();
    fault["holds"] = mark.into();
    (about, fault)
}
