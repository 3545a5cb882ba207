//! What the model has written so far.

use std::sync::{Mutex, PoisonError};

use model::Sink;
use tokio::sync::Notify;

/// The text of an answer under way: the model adds to it, `/stop` keeps it, drafts show it.
#[derive(Default)]
pub(crate) struct Written {
    text: Mutex<Text>,
    added: Notify,
}

#[derive(Default)]
struct Text {
    all: String,
    /// What comes next begins a new paragraph.
    gap: bool,
    /// Where the paragraph that is being written began.
    begun: usize,
    /// Up to where somebody may have seen it.
    shown: usize,
}

impl Written {
    pub fn push(&self, piece: &str) {
        self.with(|text| {
            if text.gap && !piece.trim().is_empty() {
                text.gap = false;
                text.all.push_str("\n\n");
            }
            text.all.push_str(piece);
        });
        self.added.notify_one();
    }

    /// What is pushed next stands apart from what is there.
    pub fn begin_paragraph(&self) {
        self.with(|text| {
            text.gap = !text.all.trim().is_empty();
            text.begun = text.all.len();
        });
    }

    /// Adds a paragraph of its own.
    pub fn paragraph(&self, line: &str) {
        self.begin_paragraph();
        self.push(line);
    }

    /// All of it, as of now.
    pub fn text(&self) -> String {
        self.with(|text| text.all.clone())
    }

    /// All of it, to be shown: none of it can be taken back.
    pub fn to_show(&self) -> String {
        self.with(|text| {
            text.shown = text.all.len();
            text.all.clone()
        })
    }

    /// Takes back the paragraph that was begun last, unless somebody may have seen some of it.
    pub fn take_back(&self) -> bool {
        self.with(|text| {
            let unseen = text.shown <= text.begun;
            if unseen {
                text.all.truncate(text.begun);
                text.gap = !text.all.trim().is_empty();
            }
            unseen
        })
    }

    /// Until there is more than at the last call.
    pub async fn more(&self) {
        self.added.notified().await;
    }

    fn with<T>(&self, act: impl FnOnce(&mut Text) -> T) -> T {
        act(&mut self.text.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Sink for &Written {
    fn push(&mut self, piece: &str) {
        Written::push(self, piece);
    }

    fn take_back(&mut self) -> bool {
        Written::take_back(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_paragraphs() {
        let written = Written::default();
        written.begin_paragraph();
        for piece in ["I will ", "look."] {
            written.push(piece);
        }
        written.begin_paragraph();
        written.push("");
        written.push("It rains");
        written.push(".");
        written.paragraph("*(the end)*");
        assert_eq!(written.text(), "I will look.\n\nIt rains.\n\n*(the end)*");
    }
    #[test]
    fn what_nobody_saw_is_taken_back() {
        let written = Written::default();
        written.begin_paragraph();
        written.push("I will look.");
        assert_eq!(written.to_show(), "I will look.");
        assert!(!written.take_back(), "it was shown");
        written.begin_paragraph();
        written.push("It ra");
        assert!(written.take_back());
        written.push("It snows.");
        assert_eq!(written.text(), "I will look.\n\nIt snows.");
        written.to_show();
        assert!(!written.take_back());
        assert_eq!(written.text(), "I will look.\n\nIt snows.");
    }
}
