//! What happened in a run, as seen from outside: by the people, by the platforms, by the model, by the operator. [`check`]
//! reads it and says which promises were broken.
//!
//! Times are Unix milliseconds. Ids of messages are the platforms' own, by which duplicates are known.

mod check;
#[cfg(test)]
mod tests;

pub use check::{Broken, Promise, Verdict, check};

/// Everything that is known of a run that has come to rest.
#[derive(Debug, Clone, Default)]
pub struct History {
    pub messages: Vec<Message>,
    /// Texts that people saw, in the order in which they appeared.
    pub posts: Vec<Post>,
    /// The turns in the table.
    pub turns: Vec<Turn>,
    pub questions: Vec<Question>,
    pub runs: Vec<Run>,
    pub letters: Vec<Letter>,
    /// Whatever is not at rest, in words.
    pub left: Vec<String>,
    /// Posts that may stand there twice, as the product counted them.
    pub uncertain: u64,
    /// The conversations in which it said so, once for each such post.
    pub doubts: Vec<String>,
    /// Messages that the product counted as refused.
    pub refused: u64,
}

/// A message as somebody sent it.
#[derive(Debug, Clone)]
pub struct Message {
    pub id: String,
    pub conversation: String,
    /// What it was sent for, for whoever reads of it.
    pub about: String,
    /// What its answer shows, in this order; nothing else does.
    pub marks: Vec<Mark>,
    /// The platform got its 2xx.
    pub taken: bool,
    pub meant: Meant,
}

/// How an answer is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mark {
    /// A word that occurs nowhere else in the run.
    Word(String),
    /// A text that occurs nowhere else in the conversation.
    Phrase(String),
    /// One of several such texts.
    OneOf(&'static [&'static str]),
}

/// What is to become of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meant {
    Answered,
    /// Answered beside the turns: it is in none.
    AnsweredAtOnce,
    Refused,
    /// It kills whoever works on it, or its answer can never be posted.
    Dead,
    /// Answered or dead, as it happens; not both.
    AnsweredOrDead,
    /// Answered, or what is in doubt is left out and counted; nothing is ever shown again.
    AnsweredOnce,
    /// The user stops its answer: what there was of it by then, perhaps nothing.
    Stopped,
}

/// A text that appeared.
#[derive(Debug, Clone)]
pub struct Post {
    pub at: i64,
    /// Where; `None` = nobody wrote there.
    pub conversation: Option<String>,
    pub text: String,
    /// Whoever posted it got no answer.
    pub unanswered: bool,
}

/// A turn in the table.
#[derive(Debug, Clone)]
pub struct Turn {
    pub conversation: String,
    pub number: u32,
    /// Ids, in order.
    pub messages: Vec<String>,
    /// When it was answered, a little before it was committed.
    pub at: i64,
}

/// What the model was asked.
#[derive(Debug, Clone)]
pub struct Question {
    pub at: i64,
    /// What was new in it.
    pub text: String,
}

/// The invoker at work on one queue message.
#[derive(Debug, Clone)]
pub struct Run {
    pub conversation: String,
    pub begun: i64,
    pub ended: i64,
    /// It ended by itself; else it was killed.
    pub whole: bool,
    /// It was stopped in between, and went on later.
    pub frozen: bool,
}

/// A dead letter.
#[derive(Debug, Clone)]
pub struct Letter {
    /// Ids of the messages that it is about.
    pub messages: Vec<String>,
    pub reason: String,
}

impl Meant {
    /// Whether what comes to an answer is in a turn.
    fn needs_turn(self) -> bool {
        !matches!(self, Meant::AnsweredAtOnce | Meant::Refused | Meant::Dead)
    }
}

impl Mark {
    /// Whether the mark is in a text.
    pub fn is_in(&self, text: &str) -> bool {
        match self {
            Mark::Word(word) => words(text).any(|other| other == word),
            Mark::Phrase(phrase) => text.contains(phrase),
            Mark::OneOf(phrases) => phrases.iter().any(|phrase| text.contains(phrase)),
        }
    }
}

impl Run {
    fn covers(&self, at: i64) -> bool {
        self.begun <= at && at <= self.ended
    }
}

/// The words of a text: letters and digits.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty())
}
