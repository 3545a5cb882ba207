//! From messages to what is said.

use std::sync::PoisonError;

use channel::Kind;
use model::{Ask, Chain, Cooldowns};
use tools::{Budget, Given, Toolbox};
use turn::calendar;
use turn::config::{Tool, ToolKind};
use turn::pending::Pending;
use turn::spend::SpendCap;

use super::Question;
use super::confirm::Resumed;
use super::heard::HOOK_FAILED;
use super::prompt::Past;
use super::steps::Work;
use super::tally::Tally;
use super::written::Written;
use crate::judge::NOTHING_TO_RETRY;
use crate::models::in_order;
use crate::now;
use crate::run::{Run, Trouble};

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
    /// The same, in the place of an answer: the operator's own.
    Ready(String),
    /// The same, because a cap is reached.
    Capped(String),
    /// The same in place of an answer that could not be given.
    Unable(&'static str),
    /// The model wants to do something that the person is asked about; `text` is what it wrote before.
    Asks {
        pending: Box<Pending>,
        text: String,
        question: String,
    },
    /// It broke off after this text.
    BrokeOff(String),
    /// A cap has no room for it.
    NoMoney(SpendCap),
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
        if let Some(reply) = self.read_files(question, epoch, tally).await? {
            return Ok(reply);
        }
        let heard = match self.before(question, self.heard(question, resumed.as_ref())).await {
            Ok(heard) => question.heard.get_or_init(|| heard),
            Err(reply) => return Ok(reply),
        };
        let chain = match self.chain(question).await? {
            Ok(chain) => chain,
            Err(error) => return Ok(Reply::Failed(error)),
        };
        let mut past = self.past(question).await?;
        self.check_past(question, &mut past).await;
        let summed_up = self.summed_up(question, epoch, &chain, tally, &mut past).await?;
        let nothing_asked = heard.iter().all(|heard| heard.asked.is_none());
        if let (true, Err(cap)) = (nothing_asked, summed_up) {
            return Ok(self.refused_by(question, cap).await?);
        }
        if nothing_asked {
            let line = match (question.compact, &past.summary) {
                (true, Some(_)) => SUMMED_UP,
                (true, None) => NOTHING_TO_SUM_UP,
                (false, _) => NOTHING_TO_RETRY,
            };
            return Ok(Reply::Notice(line.to_owned()));
        }
        let budget = question.persona.assistant.history.tokens;
        let mut ask = self.prompt(question, heard, &past, budget).await?;
        let toolbox = self.toolbox(question).await?;
        ask.tools = toolbox.as_ref().map(Toolbox::specs).unwrap_or_default();
        let work = Work { question, epoch, chain: &chain, toolbox: toolbox.as_ref(), written, tally };
        let mut reply = self.tried(&work, &mut ask, resumed.as_ref()).await?;
        if let Err(model::Error::TooLong) = reply {
            let mut shorter =
                Ask { tools: ask.tools, ..self.prompt(question, heard, &Past::default(), 0).await? };
            reply = self.tried(&work, &mut shorter, resumed.as_ref()).await?;
        }
        if let Ok(Reply::NoMoney(cap)) = reply {
            reply = Ok(self.refused_by(question, cap).await?);
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
    ) -> Result<Result<Reply, model::Error>, store::Error> {
        if let Some(resumed) = resumed {
            // Nothing is done of which there is no money to tell.
            if let Err(cap) = self.reserve(work.question, work.epoch, ask, work.tally).await? {
                return Ok(Ok(Reply::NoMoney(cap)));
            }
            self.resume(work, resumed, ask).await;
        }
        self.converse(work, ask).await
    }

    /// What is said once the hooks after the model had it.
    async fn after(
        &self,
        question: &Question<'_>,
        written: &Written,
        reply: Result<Reply, model::Error>,
    ) -> Result<Reply, Trouble> {
        let mut reply = match reply {
            // A question may stand alone, without words before it.
            Ok(Reply::Asks { pending, text, question }) if text.trim().is_empty() => {
                return Ok(Reply::Asks { pending, text, question });
            }
            Ok(reply) => reply,
            // Of what was seen nothing is taken back.
            Err(_) if !written.text().trim().is_empty() => Reply::BrokeOff(written.text()),
            Err(error) => return Ok(Reply::Failed(error)),
        };
        let (Reply::Answered { text, .. } | Reply::Asks { text, .. } | Reply::BrokeOff(text)) = &mut reply
        else {
            return Ok(reply);
        };
        let hooks = question.persona.hooks(&self.place.config);
        if hooks.is_empty() {
            return Ok(reply);
        }
        let (tools, secrets) = (&self.services.tools, self.tool_secrets().await);
        match tools::post_process(tools, &hooks, &secrets, &self.context(question), std::mem::take(text))
            .await
        {
            Ok(hooked) => *text = hooked,
            Err(error) => {
                tracing::error!(conversation = %self.conversation, error = error.kind(), "a hook failed, so the answer is not said");
                return Ok(Reply::Unable(HOOK_FAILED));
            }
        }
        Ok(reply)
    }

    /// What the model may call; `None` where the assistant has no tools, or a try before this one may have died of them.
    async fn toolbox(&self, question: &Question<'_>) -> Result<Option<Toolbox<'_>>, Trouble> {
        let config = &self.place.config;
        let mut tools = question.persona.tools(config);
        // Notes are about one person, and not kept in groups: there is nothing to call then.
        let notes = question.persona.assistant.memory.notes && question.newest.kind == Kind::Dm;
        tools.retain(|(_, tool)| notes || !matches!(tool.kind, ToolKind::Remember | ToolKind::Forget));
        if question.careful || tools.is_empty() {
            return Ok(None);
        }
        let needs_secret = |(_, tool): &(String, Tool)| tool.secret.is_some() || !tool.headers.is_empty();
        let secrets = match tools.iter().any(needs_secret) {
            true => self.tool_secrets().await,
            false => channel::Secrets::default(),
        };
        let knowledge = self.services.keys().knowledge(config).await;
        let given = Given { tools, secrets: &secrets, knowledge };
        let left = question.deadline.saturating_duration_since(std::time::Instant::now());
        let budget = Budget::new(config.limits.tool_calls, left.as_secs());
        Ok(Some(Toolbox::open(&self.services.tools, given, self.context(question), budget).await))
    }

    /// The secrets of tools and hooks. Without them, those that need one say so.
    pub(super) async fn tool_secrets(&self) -> channel::Secrets {
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
    pub(super) async fn leave_alone(&self, chain: &Chain) {
        for (model, until) in chain.cooled() {
            if let Err(error) = self.services.store.cool_down(&model, until).await {
                tracing::warn!(model, %error, "others do not know that this model failed");
            }
        }
    }
}
