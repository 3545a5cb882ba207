//! What is known of one ask of a chain so far.

use std::cmp::Ordering;
use std::time::Instant;

use crate::{Answer, Ask, Error, Usage, tokens};

pub(super) struct Attempt {
    pub deadline: Instant,
    /// Made so far.
    pub calls: u32,
    /// What answers that broke off and were taken back may have cost.
    wasted: Usage,
    /// The error to return if nobody answers.
    pub kept: Option<Error>,
}

impl Attempt {
    pub fn new(deadline: Instant) -> Self {
        Self { deadline, calls: 0, wasted: Usage::default(), kept: None }
    }

    pub fn counted(&self, answer: Answer, entry: &str) -> Answer {
        let Usage { input, output, cached, reasoning } = answer.usage;
        let input = input.saturating_add(self.wasted.input);
        let output = output.saturating_add(self.wasted.output);
        let usage = Usage { input, output, cached, reasoning };
        Answer { calls_made: self.calls, entry: entry.to_owned(), usage, ..answer }
    }

    /// The text was taken back. The provider's own count of it never came.
    pub fn waste(&mut self, ask: &Ask, text: &str) {
        self.wasted.input = self.wasted.input.saturating_add(tokens::of_question(ask));
        self.wasted.output = self.wasted.output.saturating_add(tokens::estimate_tokens(text));
    }

    /// Of two models' errors the caller gets the one of which most can be made: half an answer, then what may pass by
    /// itself, then what another question would not meet. Else the first model's, which is the one to repair.
    pub fn keep(&mut self, error: Error) {
        let hope = |error: &Error| match error {
            Error::Interrupted { .. } => 3,
            Error::Busy { .. } => 2,
            Error::Unfit(_) => 1,
            Error::NotSetUp(_) | Error::Refused(_) | Error::TooLong => 0,
        };
        let stands = self.kept.as_ref().is_some_and(|kept| match hope(kept).cmp(&hope(&error)) {
            Ordering::Greater => true,
            // The newer one names the newer time.
            Ordering::Equal => hope(kept) < 2,
            Ordering::Less => false,
        });
        if !stands {
            self.kept = Some(error);
        }
    }
}
