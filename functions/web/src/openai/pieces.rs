//! An answer as it grows, for a program: what was sent cannot be taken back.

use super::{Fault, Head, event};
use crate::{View, Whole};

/// Nothing that was sent can be taken back.
const BEGUN_ANEW: &str = "The answer was begun anew after it broke off. Please try again.";

/// What a program has of an answer.
pub struct Pieces {
    head: Head,
    sent: String,
}

/// What comes next, as server-sent events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    Piece(String),
    /// Nothing new.
    Nothing,
    End(String),
}

impl Pieces {
    pub fn new(head: Head) -> Pieces {
        Pieces { head, sent: String::new() }
    }

    /// What is to be sent of this state of the outbox.
    pub fn next(&mut self, view: &View) -> Next {
        match view.whole() {
            Some(whole) => Next::End(self.end(&whole)),
            None => self.piece(view.draft()).map_or(Next::Nothing, Next::Piece),
        }
    }

    fn end(&mut self, whole: &Whole) -> String {
        if let Some(fault) = whole.fault() {
            return event(&fault.json());
        }
        if !whole.text.starts_with(&self.sent) {
            return event(&Fault::new(503, BEGUN_ANEW).json());
        }
        let rest = self.piece(&whole.text).unwrap_or_default();
        rest + &self.head.end(whole.reason(), &whole.usage())
    }

    /// A draft that was begun anew may come to what was sent again: it is waited for.
    fn piece(&mut self, so_far: &str) -> Option<String> {
        let new = so_far.strip_prefix(self.sent.as_str()).filter(|new| !new.is_empty())?;
        let piece = self.head.piece(new, self.sent.is_empty());
        so_far.clone_into(&mut self.sent);
        Some(piece)
    }
}
