//! From messages to what is said.

use std::sync::PoisonError;

use channel::Inbound;
use model::{Ask, Chain, Cooldowns};
use tools::{Before, Budget, Given, Toolbox};
use turn::commands::{Command, custom};
use turn::pending::{self, Pending};
use turn::{Spoken, calendar};

use super::Question;
use super::confirm::Resumed;
use super::prompt::Past;
use super::steps::Work;
use super::tally::Tally;
use super::written::Written;
use crate::models::in_order;
use crate::now;
use crate::run::{Run, Trouble};

/// Said where a hook that must not fail did.
const HOOK_FAILED: &str = "Sorry, I cannot answer at the moment. Please try again in a minute.";
/// The answers to `/compact`.
const SUMMED_UP: &str = "I have summed up what we said before, and go on from there.";
const NOTHING_TO_SUM_UP: &str = "There is nothing to sum up yet.";

/// What came of the question, where nobody ended it.
pub(super) enum Reply {
    /// `cut`: the limit on the answer's length was reached.
    Answered {
        text: String,
        cut: bool,
    },
    /// Ready-made words that are no part of the history.
    Notice(String),
    /// The model wants to do something that the person is asked about; `text` is what it wrote before.
    Asks {
        pending: Box<Pending>,
        text: String,
        question: String,
    },
    /// It broke off after this text.
    BrokeOff(String),
    /// On purpose.
    Silent,
    Failed(model::Error),
}

