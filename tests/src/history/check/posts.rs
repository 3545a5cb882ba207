//! What people saw: once, in order, in the right place.

use std::collections::{BTreeSet, HashMap};

use super::{Broken, Known, Promise};
use crate::history::{Mark, Meant, Message, Post, Run, words};

impl<'a> Known<'a> {
    /// Posts that stand there once too often: where nothing hit the post before, and where the doubt was not counted.
    pub fn twice(&self) -> Vec<Broken> {
        let mut broken = Vec::new();
        for (conversation, posts) in &self.posts {
            let mut doubts = self.doubts(conversation);
            for (message, before, at) in self.repeats(conversation, posts) {
                let hit = |run: &&Run| run.covers(before.at) && (!run.whole || run.frozen);
                let in_doubt =
                    before.unanswered || self.runs(conversation).iter().copied().any(|run| hit(&run));
                let why = match (in_doubt, doubts) {
                    _ if message.meant == Meant::AnsweredOnce => "where doubtful posts are left out",
                    (false, _) => "without any doubt",
                    (true, 0) => "a doubt that was not counted",
                    (true, _) => {
                        doubts -= 1;
                        continue;
                    }
                };
                let what = format!("posted at {} and again at {at}: {why}", before.at);
                broken.push(Broken::by(Promise::NothingTwice, message, what));
            }
        }
        broken.extend(self.uncounted());
        broken
    }

    /// Doubts are counted before the post is made: the counter may say more than there were, never less.
    fn uncounted(&self) -> Option<Broken> {
        let (counted, doubts) = (self.history.uncertain, self.history.doubts.len() as u64);
        let what = format!("{doubts} doubtful posts, {counted} counted");
        (counted < doubts).then(|| Broken::of(Promise::NothingTwice, "", "", what))
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
    pub fn elsewhere(&self) -> Vec<Broken> {
        let mut homes: HashMap<&str, &Message> = HashMap::new();
        for message in &self.history.messages {
            let words = message.marks.iter().filter_map(|mark| match mark {
                Mark::Word(word) => Some((word.as_str(), message)),
                Mark::Phrase(_) | Mark::OneOf(_) => None,
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
    pub fn order(&self) -> Vec<Broken> {
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
}
