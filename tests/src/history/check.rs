//! The promises, held against a history. Nothing here knows how the product works inside.

mod ends;
mod posts;

use std::collections::{BTreeMap, HashMap};

use super::{History, Mark, Message, Post, Run, Turn};

/// What a history comes to.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    pub broken: Vec<Broken>,
    /// Messages that were taken and came to nothing.
    pub lost: usize,
    /// Posts that stand there once too often, and whose doubt nobody counted.
    pub twice: usize,
    /// Posts that may stand there twice, as the product itself counted them.
    pub uncertain: u64,
}

/// A promise that was not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    pub promise: Promise,
    pub conversation: String,
    /// The message, where it is one.
    pub message: String,
    pub what: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Promise {
    /// Every message that was taken comes to something.
    NothingLost,
    /// And to one thing only.
    OneEnd,
    /// A reply stands there once, unless in doubt and counted.
    NothingTwice,
    /// Parts and turns in order, in their own conversation.
    Order,
    /// An answer that is there is not asked for again.
    AskedOnce,
    /// Only what fails again and again is given up.
    NothingGivenUp,
    /// Nothing stays behind.
    Rest,
}

/// Holds the promises against a history.
pub fn check(history: &History) -> Verdict {
    let known = Known::of(history);
    let mut verdict = Verdict { uncertain: history.uncertain, ..Verdict::default() };
    let mut broken = Vec::new();
    for message in history.messages.iter().filter(|message| message.taken) {
        broken.extend(known.end(message));
    }
    verdict.lost = count(&broken, Promise::NothingLost);
    broken.extend(known.turns_of_one_message());
    broken.extend(known.twice());
    verdict.twice = count(&broken, Promise::NothingTwice);
    broken.extend(known.elsewhere());
    broken.extend(known.order());
    broken.extend(known.asked_again());
    broken.extend(known.refusals());
    broken.extend(history.left.iter().map(|left| Broken::of(Promise::Rest, "", "", left.clone())));
    verdict.broken = broken;
    verdict
}

fn count(broken: &[Broken], promise: Promise) -> usize {
    broken.iter().filter(|broken| broken.promise == promise).count()
}

impl Broken {
    fn of(promise: Promise, conversation: &str, message: &str, what: impl Into<String>) -> Broken {
        Broken { promise, conversation: conversation.into(), message: message.into(), what: what.into() }
    }

    fn by(promise: Promise, message: &Message, what: impl Into<String>) -> Broken {
        Broken::of(promise, &message.conversation, &message.id, what)
    }
}

/// A history with its parts put together.
struct Known<'a> {
    history: &'a History,
    /// Posts by conversation, in order.
    posts: BTreeMap<&'a str, Vec<&'a Post>>,
    /// By conversation, oldest first.
    turns: BTreeMap<&'a str, Vec<&'a Turn>>,
    runs: BTreeMap<&'a str, Vec<&'a Run>>,
    /// By conversation and id.
    messages: HashMap<(&'a str, &'a str), &'a Message>,
    /// Ids of messages in dead letters, with the reasons.
    dead: HashMap<&'a str, &'a str>,
}

impl<'a> Known<'a> {
    fn of(history: &'a History) -> Known<'a> {
        let mut known = Known {
            history,
            posts: BTreeMap::new(),
            turns: BTreeMap::new(),
            runs: BTreeMap::new(),
            messages: HashMap::new(),
            dead: HashMap::new(),
        };
        for post in &history.posts {
            known.posts.entry(post.conversation.as_deref().unwrap_or_default()).or_default().push(post);
        }
        for turn in &history.turns {
            known.turns.entry(&turn.conversation).or_default().push(turn);
        }
        for turns in known.turns.values_mut() {
            turns.sort_by_key(|turn| turn.number);
        }
        for run in &history.runs {
            known.runs.entry(&run.conversation).or_default().push(run);
        }
        for message in &history.messages {
            known.messages.insert((&message.conversation, &message.id), message);
        }
        for letter in &history.letters {
            known.dead.extend(letter.messages.iter().map(|id| (id.as_str(), letter.reason.as_str())));
        }
        known
    }

    fn posts(&self, conversation: &str) -> &[&'a Post] {
        self.posts.get(conversation).map(Vec::as_slice).unwrap_or_default()
    }

    fn runs(&self, conversation: &str) -> &[&'a Run] {
        self.runs.get(conversation).map(Vec::as_slice).unwrap_or_default()
    }

    /// How often the product said that a post in the conversation may or may not stand there.
    fn doubts(&self, conversation: &str) -> usize {
        self.history.doubts.iter().filter(|doubt| *doubt == conversation).count()
    }

    /// The turns that hold a message.
    fn turns_of(&self, message: &Message) -> Vec<&'a Turn> {
        let turns = self.turns.get(message.conversation.as_str()).map(Vec::as_slice).unwrap_or_default();
        turns.iter().filter(|turn| turn.messages.contains(&message.id)).copied().collect()
    }

    /// Where in its conversation a mark was first seen.
    fn first(&self, conversation: &str, mark: &Mark) -> Option<usize> {
        self.posts(conversation).iter().position(|post| mark.is_in(&post.text))
    }
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Broken { promise, conversation, message, what } = self;
        write!(f, "{promise:?}: ")?;
        if !message.is_empty() {
            write!(f, "message {message} in {conversation}: ")?;
        }
        write!(f, "{what}")
    }
}
