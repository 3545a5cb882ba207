//! Asking a person before a tool changes something, and going on from their yes or no.

use channel::{Choice, Inbound};
use futures::future::join_all;
use model::{Ask, ToolCall};
use tools::Called;
use turn::pending::{self, Pending, PendingCall, Reply};
use turn::{Buttons, Turn};

use super::Question;
use super::desk::Counter;
use super::steps::{Work, push_results};
use crate::now;
use crate::run::Run;

/// Said to the model of a call that the person does not want.
const DECLINED: &str = "The person does not want this to be done.";
/// Said to whoever presses a button of a question that is over.
const OVER: &str = "This question is over. Please ask me again.";
/// Said to whoever presses a button of somebody else's question.
const NOT_ASKED: &str = "Only the person who was asked can answer this.";

/// An answer to what was asked about.
pub(super) struct Resumed {
    pending: Pending,
    yes: bool,
    /// The platform's id of the message that says so.
    pub message: String,
}

impl Run<'_> {
    /// Where one of the messages is a yes or no to what is pending: the newest one, unless an earlier try went by another. `Err`: what
    /// to say where nothing was done but to press buttons that lead nowhere.
    pub(super) async fn resumed(
        &self,
        question: &Question<'_>,
    ) -> Result<Result<Option<Resumed>, String>, store::Error> {
        let said =
            question.waiting.iter().rev().map(|waiting| &waiting.inbound).filter(|inbound| !inbound.due);
        let replies = said.filter_map(|inbound| Some((inbound, pending::reply(inbound.text())?)));
        let replies: Vec<(&Inbound, Reply<'_>)> = replies.collect();
        if replies.is_empty() {
            return Ok(Ok(None));
        }
        let found = self.services.store.pending(&self.conversation).await?;
        if let Some(found) = &found {
            let turns = question.since..question.number;
            let answers = |(inbound, reply): &&(&Inbound, Reply<'_>)| {
                let taken = found.answered_by.as_ref();
                found.hears(*reply, &inbound.sender.id, &turns, now())
                    && taken.is_none_or(|message| *message == channel::short_id(&inbound.id))
            };
            if let Some((inbound, reply)) = replies.iter().find(answers) {
                let message = channel::short_id(&inbound.id);
                let taken =
                    self.services.store.answer_pending(&self.conversation, &found.id, &message).await?;
                if taken == store::Written::Done {
                    let (pending, message) = (found.clone(), inbound.id.clone());
                    return Ok(Ok(Some(Resumed { pending, yes: reply.yes, message })));
                }
            }
        }
        let presses = replies.iter().filter(|(_, reply)| reply.id.is_some()).count();
        if presses < question.waiting.len() {
            return Ok(Ok(None));
        }
        let asked = |found: &Pending| replies.iter().any(|(inbound, _)| inbound.sender.id == found.person);
        let line = if found.as_ref().is_none_or(asked) { OVER } else { NOT_ASKED };
        Ok(Err(line.to_owned()))
    }

    /// Makes the calls that waited, or tells the model that they are not wanted.
    pub(super) async fn resume(&self, work: &Work<'_>, resumed: &Resumed, ask: &mut Ask) {
        let Resumed { pending, yes, .. } = resumed;
        let results = pending.calls.iter().map(async |waiting| {
            let text = match (&waiting.result, yes, work.toolbox) {
                (Some(result), _, _) => result.clone(),
                (None, false, _) => DECLINED.to_owned(),
                (None, true, None) => "No tools can be called now.".to_owned(),
                (None, true, Some(toolbox)) => {
                    work.tally.called(&waiting.name);
                    let desk = Counter { run: self, question: work.question };
                    match toolbox.call(&call(waiting), &desk, true).await {
                        Called::Done(result) => result.text,
                        Called::NeedsConfirmation { text } => text,
                    }
                }
            };
            (waiting.id.clone(), text)
        });
        let results = join_all(results).await;
        let calls = pending.calls.iter().map(call).collect();
        push_results(ask, &pending.text, calls, results, false);
    }

    /// The turn that asks: its question with two buttons, numbered lines where there are none.
    pub(super) fn asking(&self, turn: Turn, pending: &Pending, question: String) -> Turn {
        let choice =
            |label: &str, yes| Choice { label: label.to_owned(), says: pending::press(yes, &pending.id) };
        let text = format!("Shall I do this?\n\n{question}");
        let answer = [turn.answer.trim(), &text].into_iter().filter(|part| !part.is_empty());
        let answer = answer.collect::<Vec<_>>().join("\n\n");
        let choices = vec![choice("Yes", true), choice("No", false)];
        let mut turn = Turn { answer, buttons: Some(Buttons { text, choices }), ..turn };
        turn.steps = self.plan(&turn);
        turn
    }
}

fn call(waiting: &PendingCall) -> ToolCall {
    ToolCall {
        id: waiting.id.clone(),
        name: waiting.name.clone(),
        arguments: waiting.arguments.clone(),
        signature: waiting.signature.clone(),
    }
}
