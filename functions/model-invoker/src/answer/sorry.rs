//! What is said when no model answers.

use channel::End;
use turn::{Turn, Waiting};

use crate::now;
use crate::run::{Run, Trouble};

impl Run<'_> {
    /// A deployment without a working model says so once a day (`None` after that); the rest is said each time.
    pub(super) async fn apology(
        &mut self,
        number: u32,
        waiting: &[&Waiting],
        error: &model::Error,
    ) -> Result<Option<Turn>, Trouble> {
        self.timeline.model_errors += 1;
        tracing::error!(conversation = %self.conversation, %error, "the model did not answer");
        if let model::Error::NotSetUp(_) = error {
            let scope = format!("not_set_up#{}", self.conversation);
            // What began to appear does not stay as it is.
            if !self.services.store.once(&scope, &crate::day(now()), now()).await? && self.draft.is_none() {
                return Ok(None);
            }
        }
        Ok(Some(Turn { history: false, end: end(error), ..self.turn(number, waiting, line(error)) }))
    }
}

fn line(error: &model::Error) -> &'static str {
    match error {
        model::Error::NotSetUp(_) => {
            "This assistant is not set up yet: its operator must choose a model. I say this once a day."
        }
        model::Error::Refused(_) => "The model does not want to answer this.",
        model::Error::Unfit(_) => {
            "My model cannot take this message as it is, and my operator can see why. Other words may do, or the same \
             without files."
        }
        model::Error::TooLong => "This message is too long for me. Please send it in parts.",
        model::Error::Busy { .. } | model::Error::Interrupted { .. } => {
            "Sorry, the model is not answering at the moment. Please try again in a minute."
        }
    }
}

fn end(error: &model::Error) -> End {
    match error {
        model::Error::Refused(_) | model::Error::Unfit(_) => End::Declined,
        model::Error::TooLong => End::TooLong,
        model::Error::NotSetUp(_) | model::Error::Busy { .. } | model::Error::Interrupted { .. } => {
            End::Failed
        }
    }
}
