//! The question as the model gets it.

use channel::Kind;
use model::{Ask, Message, Role};
use store::Who;
use turn::config::ToolKind;
use turn::template::fill;
use turn::{Spoken, Summary, Turn, prompt, prompts};

use super::Question;
use crate::now;
use crate::run::Run;

/// More of the history is never read, whatever the budget.
const HISTORY_TURNS: usize = 50;
/// A token is seldom more bytes than this, so no more of them are read for each token of the budget.
const BYTES_PER_TOKEN: usize = 5;

/// What whoever sets reminders must know. With the newest message, not the instructions: those stay as they are, so that
/// providers can keep them.
const PRESENT: &str = "[It is {weekday}, {date}, {time}, {zone}.]\n";

impl Run<'_> {
    /// The instructions, the summary of what was said long ago, the newest turns, the new messages as `said`.
    pub(super) async fn prompt(
        &self,
        question: &Question<'_>,
        said: &[Spoken],
        past: &Past,
        budget: u32,
    ) -> Result<Ask, store::Error> {
        let Question { persona, newest, .. } = question;
        let group = question.waiting.iter().any(|waiting| waiting.inbound.kind == Kind::Group);
        let notes = self.notes(question).await?;
        let variables = self.variables(persona, newest, now());
        let instructions = fill(prompts::text(&persona.assistant.prompt), &variables);
        let system = system(&instructions, &notes, past.summary.as_ref());
        let reminds =
            persona.tools(&self.place.config).iter().any(|(_, tool)| tool.kind == ToolKind::RemindMe);
        let time = if reminds { fill(PRESENT, &variables) } else { String::new() };
        let lines = prompt::lines(&past.turns, said, group, budget, model::estimate_tokens);
        let files = self.recalled(question.redo.iter().chain(&past.turns)).await;
        let role = |by_assistant| if by_assistant { Role::Assistant } else { Role::User };
        let message = |line: prompt::Line| Message {
            role: role(line.by_assistant),
            text: line.text,
            ..Message::default()
        };
        let mut messages: Vec<Message> = lines.into_iter().map(message).collect();
        if let Some(newest) = messages.iter_mut().rfind(|message| message.role == Role::User) {
            newest.text.insert_str(0, &format!("{time}{}", files.text));
            newest.images = files.images.into_iter().chain(self.images(question)).collect();
        }
        Ok(Ask {
            system,
            messages,
            tools: Vec::new(),
            max_output_tokens: match self.place.config.limits.output_tokens {
                0 => u32::MAX,
                most => most,
            },
            temperature: None,
        })
    }

    /// What is remembered of the person, as it stands in the prompt.
    async fn notes(&self, question: &Question<'_>) -> Result<String, store::Error> {
        let memory = question.persona.assistant.memory;
        if !memory.notes || memory.prompt_tokens == 0 || question.newest.kind != Kind::Dm {
            return Ok(String::new());
        }
        let notes = self.services.store.notes(Who::from(question.newest)).await?;
        Ok(notes.for_prompt(memory.prompt_tokens, model::estimate_tokens))
    }

    /// What was said before, newest first, as far as it may be of use.
    pub(super) async fn past(&self, question: &Question<'_>) -> Result<Past, store::Error> {
        let Question { since, head, redo, .. } = question;
        let budget = question.persona.assistant.history.tokens;
        if budget == 0 {
            return Ok(Past::default());
        }
        let store = &self.services.store;
        // What was summed up before the conversation started over is forgotten too.
        let summed_up = head.summary_to > *since;
        let summary = if summed_up { store.summary(&self.conversation).await? } else { None };
        let summary = summary.filter(|summary| summary.upto == head.summary_to);
        let from = if summary.is_some() { head.summary_to } else { *since };
        let bytes = usize::try_from(budget).unwrap_or(usize::MAX).saturating_mul(2 * BYTES_PER_TOKEN);
        let turns = store.history(&self.conversation, from, HISTORY_TURNS, bytes, now()).await?;
        let again = |turn: &Turn| redo.as_ref().is_some_and(|redo| redo.number == turn.number);
        Ok(Past { turns: turns.into_iter().filter(|turn| !again(turn)).collect(), summary })
    }
}

/// What was said before: turns, newest first, and what stands for those before them.
#[derive(Default)]
pub(super) struct Past {
    pub turns: Vec<Turn>,
    pub summary: Option<Summary>,
}

/// Instructions, notes, summary: what changes seldom comes first, so that providers can keep it.
fn system(instructions: &str, notes: &str, summary: Option<&Summary>) -> String {
    let notes = Some(notes).filter(|notes| !notes.is_empty());
    let notes = notes.map(|notes| format!("Your notes about this person, each with its id:\n{notes}"));
    let summary = summary.map(|summary| format!("What was said before, summed up:\n{}", summary.text));
    let parts = [Some(instructions.to_owned()), notes, summary];
    parts.into_iter().flatten().collect::<Vec<_>>().join("\n\n")
}
