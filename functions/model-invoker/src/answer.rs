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
    /// Newer messages want to be asked along.
    Interrupted,
    /// The lease is somebody else's.
    Lost,
}

/// What is held during a model call.
#[derive(Clone, Copy)]
struct Hold {
    epoch: u64,
    /// HEAD's `rev` as last looked at, where a newer message may interrupt.
    looked_at: Option<u64>,
}

impl Run<'_> {
    /// One model call for all of the messages.
    pub(crate) async fn ask(
        &mut self,
        state: &State,
        number: u32,
        ids: &[String],
        interruptible: bool,
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
        let hold = Hold { epoch: state.epoch(), looked_at: interruptible.then_some(state.head().rev) };
        let mut asked = self.call_model(hold, &chain, &ask, newest).await?;
        if matches!(asked, Asked::Answered(Err(model::Error::TooLong))) {
            ask = self.prompt(state.head().since, &waiting, 0).await?;
            asked = self.call_model(hold, &chain, &ask, newest).await?;
        }
        match asked {
            Asked::Lost => Ok(Event::Fenced),
            Asked::Interrupted => Ok(Event::Interrupted),
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
        hold: Hold,
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
        let run = &*self;
        let typing = run.steps(&[Part::Typing], &newest.address, "typing", now());
        let first_tick = tokio::time::Instant::now() + Duration::from_millis(TICK_MS);
        let held = async {
            // Lease and token were seen to a moment ago.
            let mut ticks = tokio::time::interval_at(first_tick, Duration::from_millis(TICK_MS));
            loop {
                ticks.tick().await;
                if let Some(end) = run.tick(hold, &written).await? {
                    return Ok::<_, Trouble>(end);
                }
            }
        };
        // Beside it: a platform that is slow to show the sign must not delay `/stop`.
        let shown = async {
            let mut ticks = tokio::time::interval(Duration::from_millis(TICK_MS));
            loop {
                ticks.tick().await;
                for step in &typing {
                    run.send(&step.clone().optional(), now()).await;
                }
            }
        };
        tokio::select! {
            biased;
            answer = chain.ask(ask, deadline, &mut on_text) => Ok(Asked::Answered(answer)),
            ended = held => ended,
            () = shown => Ok(Asked::Lost),
        }
    }

    /// Renews lease and token; says so when the question is to end.
    async fn tick(&self, hold: Hold, written: &Mutex<String>) -> Result<Option<Asked>, Trouble> {
        let renew = self.services.store.renew(&self.conversation, hold.epoch, now() + LEASE_MS);
        let hide = self.services.queue.hide(self.receipt, turn::machine::TOKEN_S);
        let (renewed, hidden) = tokio::join!(renew, hide);
        hidden?;
        Ok(match renewed? {
            store::Renewed::Fenced => Some(Asked::Lost),
            store::Renewed::Renewed(head) if head.cancel == Some(hold.epoch) => {
                Some(Asked::Stopped(written.lock().unwrap_or_else(PoisonError::into_inner).clone()))
            }
            store::Renewed::Renewed(head) if head.interrupt > hold.looked_at && hold.looked_at.is_some() => {
                Some(Asked::Interrupted)
            }
            store::Renewed::Renewed(_) => None,
        })
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
