//! What a call comes to.

use std::fmt;

use crate::{Error, File};

/// What the model is told about its call.
#[derive(Clone, PartialEq, Eq)]
pub struct ToolResult {
    pub text: String,
    /// The call failed; the text says why, and the model may do better.
    pub is_error: bool,
    /// What it made beside the text. The toolbox takes them out: [`crate::Toolbox::made`].
    pub files: Vec<File>,
}

/// A call that ran, or one that somebody has to agree to first.
#[derive(Clone, PartialEq, Eq)]
pub enum Called {
    Done(ToolResult),
    /// Nothing was done yet. The text says to the person what would be; call again, confirmed, when they agree.
    NeedsConfirmation {
        text: String,
    },
}

impl ToolResult {
    pub fn ok(text: impl Into<String>) -> ToolResult {
        ToolResult { text: text.into(), is_error: false, files: Vec::new() }
    }

    pub fn error(text: impl Into<String>) -> ToolResult {
        ToolResult { text: text.into(), is_error: true, files: Vec::new() }
    }

    /// At most so many bytes, marked where something is missing.
    pub(crate) fn within(self, max_bytes: usize) -> ToolResult {
        ToolResult { text: channel::text::cut(self.text, max_bytes), ..self }
    }
}

impl From<Error> for ToolResult {
    fn from(error: Error) -> ToolResult {
        ToolResult::error(error.to_string())
    }
}

/// Without the text: it is part of a conversation.
impl fmt::Debug for ToolResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToolResult")
            .field("bytes", &self.text.len())
            .field("is_error", &self.is_error)
            .field("files", &self.files.len())
            .finish()
    }
}

impl fmt::Debug for Called {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Called::Done(result) => result.fmt(f),
            Called::NeedsConfirmation { .. } => f.write_str("NeedsConfirmation"),
        }
    }
}
