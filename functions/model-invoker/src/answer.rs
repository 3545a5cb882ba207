//! Answering: the lease is kept alive beside everything that it takes to answer a group of messages, and what ends it is made
//! into a turn.
//!
//! [`prompt`] makes the question, [`held`] keeps lease, token and typing sign alive, [`stream`] shows what is written so far,
//! [`sorry`] has the lines for when no model answers.

mod held;
mod prompt;
mod sorry;
mod stream;
mod written;

use std::time::{Duration, Instant};

use channel::Inbound;
use model::{Ask, Model};
use turn::{Event, Spoken, State, Waiting};

use crate::now;
use crate::run::{Run, Trouble};
use held::{Ended, Hold};
use stream::Show;
use written::Written;

/// The model has answered this long before the invocation ends, milliseconds.
const MARGIN_MS: i64 = 15_000;

/// What is to be answered together.
pub(crate) struct Question<'a> {
    /// The turn's.
    pub number: u32,
    /// Oldest first; never empty.
    pub waiting: Vec<&'a Waiting>,
    /// The newest of them: its address gets the answer.
    pub newest: &'a Inbound,
    /// First turn that the model sees.
    pub since: u32,
    /// When everything must be said, so that it can be committed and posted.
    pub deadline: Instant,
}

/// What came of the question, where nobody ended it.
enum Reply {
    Answered(model::Answer),
    /// It broke off after this text.
    BrokeOff(String),
    Failed(model::Error),
}

impl Run<'_> {
    /// One answer for all of the messages.
    pub(crate) async fn ask(
        &mut self,
        state: &State,
        number: u32,
        ids: &[String],
        interruptible: bool,
    ) -> Result<Event, Trouble> {
        let waiting: Vec<&Waiting> = ids.iter().filter_map(|id| state.waiting(id)).collect();
        let Some(newest) = waiting.last().map(|waiting| &waiting.inbound) else { return Ok(Event::Silent) };
        let time_left = u64::try_from(self.ends_at - MARGIN_MS - now()).unwrap_or(0);
        let deadline = Instant::now() + Duration::from_millis(time_left);
        let question = Question { number, newest, since: state.head().since, deadline, waiting };
        let hold = Hold { epoch: state.epoch(), looked_at: interruptible.then_some(state.head().rev) };
        let written = Written::default();
        self.is_draft_left(&question).await?;
        let run = &*self;
        let show = Show::new(run, &question, hold.epoch, run.draft.clone());
        let work = async {
            Ok(tokio::select! {
                biased;
                reply = run.reply(&question, &written) => Ended::Done(reply?),
                ended = run.hold(hold) => ended?,
                never = run.type_on(newest) => never,
            })
        };
        let ended = show.beside(&written, work).await?;
        let (draft, seen_at) = (show.posted(), show.seen_at());
        (self.draft, self.timeline.seen_at) = (draft, seen_at);
        match ended {
            Ended::Lost => Ok(Event::Fenced),
            Ended::Interrupted => Ok(Event::Interrupted),
            Ended::Stopped => {
                let partial = written.text();
                let nothing = if self.draft.is_some() { "*(stopped)*" } else { "" };
                let said = Some(partial.trim()).filter(|text| !text.is_empty()).unwrap_or(nothing);
                let mut turn = self.turn(number, &question.waiting, said);
                turn.stopped = true;
                Ok(Event::Answered(Box::new(turn)))
            }
            Ended::Done(Reply::Answered(answer)) => Ok(self.answered(&question, answer)),
            Ended::Done(Reply::BrokeOff(partial)) => {
                let text = format!("{}\n\n*(the answer broke off here)*", partial.trim());
                Ok(Event::Answered(Box::new(self.turn(number, &question.waiting, &text))))
            }
            Ended::Done(Reply::Failed(error)) => self.apologise(number, &question.waiting, &error).await,
        }
    }

    /// Everything that may take time, beside the tick: nothing of it is undone when its future is dropped.
    async fn reply(&self, question: &Question<'_>, written: &Written) -> Result<Reply, Trouble> {
        let assistant = self.assistant();
        let chain =
            match self.services.models.chain(self.services, &self.place.config, &assistant.model).await {
                Ok(chain) => chain,
                Err(error) => return Ok(Reply::Failed(error)),
            };
        let ask = self.prompt(question, assistant.history.tokens).await?;
        let mut answer = self.call_model(&chain, &ask, question, written).await;
        if matches!(answer, Err(model::Error::TooLong)) {
            let ask = self.prompt(question, 0).await?;
            answer = self.call_model(&chain, &ask, question, written).await;
        }
        Ok(match answer {
            Ok(answer) => Reply::Answered(answer),
            Err(model::Error::Interrupted { partial, .. }) => Reply::BrokeOff(partial.0),
            Err(error) => Reply::Failed(error),
        })
    }

    async fn call_model(
        &self,
        chain: &dyn Model,
        ask: &Ask,
        question: &Question<'_>,
        written: &Written,
    ) -> Result<model::Answer, model::Error> {
        chain.ask(ask, question.deadline, &mut |piece: &str| written.push(piece)).await
    }

    fn answered(&self, question: &Question<'_>, answer: model::Answer) -> Event {
        let text = match (answer.text.trim(), answer.stop) {
            ("", _) => "I have no answer to that.".to_owned(),
            (text, model::Stop::Length) => format!("{text} …"),
            (text, _) => text.to_owned(),
        };
        let mut turn = self.turn(question.number, &question.waiting, &text);
        (turn.usage.input, turn.usage.output) = (answer.usage.input, answer.usage.output);
        turn.model = answer.model;
        Event::Answered(Box::new(turn))
    }
}

/// A message as history and prompt hold it. Files are named until they can be read.
pub(crate) fn spoken(inbound: &Inbound) -> Spoken {
    let files = inbound.attachments.iter().map(|file| format!("[file: {}]", file.name));
    let text = std::iter::once(inbound.text().to_owned()).filter(|text| !text.is_empty());
    Spoken {
        id: inbound.id.clone(),
        sender: inbound.sender.id.clone(),
        name: inbound.sender.name.clone(),
        text: text.chain(files).collect::<Vec<_>>().join("\n"),
        at: inbound.at,
        operator: inbound.kind == channel::Kind::OperatorSaid,
    }
}
