//! What the model has written so far.

use std::sync::{Mutex, PoisonError};

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
        self.with(|text| text.gap = !text.all.trim().is_empty());
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

    /// Until there is more than at the last call.
    pub async fn more(&self) {
        self.added.notified().await;
    }

    fn with<T>(&self, act: impl FnOnce(&mut Text) -> T) -> T {
        act(&mut self.text.lock().unwrap_or_else(PoisonError::into_inner))
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
}
