//! Summing up what no longer fits: a model call of its own, kept in the table.

use model::{Ask, Chain, Message, Model, Role};
use turn::spend::SpendCap;
use turn::{Summary, Turn, prompt};

use super::prompt::Past;
use super::tally::Tally;
use super::written::Written;
use super::{Question, steps::tokens};
use crate::now;
use crate::run::Run;

/// What the model is told to do with the turns that leave its sight.
const INSTRUCTIONS: &str = "Sum up this conversation for yourself, so that you can go on with it later. Keep names, numbers, \
dates, decisions, preferences and open questions; leave out pleasantries. Write in the language of the conversation, at most \
200 words, no headings.";
/// Tokens that a summary may have.
const MOST_TOKENS: u32 = 600;

impl Run<'_> {
    /// Sums up what the history holds beyond its budget, where the assistant is to; all of it where somebody asks for that. The
    /// older turns that are summed up leave `past`. Without a summary the history is only cut: it is never worth an error. The cap
    /// that has no room for it, where one has none.
    pub(super) async fn summed_up(
        &self,
        question: &Question<'_>,
        epoch: u64,
        chain: &Chain,
        tally: &Tally,
        past: &mut Past,
    ) -> Result<Result<(), SpendCap>, store::Error> {
        let history = question.persona.assistant.history;
        let keep = match question.compact {
            true => 0,
            false if !history.summary || question.careful => return Ok(Ok(())),
            false => match overflow(&past.turns, history.tokens) {
                Some(keep) => keep,
                None => return Ok(Ok(())),
            },
        };
        let old: Vec<&Turn> = past.turns.iter().skip(keep).collect();
        let Some(newest) = old.first().map(|turn| turn.number) else { return Ok(Ok(())) };
        let ask = summing_up(question, past, &old);
        if let Err(cap) = self.reserve(question, epoch, &ask, tally).await? {
            return Ok(Err(cap));
        }
        let Some(text) = self.summary_of(question, chain, tally, &ask).await else { return Ok(Ok(())) };
        let summary = Summary { v: turn::VERSION, upto: newest + 1, text };
        let written =
            self.services.store.put_summary(&self.conversation, epoch, &summary, history.days, now()).await?;
        if written == store::Written::Done {
            past.turns.truncate(keep);
            past.summary = Some(summary);
        }
        Ok(Ok(()))
    }

    async fn summary_of(
        &self,
        question: &Question<'_>,
        chain: &Chain,
        tally: &Tally,
        ask: &Ask,
    ) -> Option<String> {
        tally.asking(chain.name(), tokens(ask), &Written::default());
        let answer = chain.ask(ask, question.deadline, &mut |_: &str| ()).await;
        self.leave_alone(chain).await;
        match answer {
            Ok(answer) => {
                tally.answered(&self.place.config, &answer);
                Some(answer.text.trim().to_owned()).filter(|text| !text.is_empty())
            }
            Err(error) => {
                tally.failed();
                tracing::warn!(conversation = %self.conversation, %error, "the conversation is cut, not summed up");
                None
            }
        }
    }
}

/// The question that asks for a summary of these turns, newest first, and of what was summed up before.
fn summing_up(question: &Question<'_>, past: &Past, old: &[&Turn]) -> Ask {
    let old: Vec<Turn> = old.iter().map(|turn| (*turn).clone()).collect();
    let group = question.newest.kind == channel::Kind::Group;
    let before = past.summary.iter().map(|summary| Message {
        text: format!("What was said before, summed up:\n{}", summary.text),
        ..Message::default()
    });
    let lines = prompt::lines(&old, &[], group, u32::MAX, model::estimate_tokens);
    let said = lines.into_iter().map(|line| {
        let role = if line.by_assistant { Role::Assistant } else { Role::User };
        Message { role, text: line.text, ..Message::default() }
    });
    let now_do = Message { text: INSTRUCTIONS.to_owned(), ..Message::default() };
    Ask {
        system: INSTRUCTIONS.to_owned(),
        messages: before.chain(said).chain([now_do]).collect(),
        max_output_tokens: MOST_TOKENS,
        ..Ask::default()
    }
}

/// How many of the turns, newest first, stay as they are where not all of them fit into the budget: as many as half of it holds, so
/// that it does not overflow again at once.
fn overflow(turns: &[Turn], budget: u32) -> Option<usize> {
    let cost = |turn: &Turn| {
        let said = turn.messages.iter().map(|spoken| model::estimate_tokens(&spoken.text));
        said.fold(model::estimate_tokens(&turn.answer), u32::saturating_add)
    };
    let seen = |turn: &&Turn| turn.history && !turn.undone;
    let all = turns.iter().filter(seen).map(cost).fold(0, u32::saturating_add);
    if all <= budget {
        return None;
    }
    let mut left = budget / 2;
    let fits = turns.iter().take_while(|turn| {
        let rest = left.checked_sub(if seen(turn) { cost(turn) } else { 0 });
        left = rest.unwrap_or(0);
        rest.is_some()
    });
    Some(fits.count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_the_budget_leaves_half_of_it() {
        let turn = |number: u32, words: usize| Turn {
            number,
            history: true,
            answer: "word".repeat(words),
            ..Turn::default()
        };
        let notice = Turn { history: false, ..turn(9, 1_000) };
        let check = |turns: &[Turn], budget, keep| assert_eq!(overflow(turns, budget), keep);
        check(&[turn(2, 10), turn(1, 10)], 20, None);
        check(&[turn(3, 10), turn(2, 10), turn(1, 10)], 20, Some(1));
        check(&[turn(3, 4), notice.clone(), turn(2, 4), turn(1, 20)], 20, Some(3));
        check(&[turn(3, 100), turn(2, 1)], 20, Some(0));
        check(&[notice], 20, None);
        check(&[], 0, None);
    }
}
