//! The promises, held against a history. Nothing here knows how the product works inside.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{History, Mark, Meant, Message, Post, Question, Run, Turn, words};

/// Looks at a message before it is given up: three.
const TRIES: usize = 3;

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

    /// The turns that hold a message.
    fn turns_of(&self, message: &Message) -> Vec<&'a Turn> {
        let turns = self.turns.get(message.conversation.as_str()).map(Vec::as_slice).unwrap_or_default();
        turns.iter().filter(|turn| turn.messages.contains(&message.id)).copied().collect()
    }

    /// Where in its conversation a mark was first seen.
    fn first(&self, conversation: &str, mark: &Mark) -> Option<usize> {
        self.posts(conversation).iter().position(|post| mark.is_in(&post.text))
    }

    /// Whether a message that was taken came to what it had to, and to nothing else.
    fn end(&self, message: &Message) -> Option<Broken> {
        let broken = |promise, what: String| Some(Broken::by(promise, message, what));
        let shown = message.marks.iter().filter(|mark| self.first(&message.conversation, mark).is_some());
        let (shown, all) = (shown.count(), message.marks.len());
        let turns = self.turns_of(message).len();
        let dead = self.dead.get(message.id.as_str());
        match (message.meant, dead) {
            (Meant::Refused, _) if shown > 0 || turns > 0 || dead.is_some() => {
                broken(Promise::OneEnd, "it was refused, and is answered or a dead letter too".into())
            }
            (Meant::Refused, _) => None,
            (Meant::Dead, None) => broken(Promise::NothingLost, "no dead letter tells of it".into()),
            (_, Some(_)) if shown == all => {
                broken(Promise::OneEnd, "it is answered, and a dead letter too".into())
            }
            (Meant::Dead, Some(_)) => None,
            (_, Some(reason)) if self.was_hit(message) >= TRIES && !reason.contains("given out") => None,
            (_, Some(reason)) => broken(Promise::NothingGivenUp, format!("a dead letter says: {reason}")),
            (Meant::AnsweredAtOnce, None) if turns > 0 => {
                broken(Promise::OneEnd, "it was to be answered beside the turns, and is in one".into())
            }
            (Meant::Answered, None) if turns == 0 && shown == 0 => {
                broken(Promise::NothingLost, "no turn holds it, nothing was posted".into())
            }
            (_, None) if shown < all => broken(
                Promise::NothingLost,
                format!("{shown} of {all} pieces of its answer were posted, turns that hold it: {turns}"),
            ),
            (Meant::Answered, None) if turns == 0 => {
                broken(Promise::OneEnd, "its answer was posted, and no turn holds it".into())
            }
            _ => None,
        }
    }

    /// How often whoever worked on its conversation was killed or stopped.
    fn was_hit(&self, message: &Message) -> usize {
        self.runs(&message.conversation).iter().filter(|run| !run.whole || run.frozen).count()
    }

    fn turns_of_one_message(&self) -> Vec<Broken> {
        let held = self.history.messages.iter().map(|message| (message, self.turns_of(message)));
        held.filter(|(_, turns)| turns.len() > 1)
            .map(|(message, turns)| {
                let numbers: Vec<u32> = turns.iter().map(|turn| turn.number).collect();
                Broken::by(Promise::OneEnd, message, format!("the turns {numbers:?} answer it"))
            })
            .collect()
    }

    /// Posts that stand there once too often: where nothing hit the post before, and where the doubt was not counted.
    fn twice(&self) -> Vec<Broken> {
        let (mut broken, mut doubtful) = (Vec::new(), 0);
        for (conversation, posts) in &self.posts {
            for (message, before, at) in self.repeats(conversation, posts) {
                let hit = |run: &&&Run| run.covers(before.at) && (!run.whole || run.frozen);
                if before.unanswered || self.runs(conversation).iter().any(|run| hit(&run)) {
                    doubtful += 1;
                    if doubtful > self.history.uncertain {
                        let what = format!("posted again at {at}: a doubt that was not counted");
                        broken.push(Broken::by(Promise::NothingTwice, message, what));
                    }
                } else {
                    let what = format!("posted at {} and again at {at}, without any doubt", before.at);
                    broken.push(Broken::by(Promise::NothingTwice, message, what));
                }
            }
        }
        broken
    }

    /// Posts that show again what one before them did: the message, that one before, the time of the repeat.
    fn repeats(&self, conversation: &str, posts: &[&'a Post]) -> Vec<(&'a Message, &'a Post, i64)> {
        let mut marks: Vec<(&Mark, &Message)> = Vec::new();
        for message in self.history.messages.iter().filter(|message| message.conversation == conversation) {
            marks.extend(message.marks.iter().map(|mark| (mark, message)));
        }
        let mut last: HashMap<usize, &Post> = HashMap::new();
        let mut repeats = Vec::new();
        for post in posts {
            let held = marks.iter().enumerate().filter(|(_, (mark, _))| mark.is_in(&post.text));
            let held: Vec<(usize, &Message)> = held.map(|(n, (_, message))| (n, *message)).collect();
            let again = held.iter().find_map(|(n, message)| Some((*message, *last.get(n)?, post.at)));
            repeats.extend(again);
            last.extend(held.iter().map(|(n, _)| (*n, *post)));
        }
        repeats
    }

    /// Answers in a conversation that they are not for.
    fn elsewhere(&self) -> Vec<Broken> {
        let mut homes: HashMap<&str, &Message> = HashMap::new();
        for message in &self.history.messages {
            let words = message.marks.iter().filter_map(|mark| match mark {
                Mark::Word(word) => Some((word.as_str(), message)),
                Mark::Phrase(_) => None,
            });
            homes.extend(words);
        }
        let mut broken = Vec::new();
        for post in &self.history.posts {
            let strays: BTreeSet<(&str, &str)> = words(&post.text)
                .filter_map(|word| homes.get(word))
                .filter(|message| post.conversation.as_ref() != Some(&message.conversation))
                .map(|message| (message.conversation.as_str(), message.id.as_str()))
                .collect();
            broken.extend(strays.into_iter().map(|(conversation, id)| {
                Broken::of(Promise::Order, conversation, id, "its answer appeared in another conversation")
            }));
        }
        broken
    }

    /// Turns are posted in the order of their numbers, a turn's parts in theirs.
    fn order(&self) -> Vec<Broken> {
        let mut broken = Vec::new();
        for (conversation, turns) in &self.turns {
            let mut furthest = 0;
            for turn in turns {
                let held =
                    turn.messages.iter().filter_map(|id| self.messages.get(&(*conversation, id.as_str())));
                for message in held {
                    let firsts = message.marks.iter().filter_map(|mark| self.first(conversation, mark));
                    for first in firsts {
                        if first < furthest {
                            let what =
                                format!("turn {}: a piece was posted before what it follows", turn.number);
                            broken.push(Broken::by(Promise::Order, message, what));
                        }
                        furthest = furthest.max(first);
                    }
                }
            }
        }
        broken
    }

    /// Questions about messages whose answer was there, unless somebody was stopped before and went on after.
    fn asked_again(&self) -> Vec<Broken> {
        let mut answered: HashMap<&str, (&Message, i64)> = HashMap::new();
        for message in &self.history.messages {
            if let (Some(Mark::Word(word)), Some(turn)) =
                (message.marks.first(), self.turns_of(message).first())
            {
                answered.insert(word, (message, turn.at));
            }
        }
        let excused = |message: &Message, at: i64, question: &Question| {
            let runs = self.runs(&message.conversation);
            runs.iter().any(|run| run.frozen && run.begun <= at && run.covers(question.at))
        };
        let mut broken = Vec::new();
        for question in &self.history.questions {
            let late = words(&question.text)
                .filter_map(|word| answered.get(word))
                .find(|(message, at)| question.at > *at && !excused(message, *at, question));
            if let Some((message, at)) = late {
                let what = format!("answered at {at}, and the model was asked again at {}", question.at);
                broken.push(Broken::by(Promise::AskedOnce, message, what));
            }
        }
        broken
    }

    /// Whoever is refused is counted. A kill between counting and writing it down counts twice.
    fn refusals(&self) -> Option<Broken> {
        let refused =
            self.history.messages.iter().filter(|message| message.taken && message.meant == Meant::Refused);
        let (refused, counted) = (refused.count() as u64, self.history.refused);
        (refused > counted).then(|| {
            let what = format!("{refused} messages were refused, {counted} were counted");
            Broken::of(Promise::OneEnd, "", "", what)
        })
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
