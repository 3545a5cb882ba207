//! The question as the model gets it.

use model::{Ask, Message, Role};
use turn::{Spoken, prompt};

use super::{Question, spoken};
use crate::now;
use crate::run::Run;

/// More of the history is never read, whatever the budget.
const HISTORY_TURNS: usize = 50;
/// A token is seldom more bytes than this, so no more of them are read for each token of the budget.
const BYTES_PER_TOKEN: usize = 5;

impl Run<'_> {
    /// With as much of the history as `budget` tokens hold.
    pub(super) async fn prompt(&self, question: &Question<'_>, budget: u32) -> Result<Ask, store::Error> {
        let history = match budget {
            0 => Vec::new(),
            _ => {
                let bytes = usize::try_from(budget).unwrap_or(usize::MAX).saturating_mul(BYTES_PER_TOKEN);
                let store = &self.services.store;
                store.history(&self.conversation, question.since, HISTORY_TURNS, bytes, now()).await?
            }
        };
        let waiting = &question.waiting;
        let group = waiting.iter().any(|waiting| waiting.inbound.kind == channel::Kind::Group);
        let new: Vec<Spoken> = waiting.iter().map(|waiting| spoken(&waiting.inbound)).collect();
        let lines = prompt::lines(&history, &new, group, budget, model::estimate_tokens);
        let role = |by_assistant| if by_assistant { Role::Assistant } else { Role::User };
        Ok(Ask {
            system: self.assistant().prompt,
            messages: lines
                .into_iter()
                .map(|line| Message { role: role(line.by_assistant), text: line.text, ..Message::default() })
                .collect(),
            max_output_tokens: match self.place.config.limits.output_tokens {
                0 => u32::MAX,
                most => most,
            },
            ..Ask::default()
        })
    }
}
