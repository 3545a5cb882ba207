//! The model, what it calls, the model again: until it has answered, or somebody must be asked first.

use futures::future::join_all;
use model::{Answer, Ask, Chain, Message, Model, Role, Stop, ToolCall};
use tools::{Called, ToolResult, Toolbox};
use turn::pending::{PATIENCE_MS, Pending, PendingCall};

use super::desk::Counter;
use super::tally::Tally;
use super::written::Written;
use super::{Question, Reply};
use crate::run::Run;
use crate::{failpoint, now};

/// Said to the model with the results of its last round of calls.
const LAST_ROUND: &str = "\n\n[No further calls are possible: answer now with what you know.]";
/// Said to the person where the model went on calling all the same.
const TOO_MANY_STEPS: &str = "*(I could not finish this: it took too many steps.)*";

/// Said to the model of a call that a person would have to agree to, where only a program reads along.
const NOT_HERE: &str = "This needs a person's yes, and nobody can give it here: it was not done. Say so.";

/// What one answer is made with.
pub(super) struct Work<'a> {
    pub question: &'a Question<'a>,
    /// Under which the lease is held.
    pub epoch: u64,
    pub chain: &'a Chain,
    /// `None`: the model answers without.
    pub toolbox: Option<&'a Toolbox<'a>>,
    pub written: &'a Written,
    pub tally: &'a Tally,
}

/// A call and what came of it.
struct Made {
    call: ToolCall,
    outcome: Called,
}

impl Run<'_> {
    /// Asks until there is an answer, or no money for one. `ask` grows by the calls and their results.
    pub(super) async fn converse(
        &self,
        work: &Work<'_>,
        ask: &mut Ask,
    ) -> Result<Result<Reply, model::Error>, store::Error> {
        for round in 0.. {
            match self.reserve(work.question, work.epoch, ask, work.tally).await? {
                Ok(()) => {}
                Err(cap) if round == 0 => return Ok(Ok(Reply::NoMoney(cap))),
                Err(cap) => {
                    work.written.paragraph(&format!("*({})*", cap.line()));
                    break;
                }
            }
            failpoint::pass("model", "before", self.receives, self.inbound.text());
            let answer = match self.call_model(work, ask).await {
                Ok(answer) => answer,
                Err(error) => return Ok(Err(error)),
            };
            let Some(toolbox) = work.toolbox.filter(|_| !answer.calls.is_empty()) else {
                return Ok(Ok(answered(work, answer.stop)));
            };
            let made = self.make_calls(work, toolbox, &answer.calls).await;
            if let Some((pending, question)) = self.pending(work, &answer, &made) {
                return Ok(Ok(Reply::Asks {
                    pending: Box::new(pending),
                    text: work.written.text(),
                    question,
                }));
            }
            if work.chain.calls_left() == 0 {
                work.written.paragraph(TOO_MANY_STEPS);
                break;
            }
            let last = work.chain.calls_left() == 1;
            push_round(ask, &answer.text, made, last);
        }
        Ok(Ok(answered(work, Stop::Other)))
    }

    /// One call of a model, counted.
    async fn call_model(&self, work: &Work<'_>, ask: &Ask) -> Result<Answer, model::Error> {
        let Work { question, chain, written, tally, .. } = work;
        tally.asking(chain.name(), tokens(ask), written);
        // What is written after a round of calls begins a new paragraph.
        written.begin_paragraph();
        let mut sink = *written;
        let answer = chain.ask(ask, question.deadline, &mut sink).await;
        match &answer {
            Ok(answer) => tally.answered(&self.place.config, answer),
            Err(model::Error::Interrupted { .. }) => {}
            Err(_) => tally.failed(),
        }
        answer
    }

    /// Side by side; their results come in the model's order.
    async fn make_calls(&self, work: &Work<'_>, toolbox: &Toolbox<'_>, calls: &[ToolCall]) -> Vec<Made> {
        let calls = calls.iter().map(async |call| {
            work.tally.called(&call.name);
            let desk = Counter { run: self, question: work.question };
            let outcome = toolbox.call(call, &desk, false).await;
            if let Called::Done(result) = &outcome {
                let conversation = &self.conversation;
                tracing::info!(%conversation, tool = call.name, failed = result.is_error, bytes = result.text.len(), "a tool was called");
            }
            Made { call: call.clone(), outcome }
        });
        join_all(calls).await
    }

    /// What the person is asked about, where one of the calls needs that.
    fn pending(&self, work: &Work<'_>, answer: &Answer, made: &[Made]) -> Option<(Pending, String)> {
        let asks: Vec<&str> = made.iter().filter_map(Made::question).collect();
        // A program cannot say yes: every question of its is a conversation of its own.
        if asks.is_empty() || self.place.room.is_verbatim(&work.question.newest.address) {
            return None;
        }
        let key = format!("{}/{}", self.conversation, work.question.number);
        let calls = made.iter().map(|Made { call, outcome }| PendingCall {
            id: call.id.clone(),
            name: call.name.clone(),
            arguments: call.arguments.clone(),
            signature: call.signature.clone(),
            result: match outcome {
                Called::Done(result) => Some(result.text.clone()),
                Called::NeedsConfirmation { .. } => None,
            },
        });
        let pending = Pending {
            v: turn::VERSION,
            id: channel::sign::sha256_hex(key.as_bytes()).chars().take(12).collect(),
            person: work.question.newest.sender.id.clone(),
            turn: work.question.number,
            until: now() + PATIENCE_MS,
            text: answer.text.clone(),
            calls: calls.collect(),
            answered_by: None,
        };
        Some((pending, asks.join("\n\n")))
    }
}

