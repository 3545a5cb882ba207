//! Text that a webhook only points to: fetched when its message is looked at, before anybody judges it.

use std::time::{Duration, Instant};

use channel::{Content, Settled};
use turn::Waiting;

use crate::now;
use crate::run::{Run, Trouble};

/// No further text is fetched after this: with the last call's time-out it ends before the lease does.
const TIME: Duration = Duration::from_secs(4);

/// What the assistant is told of a message whose text is gone.
const UNREADABLE: &str = "[The text of this message cannot be read.]";

impl Run<'_> {
    /// Puts the texts in their places. Where time runs out, only the first messages stay; returns whether these are all.
    ///
    /// # Errors
    /// A text cannot be fetched now.
    pub(crate) async fn fetch_texts(&self, waiting: &mut Vec<Waiting>) -> Result<bool, Trouble> {
        let begun = Instant::now();
        let mut read = 0;
        for message in waiting.iter_mut() {
            if read > 0 && begun.elapsed() > TIME {
                break;
            }
            self.fetch_text(message).await?;
            read += 1;
        }
        let all = read == waiting.len();
        waiting.truncate(read);
        Ok(all)
    }

    async fn fetch_text(&self, waiting: &mut Waiting) -> Result<(), Trouble> {
        let inbound = &mut waiting.inbound;
        let Content::Deferred(what) = &inbound.content else { return Ok(()) };
        let text = match self.fetch(what, now()).await {
            Some(Settled::Fetched(text)) => String::from_utf8_lossy(&text).into_owned(),
            Some(outcome @ (Settled::Gone | Settled::Broken(_))) => {
                tracing::error!(conversation = %self.conversation, id = inbound.id, ?outcome, "the text of a message cannot be read");
                UNREADABLE.to_owned()
            }
            _ => return Err(Trouble::Unfetched),
        };
        // The room found that a machine wrote it, or that it says nothing.
        inbound.sender.bot |= text.is_empty();
        inbound.content = Content::text(text);
        Ok(())
    }
}
