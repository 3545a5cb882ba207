//! Asking a person before a tool changes something, and going on from their yes or no.

use channel::Choice;
use futures::future::join_all;
use model::{Ask, ToolCall};
use tools::Called;
use turn::pending::{self, Pending, PendingCall};
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
}

impl Run<'_> {
    /// Where one of the messages is a yes or no to what is pending: the last button that was pressed, else a word that is the
    /// newest message. `Err`: what to say to a button that leads nowhere.
    pub(super) async fn resumed(
        &self,
        question: &Question<'_>,
    ) -> Result<Result<Option<Resumed>, String>, store::Error> {
        let replies = question.waiting.iter().rev().map(|waiting| &waiting.inbound);
        let mut replies = replies
            .filter(|inbound| !inbound.due)
            .filter_map(|inbound| Some((inbound, pending::reply(inbound.text())?)))
            .filter(|(inbound, reply)| reply.id.is_some() || inbound.id == question.newest.id);
        let pressed = replies.clone().find(|(_, reply)| reply.id.is_some());
        let Some((inbound, reply)) = pressed.or_else(|| replies.next()) else { return Ok(Ok(None)) };
        let nothing = |line: &str| if reply.id.is_some() { Err(line.to_owned()) } else { Ok(None) };
        let Some(found) = self.services.store.pending(&self.conversation).await? else {
            return Ok(nothing(OVER));
        };
        if !found.hears(reply, &inbound.sender.id, now(), question.number) {
            let other = found.person != inbound.sender.id;
            return Ok(nothing(if other { NOT_ASKED } else { OVER }));
        }
        let message = channel::short_id(&inbound.id);
        let taken = self.services.store.answer_pending(&self.conversation, &found.id, &message).await?;
        Ok(match taken {
            store::Written::Done => Ok(Some(Resumed { pending: found, yes: reply.yes })),
            store::Written::Fenced => nothing(OVER),
        })
    }

    /// Makes the calls that waited, or tells the model that they are not wanted.
    pub(super) async fn resume(&self, work: &Work<'_>, resumed: &Resumed, ask: &mut Ask) {
        let Resumed { pending, yes } = resumed;
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
