//! The message of ours that grows while the model writes.

use channel::Grown;
use turn::Draft;

#[derive(Clone)]
pub(crate) struct Message {
    /// The platform's id of it.
    pub posted: String,
    pub grown: Grown,
}

impl From<&Draft> for Message {
    /// What somebody left who was killed.
    fn from(draft: &Draft) -> Message {
        let grown = if draft.stream { Grown::Left } else { Grown::Edited };
        Message { posted: draft.posted.clone(), grown }
    }
}

impl Message {
    /// It says the text now.
    pub fn grew(&mut self, stream: bool, text: &str) {
        let calls = if let Grown::Streamed { calls, .. } = self.grown { calls } else { 0 };
        let streamed = Grown::Streamed { said: Some(text.to_owned()), calls: calls + 1 };
        self.grown = if stream { streamed } else { Grown::Edited };
    }

    /// What the stream says.
    pub fn said(self) -> Option<String> {
        match self.grown {
            Grown::Streamed { said, .. } => said,
            Grown::Edited | Grown::Left => None,
        }
    }
}
