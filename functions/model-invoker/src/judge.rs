//! Who may talk, within which caps: the facts from the table, the judgement from `turn::access`.

use channel::{Address, Conversation, ConversationKey, End, Home, Inbound, Kind, Part, Settled};
use turn::access::{self, Cap, Judgement, Refusal, Role, Standing};
use turn::commands::{Command, as_claim, custom};
use turn::{Change, Fate, Head, Waiting, pending};

use crate::reminder::Come;
use crate::run::{Run, Trouble};
use crate::{day, minute, now};

/// How long the platform's word on who somebody is holds, milliseconds.
const HOME_FRESH_MS: i64 = 24 * 3_600_000;

/// An echo of what we posted comes within so many turns.
const ECHO_TURNS: usize = 20;

/// The answer to `/retry` where there is nothing to answer anew.
pub(crate) const NOTHING_TO_RETRY: &str = "There is nothing that I could answer anew.";

/// A ready-made answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Words {
    pub text: String,
    /// The history starts anew.
    pub reset: bool,
    /// What became of the question.
    pub end: End,
    /// What else its commit changes.
    pub change: Change,
    /// The operator's own, in the place of an answer: the first one says as well that an assistant answers.
    pub answers: bool,
}

impl Words {
    pub(crate) fn of(text: impl Into<String>) -> Words {
        Words { text: text.into(), ..Words::default() }
    }
}