impl Run<'_> {
    /// Everything that may take time, beside the tick. Its future may be dropped at any point: what it did outside by then was
    /// done under an idempotency key.
    pub(super) async fn reply(
        &self,
        question: &Question<'_>,
        epoch: u64,
        written: &Written,
        tally: &Tally,
    ) -> Result<Reply, Trouble> {
        let resumed = match self.resumed(question).await? {
            Ok(resumed) => resumed,
            Err(line) => return Ok(Reply::Notice(line)),
        };
        if let Some(line) = self.read_files(question).await {
            return Ok(Reply::Notice(line));
        }
        let said = match self.before(question).await {
            Ok(said) => said,
            Err(reply) => return Ok(reply),
        };
        let chain = match self.chain(question).await? {
            Ok(chain) => chain,
            Err(error) => return Ok(Reply::Failed(error)),
        };
        let mut past = self.past(question).await?;
        self.summed_up(question, epoch, &chain, tally, &mut past).await?;
        if said.is_empty() {
            let line = if past.summary.is_some() { SUMMED_UP } else { NOTHING_TO_SUM_UP };
            return Ok(Reply::Notice(line.to_owned()));
        }
        let budget = question.persona.assistant.history.tokens;
        let mut ask = self.prompt(question, &said, &past, budget).await?;
        let toolbox = self.toolbox(question).await?;
        ask.tools = toolbox.as_ref().map(Toolbox::specs).unwrap_or_default();
        if let Err(cap) = self.reserve(question, &ask, tally).await? {
            return Ok(self.refused_by(question, cap).await?);
        }
        let work = Work { question, chain: &chain, toolbox: toolbox.as_ref(), written, tally };
        let mut reply = self.tried(&work, &mut ask, resumed.as_ref()).await;
        if let Err(model::Error::TooLong) = reply {
            let mut shorter =
                Ask { tools: ask.tools, ..self.prompt(question, &said, &Past::default(), 0).await? };
            reply = self.tried(&work, &mut shorter, resumed.as_ref()).await;
        }
        self.leave_alone(&chain).await;
        if let (Some(toolbox), Ok(_)) = (&toolbox, &reply) {
            *self.made.lock().unwrap_or_else(PoisonError::into_inner) = toolbox.made();
        }
        let close = async {
            if let Some(toolbox) = toolbox {
                toolbox.close().await;
            }
        };
        tokio::join!(self.after(question, written, reply), close).0
    }

    /// The models to ask. Where there are several, those that others found failing are left alone.
    async fn chain(&self, question: &Question<'_>) -> Result<Result<Chain, model::Error>, store::Error> {
        let (services, config) = (self.services, &*self.place.config);
        let name = &question.persona.model;
        let cooldowns = match in_order(config, name).len() {
            0 | 1 => Cooldowns::default(),
            _ => Cooldowns { until: services.store.cooldowns(now()).await? },
        };
        let calls = config.limits.model_calls.max(1);
        Ok(services.models.chain(services.keys(), config, name, cooldowns, calls).await)
    }

    async fn tried(
        &self,
        work: &Work<'_>,
        ask: &mut Ask,
        resumed: Option<&Resumed>,
    ) -> Result<Reply, model::Error> {
        if let Some(resumed) = resumed {
            self.resume(work, resumed, ask).await;
        }
        self.converse(work, ask).await
    }

    /// What the messages say once the hooks before the model had them, in order.
    async fn before(&self, question: &Question<'_>) -> Result<Vec<Spoken>, Reply> {
        let mut all: Vec<Spoken> = Vec::new();
        let hooks = question.persona.hooks(&self.place.config);
        for waiting in &question.waiting {
            let mut spoken = self.meant(question, &waiting.inbound);
            if hooks.is_empty() {
                all.append(&mut spoken);
                continue;
            }
            for mut one in spoken {
                let (tools, secrets) = (&self.services.tools, self.tool_secrets().await);
                let context = self.context(question);
                match tools::pre_process(tools, &hooks, &secrets, &context, one.text).await {
                    Ok(Before::Ask(text)) => one.text = text,
                    Ok(Before::Reply(text)) => return Err(Reply::Notice(text)),
                    Ok(Before::Stop) => return Err(Reply::Silent),
                    Err(error) => {
                        tracing::error!(conversation = %self.conversation, error = error.kind(), "a hook failed, so nothing is asked");
                        return Err(Reply::Notice(HOOK_FAILED.to_owned()));
                    }
                }
                all.push(one);
            }
        }
        Ok(all)
    }

    /// What a message asks: what it says, unless it is a command of which the model has a part.
    fn meant(&self, question: &Question<'_>, inbound: &Inbound) -> Vec<Spoken> {
        if inbound.due {
            return vec![self.spoken(inbound, true)];
        }
        match (Command::parse(inbound.text()), &question.redo) {
            (Some(Command::Compact), _) => return Vec::new(),
            (Some(Command::Retry), Some(redo)) => return redo.messages.clone(),
            _ => {}
        }
        if let Some(reply) = pending::reply(inbound.text()).filter(|reply| reply.id.is_some()) {
            let text = if reply.yes { "Yes." } else { "No." };
            return vec![Spoken { text: text.to_owned(), ..self.spoken(inbound, true) }];
        }
        let persona = &question.persona;
        let found = custom(&self.place.config.commands, &persona.assistant.commands, inbound.text());
        let asked = found.and_then(|found| match &found.command.assistant {
            Some(_) => Some(found.text.to_owned()),
            None => found.ask(&self.variables(persona, inbound, now())),
        });
        vec![
            asked.map_or_else(
                || self.spoken(inbound, true),
                |text| Spoken { text, ..self.spoken(inbound, true) },
            ),
        ]
    }

    /// What is said once the hooks after the model had it.
    async fn after(
        &self,
        question: &Question<'_>,
        written: &Written,
        reply: Result<Reply, model::Error>,
    ) -> Result<Reply, Trouble> {
        let (text, cut, whole) = match reply {
            Ok(Reply::Answered { text, cut }) => (text, cut, true),
            Ok(reply) => return Ok(reply),
            // Of what was seen nothing is taken back.
            Err(_) if !written.text().trim().is_empty() => (written.text(), false, false),
            Err(error) => return Ok(Reply::Failed(error)),
        };
        let hooks = question.persona.hooks(&self.place.config);
        let text = if hooks.is_empty() {
            text
        } else {
            let (tools, secrets) = (&self.services.tools, self.tool_secrets().await);
            match tools::post_process(tools, &hooks, &secrets, &self.context(question), text).await {
                Ok(text) => text,
                Err(error) => {
                    tracing::error!(conversation = %self.conversation, error = error.kind(), "a hook failed, so the answer is not said");
                    return Ok(Reply::Notice(HOOK_FAILED.to_owned()));
                }
            }
        };
        Ok(if whole { Reply::Answered { text, cut } } else { Reply::BrokeOff(text) })
    }

    /// What the model may call; `None` where the assistant has no tools, or a try before this one may have died of them.
    async fn toolbox(&self, question: &Question<'_>) -> Result<Option<Toolbox<'_>>, Trouble> {
        let config = &self.place.config;
        let tools = question.persona.tools(config);
        if question.careful || tools.is_empty() {
            return Ok(None);
        }
        let secrets = self.tool_secrets().await;
        let knowledge = self.services.keys().knowledge(config).await;
        let given = Given { tools, secrets: &secrets, knowledge };
        let left = question.deadline.saturating_duration_since(std::time::Instant::now());
        let budget = Budget::new(config.limits.tool_calls, left.as_secs());
        Ok(Some(Toolbox::open(&self.services.tools, given, self.context(question), budget).await))
    }

    /// The secrets of tools and hooks. Without them, those that need one say so.
    async fn tool_secrets(&self) -> channel::Secrets {
        let path = format!("{}/tool", self.services.secrets_root);
        self.services.secrets.of_account(&path).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "the secrets of the tools cannot be read");
            channel::Secrets::default()
        })
    }

    /// What tools and hooks are told of the turn.
    pub(super) fn context(&self, question: &Question<'_>) -> tools::Context {
        let inbound = question.newest;
        tools::Context {
            assistant: question.persona.name.clone(),
            channel: inbound.channel.clone(),
            account: inbound.account.clone(),
            conversation: self.conversation.to_string(),
            chat: inbound.conversation.chat.clone(),
            user: inbound.sender.id.clone(),
            user_name: inbound.sender.name.clone(),
            turn: format!("{}/{}", self.conversation, question.number),
            zone: question.persona.assistant.zone.as_deref().and_then(calendar::zone),
        }
    }

    /// Models that failed are left alone by everybody for a while.
    async fn leave_alone(&self, chain: &Chain) {
        for (model, until) in chain.cooled() {
            if let Err(error) = self.services.store.cool_down(&model, until).await {
                tracing::warn!(model, %error, "others do not know that this model failed");
            }
        }
    }
}
