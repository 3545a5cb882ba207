//! Asking the model: the prompt, the call with a lease that is kept alive beside it, and what is said when it fails.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use channel::{Inbound, Part};
use model::{Ask, Message, Model, Role};
use turn::machine::{LEASE_MS, TICK_MS};
use turn::{Event, Spoken, State, Usage, Waiting, prompt};

use crate::now;
use crate::run::{Run, Trouble};

/// The model has answered this long before the invocation ends, milliseconds.
const MARGIN_MS: i64 = 15_000;
/// More of the history is never read, whatever the budget.
const HISTORY_TURNS: usize = 50;
/// A token is seldom more bytes than this, so no more of them are read for each token of the budget.
const BYTES_PER_TOKEN: usize = 5;

/// How a model call ended.
enum Asked {
    Answered(Result<model::Answer, model::Error>),
    /// The user stopped it; what was written by then.
    Stopped(String),
    /// The lease is somebody else's.
    Lost,
}

impl Run<'_> {
    /// One model call for all of the messages.
    pub(crate) async fn ask(
        &mut self,
        state: &State,
        number: u32,
        ids: &[String],
        _careful: bool,
    ) -> Result<Event, Trouble> {
        let waiting: Vec<&Waiting> = ids.iter().filter_map(|id| state.waiting(id)).collect();
        let Some(newest) = waiting.last().map(|waiting| &waiting.inbound) else { return Ok(Event::Silent) };
        let assistant = self.assistant();
        let chain =
            match self.services.models.chain(self.services, &self.place.config, &assistant.model).await {
                Ok(chain) => chain,
                Err(error) => return self.apologise(number, &waiting, &error).await,
            };
        let mut ask = self.prompt(state.head().since, &waiting, assistant.history.tokens).await?;
        let mut asked = self.call_model(state.epoch(), &chain, &ask, newest).await?;
        if matches!(asked, Asked::Answered(Err(model::Error::TooLong))) {
            ask = self.prompt(state.head().since, &waiting, 0).await?;
            asked = self.call_model(state.epoch(), &chain, &ask, newest).await?;
        }
        match asked {
            Asked::Lost => Ok(Event::Fenced),
            Asked::Stopped(partial) => {
                let mut turn = self.turn(number, &waiting, partial.trim());
                (turn.model, turn.stopped) = (chain.name().to_owned(), true);
                Ok(Event::Answered(Box::new(turn)))
            }
            Asked::Answered(Ok(answer)) => {
                let text = match (answer.text.trim(), answer.stop) {
                    ("", _) => "I have no answer to that.".to_owned(),
                    (text, model::Stop::Length) => format!("{text} …"),
                    (text, _) => text.to_owned(),
                };
                let mut turn = self.turn(number, &waiting, &text);
                turn.usage = Usage { input: answer.usage.input, output: answer.usage.output };
                turn.model = answer.model;
                Ok(Event::Answered(Box::new(turn)))
            }
            Asked::Answered(Err(model::Error::Interrupted { partial, .. })) => {
                let text = format!("{}\n\n*(the answer broke off here)*", partial.0.trim());
                Ok(Event::Answered(Box::new(self.turn(number, &waiting, &text))))
            }
            Asked::Answered(Err(error)) => self.apologise(number, &waiting, &error).await,
        }
    }

    async fn prompt(&self, since: u32, waiting: &[&Waiting], budget: u32) -> Result<Ask, store::Error> {
        let history = match budget {
            0 => Vec::new(),
            _ => {
                let bytes = usize::try_from(budget).unwrap_or(usize::MAX).saturating_mul(BYTES_PER_TOKEN);
                self.services.store.history(&self.conversation, since, HISTORY_TURNS, bytes, now()).await?
            }
        };
        let group = waiting.iter().any(|waiting| waiting.inbound.kind == channel::Kind::Group);
        let new: Vec<Spoken> = waiting.iter().map(|waiting| spoken(&waiting.inbound)).collect();
        let lines = prompt::lines(&history, &new, group, budget, model::estimate_tokens);
        let role = |by_assistant| if by_assistant { Role::Assistant } else { Role::User };
        Ok(Ask {
            system: self.assistant().prompt,
            messages: lines
                .into_iter()
                .map(|line| Message { role: role(line.by_assistant), text: line.text, name: None })
                .collect(),
            max_output_tokens: match self.place.config.limits.output_tokens {
                0 => u32::MAX,
                most => most,
            },
            temperature: None,
        })
    }

    /// Asks, and meanwhile keeps lease, token and typing sign alive.
    async fn call_model(
        &mut self,
        epoch: u64,
        chain: &dyn Model,
        ask: &Ask,
        newest: &Inbound,
    ) -> Result<Asked, Trouble> {
        let time_left = u64::try_from(self.ends_at - MARGIN_MS - now()).unwrap_or(0);
        let deadline = Instant::now() + Duration::from_millis(time_left);
        let written = Arc::new(Mutex::new(String::new()));
        let taken = written.clone();
        let mut on_text =
            move |piece: &str| taken.lock().unwrap_or_else(PoisonError::into_inner).push_str(piece);
        let mut asking = std::pin::pin!(chain.ask(ask, deadline, &mut on_text));
        let typing = self.steps(&[Part::Typing], &newest.address, "typing", now());
        let mut ticks = tokio::time::interval(Duration::from_millis(TICK_MS));
        loop {
            tokio::select! {
                biased;
                answer = &mut asking => return Ok(Asked::Answered(answer)),
                _ = ticks.tick() => {}
            }
            let tick = async {
                let typing = async {
                    for step in &typing {
                        self.send(&step.clone().optional(), now()).await;
                    }
                };
                let renew = self.services.store.renew(&self.conversation, epoch, now() + LEASE_MS);
                let hide = self.services.queue.hide(self.receipt, turn::machine::TOKEN_S);
                tokio::join!(typing, renew, hide)
            };
            let (_, renewed, hidden) = tokio::select! {
                biased;
                answer = &mut asking => return Ok(Asked::Answered(answer)),
                ticked = tick => ticked,
            };
            hidden?;
            match renewed? {
                store::Renewed::Fenced => return Ok(Asked::Lost),
                store::Renewed::Renewed(head) if head.cancel == Some(epoch) => {
                    let partial = written.lock().unwrap_or_else(PoisonError::into_inner).clone();
                    return Ok(Asked::Stopped(partial));
                }
                store::Renewed::Renewed(_) => {}
            }
        }
    }

    /// What is said when no model answers. A deployment without a working model says so once a day.
    async fn apologise(
        &mut self,
        number: u32,
        waiting: &[&Waiting],
        error: &model::Error,
    ) -> Result<Event, Trouble> {
        self.timeline.model_errors += 1;
        tracing::error!(conversation = %self.conversation, %error, "the model did not answer");
        let line = match error {
            model::Error::NotSetUp(_) => {
                let scope = format!("not_set_up#{}", self.conversation);
                if !self.services.store.once(&scope, &crate::day(now()), now()).await? {
                    return Ok(Event::Silent);
                }
                "This assistant is not set up yet: its operator must choose a model. I say this once a day."
            }
            model::Error::Refused(_) => "The model does not want to answer this.",
            model::Error::TooLong => "This message is too long for me. Please send it in parts.",
            model::Error::Busy { .. } | model::Error::Interrupted { .. } => {
                "Sorry, the model is not answering at the moment. Please try again in a minute."
            }
        };
        let mut turn = self.turn(number, waiting, line);
        turn.history = false;
        Ok(Event::Answered(Box::new(turn)))
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
