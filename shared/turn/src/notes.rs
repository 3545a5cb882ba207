//! What is remembered of a person for good: in 1:1 chats, in their own words or the model's.

use crate::prompt::Estimate;
use crate::state::{Note, Notes};

/// Most notes about one person.
pub const MAX_NOTES: usize = 100;
/// Most characters of a note; the rest is cut.
pub const MAX_CHARS: usize = 500;

impl Notes {
    /// Adds a note and says what it is; `None` where there is no room. What is there in the same words is not added again.
    pub fn add(&mut self, text: &str, now: i64) -> Option<Note> {
        let text = one_line(text);
        if let Some(known) = self.notes.iter().find(|note| note.text == text) {
            return Some(known.clone());
        }
        if self.notes.len() >= MAX_NOTES || text.is_empty() {
            return None;
        }
        self.last_id += 1;
        let note = Note { id: self.last_id, text, at: now };
        self.notes.push(note.clone());
        Some(note)
    }

    /// Removes the note of that id; `false` where there is none.
    pub fn remove(&mut self, id: u32) -> bool {
        let before = self.notes.len();
        self.notes.retain(|note| note.id != id);
        self.notes.len() < before
    }

    /// The part that stands in every prompt: the newest notes within `budget` tokens, oldest first, each with its id. Empty where there
    /// is none.
    pub fn for_prompt(&self, budget: u32, estimate: Estimate) -> String {
        let mut left = budget;
        let mut lines = Vec::new();
        for note in self.notes.iter().rev() {
            let line = listed(note);
            let Some(rest) = left.checked_sub(estimate(&line)) else { break };
            left = rest;
            lines.push(line);
        }
        lines.reverse();
        lines.join("\n")
    }

    /// The answer to `/memory`. `more` can be remembered here.
    pub fn list(&self, more: bool) -> String {
        if self.notes.is_empty() {
            let invitation = if more { " Tell me what to remember, and I will." } else { "" };
            return format!("I remember nothing about you.{invitation}");
        }
        let lines: Vec<String> = self.notes.iter().map(listed).collect();
        format!("I remember about you:\n\n{}\n\n`/forget <number>` makes me forget one.", lines.join("\n"))
    }
}

fn listed(note: &Note) -> String {
    format!("- {}: {}", note.id, note.text)
}

/// A note is a line of a list: line breaks would look like further ones.
fn one_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(MAX_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notes(texts: &[&str]) -> Notes {
        let mut notes = Notes::default();
        for text in texts {
            notes.add(text, 7);
        }
        notes
    }

    #[test]
    fn notes_are_numbered_once_and_bounded() {
        let mut notes = notes(&["likes tea", "has\ntwo  cats", "likes tea"]);
        let ids: Vec<(u32, &str)> = notes.notes.iter().map(|note| (note.id, note.text.as_str())).collect();
        assert_eq!(ids, [(1, "likes tea"), (2, "has two cats")]);
        assert!(notes.remove(2) && !notes.remove(2));
        assert_eq!(notes.add("is called Ana", 8).map(|note| note.id), Some(3));
        assert_eq!(notes.add(" \n", 8), None);
        assert_eq!(notes.add(&"ä".repeat(900), 8).map(|note| note.text.chars().count()), Some(MAX_CHARS));
        for n in 0..200 {
            notes.add(&format!("fact {n}"), 9);
        }
        assert_eq!(notes.notes.len(), MAX_NOTES);
        assert_eq!(notes.add("one more", 9), None);
        assert_eq!(notes.add("likes tea", 9).map(|note| note.id), Some(1), "known already");
    }

    fn check(texts: &[&str], budget: u32, expected: &str) {
        let bytes = |text: &str| u32::try_from(text.len()).unwrap();
        assert_eq!(notes(texts).for_prompt(budget, bytes), expected, "{budget}");
    }

    #[test]
    fn the_newest_notes_stand_in_the_prompt() {
        check(&[], 100, "");
        check(&["a", "b", "c"], 100, "- 1: a\n- 2: b\n- 3: c");
        check(&["a", "b", "c"], 12, "- 2: b\n- 3: c");
        check(&["a", "b", "c"], 5, "");
    }
}
