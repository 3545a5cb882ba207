//! What the model has written so far.

use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

/// The text of an answer under way: the model adds to it, `/stop` keeps it, drafts show it.
#[derive(Default)]
pub(crate) struct Written {
    text: Mutex<String>,
    added: Notify,
}

impl Written {
    pub fn push(&self, piece: &str) {
        self.text.lock().unwrap_or_else(PoisonError::into_inner).push_str(piece);
        self.added.notify_one();
    }

    /// All of it, as of now.
    pub fn text(&self) -> String {
        self.text.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Until there is more than at the last call.
    pub async fn more(&self) {
        self.added.notified().await;
    }
}
