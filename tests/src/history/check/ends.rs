//! What became of each message, and what it took.

use std::collections::HashMap;

use super::{Broken, Known, Promise};
use crate::history::{Mark, Meant, Message, Question, words};

/// Looks at a message before it is given up: three.
const TRIES: usize = 3;

impl Known<'_> {
    /// Whether a message that was taken came to what it had to, and to nothing else.
    pub fn end(&self, message: &Message) -> Option<Broken> {
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
            (Meant::Dead | Meant::AnsweredOrDead, Some(_)) => None,
            (_, Some(reason)) if self.was_hit(message) >= TRIES && !reason.contains("given out") => None,
            (_, Some(reason)) => broken(Promise::NothingGivenUp, format!("a dead letter says: {reason}")),
            (Meant::AnsweredAtOnce, None) if turns > 0 => {
                broken(Promise::OneEnd, "it was to be answered beside the turns, and is in one".into())
            }
            (Meant::Stopped, None) if turns == 1 => None,
            (Meant::AnsweredOnce, None) if turns == 1 && self.doubts(&message.conversation) > 0 => None,
            (_, None) if message.meant.needs_turn() && turns == 0 && shown == 0 => {
                broken(Promise::NothingLost, "no turn holds it, nothing was posted".into())
            }
            (_, None) if shown < all => broken(
                Promise::NothingLost,
                format!("{shown} of {all} pieces of its answer were posted, turns that hold it: {turns}"),
            ),
            (_, None) if message.meant.needs_turn() && turns == 0 => {
                broken(Promise::OneEnd, "its answer was posted, and no turn holds it".into())
            }
            _ => None,
        }
    }

    /// How often whoever worked on its conversation was killed or stopped.
    fn was_hit(&self, message: &Message) -> usize {
        self.runs(&message.conversation).iter().filter(|run| !run.whole || run.frozen).count()
    }

    pub fn turns_of_one_message(&self) -> Vec<Broken> {
        let held = self.history.messages.iter().map(|message| (message, self.turns_of(message)));
        held.filter(|(_, turns)| turns.len() > 1)
            .map(|(message, turns)| {
                let numbers: Vec<u32> = turns.iter().map(|turn| turn.number).collect();
                Broken::by(Promise::OneEnd, message, format!("the turns {numbers:?} answer it"))
            })
            .collect()
    }

    /// Questions about messages whose answer was there, unless somebody was stopped before and went on after.
    pub fn asked_again(&self) -> Vec<Broken> {
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
    pub fn refusals(&self) -> Option<Broken> {
        let refused =
            self.history.messages.iter().filter(|message| message.taken && message.meant == Meant::Refused);
        let (refused, counted) = (refused.count() as u64, self.history.refused);
        (refused > counted).then(|| {
            let what = format!("{refused} messages were refused, {counted} were counted");
            Broken::of(Promise::OneEnd, "", "", what)
        })
    }
}