impl Run<'_> {
    /// The fate of a message in the inbox, and the words where it is a ready-made answer.
    pub(crate) async fn fate(
        &self,
        waiting: &Waiting,
        head: &Head,
        paused: bool,
        now: i64,
    ) -> Result<(Fate, Option<Words>), Trouble> {
        let inbound = &waiting.inbound;
        let come = match inbound.due && waiting.tries == 0 {
            true => Some(self.come_due(inbound, now).await?),
            false => None,
        };
        if come == Some(Come::Cancelled) {
            return Ok((Fate::Drop, None));
        }
        let mut judgement = self.judgement(inbound, paused, now).await?;
        if judgement == Judgement::Claim {
            if self.claimed(inbound, now).await? {
                return Ok(say(Words::of("You own this assistant now.")));
            }
            judgement = Judgement::Refuse(Refusal::Stranger);
        }
        Ok(match judgement {
            Judgement::Answer if waiting.tries > 0 => (Fate::Answer, None),
            Judgement::Answer if come == Some(Come::Again) => self.said_again(inbound, now).await?,
            Judgement::Answer if inbound.due => (Fate::Answer, None),
            Judgement::Answer => match self.custom_reply(inbound, head, now) {
                Some(words) => say(words),
                None => self.asked(inbound, now).await?,
            },
            Judgement::Store if inbound.kind == Kind::OperatorSaid => {
                (self.operator_said(inbound, now).await?, None)
            }
            Judgement::Store => (Fate::Store, None),
            Judgement::Command(Command::Retry | Command::Compact) if waiting.tries > 0 => {
                (Fate::Answer, None)
            }
            Judgement::Command(Command::Retry) if self.last_turn(head, now).await?.is_none() => {
                say(Words::of(NOTHING_TO_RETRY))
            }
            Judgement::Command(Command::Retry | Command::Compact) => self.asked(inbound, now).await?,
            Judgement::Command(command) => say(self.command(command, inbound, head, now).await?),
            Judgement::Refuse(refusal) => self.refused(refusal, inbound, now).await?,
            Judgement::Claim => (Fate::Drop, None),
        })
    }

    /// Judged by who wrote it and where, nothing counted yet.
    pub(crate) async fn judgement(
        &self,
        inbound: &Inbound,
        paused: bool,
        now: i64,
    ) -> Result<Judgement, store::Error> {
        let store = &self.services.store;
        let access = self.place.channel.access(self.place.room.spec());
        let person = store.person(&inbound.channel, &inbound.account, &inbound.sender.id).await?;
        let role = person.as_ref().map_or(Role::Stranger, |person| person.role);
        if role == Role::Owner {
            self.reached(inbound, person.as_ref().and_then(|person| person.reach.as_ref()), now).await?;
        }
        let group_allowed = inbound.kind == Kind::Group
            && access != turn::config::Access::Open
            && store.group_allowed(&inbound.channel, &inbound.account, &inbound.conversation.chat).await?;
        let home = match (inbound.sender.home, access) {
            (Home::Unknown, turn::config::Access::Workspace) => {
                self.home(inbound, person.as_ref(), now).await?
            }
            (home, _) => home,
        };
        let listed = self.place.channel.people.contains(&inbound.sender.id);
        Ok(access::judge(inbound, &Standing { access, role, listed, home, group_allowed, paused }))
    }

    /// An owner writes in private: there they are told from now on when somebody needs a person.
    async fn reached(
        &self,
        inbound: &Inbound,
        known: Option<&Address>,
        now: i64,
    ) -> Result<(), store::Error> {
        let here = inbound.address.lasting(self.place.room.keeps());
        if inbound.kind != Kind::Dm || inbound.due || known == Some(&here) {
            return Ok(());
        }
        self.services.store.set_reach(inbound.into(), &here, now).await
    }

    /// A message on the business's side. One that we posted ourselves comes back to us and is dropped; a human's own
    /// keeps the assistant silent here for a while, or as `/bot` says.
    async fn operator_said(&self, inbound: &Inbound, now: i64) -> Result<Fate, store::Error> {
        let store = &self.services.store;
        if let Some(echo) = &inbound.echo_of {
            let turns = store.history(&self.conversation, 0, ECHO_TURNS, usize::MAX, now).await?;
            if turns.iter().any(|turn| turn.ids.iter().flatten().any(|id| id == echo)) {
                return Ok(Fate::Drop);
            }
        }
        match Command::parse(inbound.text()) {
            Some(Command::Bot { on }) => {
                store.pause(&self.conversation, if on { 0 } else { i64::MAX }).await?;
                Ok(Fate::Drop)
            }
            _ => {
                store.pause(&self.conversation, self.place.channel.paused_until(now)).await?;
                Ok(Fate::Store)
            }
        }
    }

    /// Asks the platform who the sender is, at most once a day.
    async fn home(
        &self,
        inbound: &Inbound,
        person: Option<&store::Person>,
        now: i64,
    ) -> Result<Home, store::Error> {
        if let Some(known) = person.filter(|person| now - person.home_checked_at < HOME_FRESH_MS) {
            return Ok(known.home);
        }
        let Some(lookup) = &inbound.sender.lookup else { return Ok(Home::Unknown) };
        let home = match self.fetch(lookup, now).await {
            Some(Settled::Person(home)) => home,
            _ => {
                tracing::warn!(channel = inbound.channel, "the platform does not say who a sender is");
                Home::Unknown
            }
        };
        if home != Home::Unknown {
            self.services.store.set_home(inbound, home, now).await?;
        }
        Ok(home)
    }

    /// Counts an answer in the message's thread, where the channel bounds them, and says whether it is one too many. Then nothing
    /// is said: what writes there may answer to every word, each time by another name.
    pub(crate) async fn has_answered_enough(
        &self,
        inbound: &Inbound,
        now: i64,
    ) -> Result<bool, store::Error> {
        let Some(most) = self.place.room.answers_a_day(&self.place.settings) else { return Ok(false) };
        let Conversation { chat, thread } = &inbound.conversation;
        let (chat, thread) = thread.as_deref().map_or((chat.as_str(), ""), |thread| ("", thread));
        let scope = ConversationKey::of(&inbound.channel, &inbound.account, chat, thread);
        let scope = format!("answers#{scope}");
        let count = self.services.store.count(&scope, &day(now), 1, now).await?;
        if count > u64::from(most) {
            self.services.store.count("answered_enough", &day(now), 1, now).await?;
            tracing::warn!(conversation = %self.conversation, most, "no more answers here today");
        }
        Ok(count > u64::from(most))
    }

    /// Counts the turn and says which cap it goes over.
    pub(crate) async fn capped(&self, inbound: &Inbound, now: i64) -> Result<Option<Cap>, store::Error> {
        let limits = &self.place.config.limits;
        for cap in Cap::ALL.into_iter().filter(|cap| cap.limit(limits) > 0) {
            let period = if cap.is_of_minute() { minute(now) } else { day(now) };
            let count = self.services.store.count(&cap.scope(inbound), &period, 1, now).await?;
            if count > u64::from(cap.limit(limits)) {
                return Ok(Some(cap));
            }
        }
        Ok(None)
    }

    /// One honest line a day; after it, silence that is counted.
    pub(crate) async fn said_once(
        &self,
        what: &str,
        inbound: &Inbound,
        line: &str,
        now: i64,
    ) -> Result<(Fate, Option<Words>), store::Error> {
        let store = &self.services.store;
        store.count(what, &day(now), 1, now).await?;
        let scope = format!("{what}#{}#{}", self.conversation, inbound.sender.id);
        if !store.once(&scope, &day(now), now).await? {
            return Ok((Fate::Drop, None));
        }
        Ok(say(Words { end: End::Capped, ..Words::of(line) }))
    }

    pub(crate) async fn refused(
        &self,
        refusal: Refusal,
        inbound: &Inbound,
        now: i64,
    ) -> Result<(Fate, Option<Words>), store::Error> {
        let store = &self.services.store;
        store.count(&format!("refused_{}", refusal.name()), &day(now), 1, now).await?;
        match refusal {
            Refusal::Stranger => store.knocked(inbound, now).await?,
            Refusal::GroupNotAllowed => {
                let person = store.person(&inbound.channel, &inbound.account, &inbound.sender.id).await?;
                if person.is_some_and(|person| person.role == Role::Owner) {
                    return Ok(say(Words::of("I do not answer in this group yet. Write /allow and I will.")));
                }
            }
            Refusal::Bot | Refusal::NotAddressed => {}
        }
        Ok((Fate::Drop, None))
    }

    /// Takes away what the platform shows in the place of an answer ("thinking…"): none will come, and nobody waits for it.
    pub(crate) async fn dismiss(&self, inbound: &Inbound) {
        let at = now();
        for step in self.steps(&[Part::Dismiss], &inbound.address, "dismiss", at) {
            self.send(&step.optional(), at).await;
        }
    }

    async fn claimed(&self, inbound: &Inbound, now: i64) -> Result<bool, store::Error> {
        let Some(code) = as_claim(inbound.text()) else { return Ok(false) };
        let claimed = self.services.store.claim(code, inbound, now).await?;
        if claimed {
            self.reached(inbound, None, now).await?;
        }
        Ok(claimed)
    }

    /// For the model, where the caps leave room.
    async fn asked(&self, inbound: &Inbound, now: i64) -> Result<(Fate, Option<Words>), store::Error> {
        match self.capped(inbound, now).await? {
            None => Ok((Fate::Answer, None)),
            Some(cap) => self.said_once(cap.name(), inbound, cap.line(), now).await,
        }
    }

    /// What one of the operator's own commands says without a model.
    fn custom_reply(&self, inbound: &Inbound, head: &Head, now: i64) -> Option<Words> {
        if inbound.due || pending::reply(inbound.text()).is_some_and(|reply| reply.id.is_some()) {
            return None;
        }
        let config = &self.place.config;
        let persona = self.persona(head, inbound);
        let found = custom(&config.commands, &persona.assistant.commands, inbound.text())?;
        if let Some(reply) = found.reply(&self.variables(&persona, inbound, now)) {
            return Some(Words { answers: true, ..Words::of(reply) });
        }
        // With a question behind it, the one it names answers that.
        let name = found.command.assistant.as_ref().filter(|_| found.text.is_empty())?;
        let change = Change { assistant: Some(Some(name.clone())), model: Some(None), ..Change::default() };
        Some(Words { change, ..Words::of(format!("{name} answers here from now on.")) })
    }
}

fn say(words: Words) -> (Fate, Option<Words>) {
    (Fate::Say { reset: words.reset }, Some(words))
}