impl Made {
    /// What somebody has to agree to.
    fn question(&self) -> Option<&str> {
        match &self.outcome {
            Called::Done(_) => None,
            Called::NeedsConfirmation { text } => Some(text),
        }
    }
}

fn answered(work: &Work<'_>, stop: Stop) -> Reply {
    Reply::Answered { text: work.written.text(), cut: stop == Stop::Length }
}

/// A round as the model is told of it.
fn push_round(ask: &mut Ask, text: &str, made: Vec<Made>, last: bool) {
    let calls = made.iter().map(|made| made.call.clone()).collect();
    let results = made.into_iter().map(|Made { call, outcome }| {
        let result = match outcome {
            Called::Done(result) => result,
            Called::NeedsConfirmation { .. } => ToolResult::error(NOT_HERE),
        };
        (call.id, result.text)
    });
    push_results(ask, text, calls, results.collect(), last);
}

/// Calls of the model's with their results, by the calls' ids.
pub(super) fn push_results(
    ask: &mut Ask,
    text: &str,
    calls: Vec<ToolCall>,
    results: Vec<(String, String)>,
    last: bool,
) {
    ask.messages.push(Message { role: Role::Assistant, text: text.to_owned(), calls, ..Message::default() });
    let count = results.len();
    for (n, (id, mut text)) in results.into_iter().enumerate() {
        if last && n + 1 == count {
            text.push_str(LAST_ROUND);
        }
        ask.messages.push(Message { role: Role::Tool, text, answers: Some(id), ..Message::default() });
    }
}

/// What a picture is taken for: Anthropic's largest, <https://docs.anthropic.com/en/docs/build-with-claude/vision>.
const IMAGE_TOKENS: u32 = 1_600;

/// About how many tokens a question has.
pub(super) fn tokens(ask: &Ask) -> u32 {
    let messages = ask.messages.iter().map(|message| {
        let images = IMAGE_TOKENS.saturating_mul(u32::try_from(message.images.len()).unwrap_or(u32::MAX));
        let calls = message.calls.iter().map(|call| model::estimate_tokens(&call.arguments.to_string()));
        calls.fold(model::estimate_tokens(&message.text).saturating_add(images), u32::saturating_add)
    });
    let tools = ask.tools.iter().map(|tool| {
        let schema = u32::try_from(tool.schema.to_string().len() / 4).unwrap_or(u32::MAX);
        model::estimate_tokens(&tool.description).saturating_add(schema)
    });
    let all = messages.chain(tools).fold(0, u32::saturating_add);
    all.saturating_add(model::estimate_tokens(&ask.system))
}
