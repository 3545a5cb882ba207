//! The built-in tools that change something of ours: notes, reminders, handing over to people.

use channel::{Address, Inbound, Kind, Part, Settled};
use store::{Person, Who};
use tools::{Desk, Reminder};
use turn::access::Role;

use super::Question;
use crate::channels;
use crate::delivery::Before;
use crate::now;
use crate::reminder::Failed;
use crate::run::Run;

/// Where the tools of one turn are done.
pub(super) struct Counter<'a> {
    pub run: &'a Run<'a>,
    pub question: &'a Question<'a>,
}

#[async_trait::async_trait]
impl Desk for Counter<'_> {
    async fn remember(&self, text: &str) -> Result<String, String> {
        let who = self.person()?;
        match self.run.services.store.add_note(who, text, now()).await {
            Ok(Some(note)) => Ok(format!("kept as note {}", note.id)),
            Ok(None) => Err("there is no room for another note: forget one first".to_owned()),
            Err(error) => Err(self.failed(&error)),
        }
    }

    async fn forget(&self, id: &str) -> Result<String, String> {
        let who = self.person()?;
        let id: u32 = id.parse().map_err(|_| format!("{id:?} is no id of a note: it is a number"))?;
        match self.run.services.store.remove_note(who, id).await {
            Ok(true) => Ok(format!("note {id} is forgotten")),
            Ok(false) => Err(format!("there is no note {id}")),
            Err(error) => Err(self.failed(&error)),
        }
    }

    async fn remind(&self, reminder: &Reminder) -> Result<String, String> {
        let Question { newest, persona, .. } = self.question;
        self.done(self.run.set_reminder(newest, persona.assistant.zone.as_deref(), reminder).await)
    }

    async fn list_reminders(&self) -> Result<String, String> {
        self.done(self.run.list_reminders(self.question.newest).await)
    }

    async fn cancel_reminder(&self, id: &str) -> Result<String, String> {
        self.done(self.run.cancel_reminder(self.question.newest, id).await)
    }

    async fn hand_off(&self, reason: &str) -> Result<String, String> {
        let told = self.tell_operators(reason).await.map_err(|error| self.failed(&error))?;
        let pause = self.run.services.store.pause(&self.run.conversation, i64::MAX).await;
        pause.map_err(|error| self.failed(&error))?;
        Ok(match told {
            0 => "nobody could be told, but this chat is left to people from now on: say that somebody will see it here".to_owned(),
            _ => "a colleague was told and takes over here; say so, and say goodbye".to_owned(),
        })
    }
}

impl Counter<'_> {
    /// Notes are about one person: in a group everybody would read them.
    fn person(&self) -> Result<Who<'_>, String> {
        match (self.question.newest.kind, self.question.persona.assistant.memory.notes) {
            (Kind::Dm, true) => Ok(Who::from(self.question.newest)),
            (_, true) => Err("notes are kept in 1:1 chats only".to_owned()),
            (_, false) => Err("this assistant keeps no notes".to_owned()),
        }
    }

    fn done(&self, outcome: Result<Result<String, String>, Failed>) -> Result<String, String> {
        outcome.unwrap_or_else(|error| Err(self.failed(&error)))
    }

    /// For the model; the log has the rest.
    fn failed(&self, error: &impl std::fmt::Display) -> String {
        tracing::warn!(conversation = %self.run.conversation, %error, "a built-in tool failed");
        "it failed, and may be tried again".to_owned()
    }

    /// How many conversations were told.
    async fn tell_operators(&self, reason: &str) -> Result<usize, store::Error> {
        let Question { newest, persona, .. } = self.question;
        let (chat, name) = (&newest.conversation.chat, &newest.sender.name);
        let title = self.run.place.room.spec().title;
        let text = format!(
            "**{name}** needs a person on {title} (chat {chat}): {reason}\n\nI am silent there until an owner writes `/bot on` in that chat."
        );
        let key = format!("{}/hand_off", self.question.number);
        for group in self.operators(persona.hand_off_to(&self.run.place.config)).await? {
            let mut told = 0;
            for to in group {
                told += usize::from(self.run.tell(&to, &text, &key).await);
            }
            if told > 0 {
                return Ok(told);
            }
        }
        Ok(0)
    }

    /// Who is told, those first that are told alone if it reaches any of them: the configured conversation; without one the owners of
    /// this account in private, then those of others.
    async fn operators(&self, to: Option<String>) -> Result<Vec<Vec<Address>>, store::Error> {
        let store = &self.run.services.store;
        if let Some(to) = to {
            let mut parts = to.splitn(3, '/');
            let (Some(channel), Some(account), Some(chat)) = (parts.next(), parts.next(), parts.next())
            else {
                return Ok(Vec::new());
            };
            let known = store.address_of(channel, account, chat, now()).await?;
            let keeps = channels::named(channel).map_or(&[][..], |room| room.keeps());
            return Ok(vec![vec![known.map_or_else(
                || Address {
                    channel: channel.to_owned(),
                    account: account.to_owned(),
                    chat: chat.to_owned(),
                    ..Address::default()
                },
                |known| known.lasting(keeps),
            )]]);
        }
        let people = store.people().await?;
        let owners = people.into_iter().filter(|person| person.role == Role::Owner);
        let newest = self.question.newest;
        let (here, elsewhere): (Vec<Person>, Vec<Person>) =
            owners.partition(|owner| owner.channel == newest.channel && owner.account == newest.account);
        Ok([here, elsewhere].map(|owners| owners.into_iter().filter_map(in_private).collect()).into())
    }
}

/// Where an owner is told that somebody needs a person. `None`: they never wrote to the assistant in private, and their channel
/// wants that first.
pub fn in_private(owner: Person) -> Option<Address> {
    let room = channels::named(&owner.channel)?;
    let Person { account, user, reach, .. } = owner;
    reach.or_else(|| room.private(&account, &user))
}

impl Run<'_> {
    /// Says something in another conversation, once: whether it was posted.
    async fn tell(&self, to: &Address, text: &str, key: &str) -> bool {
        let place = match self.services.place(&to.channel, &to.account, now()).await {
            Ok(place) => place,
            Err(error) => {
                tracing::warn!(channel = to.channel, account = to.account, %error, "nobody can be told there");
                return false;
            }
        };
        let inbound = Inbound {
            channel: to.channel.clone(),
            account: to.account.clone(),
            address: to.clone(),
            ..self.inbound.clone()
        };
        let there = Run::new(self.services, place, inbound, self.receipt, self.receives, self.ends_at, 0);
        let key = format!("{}/{key}", self.conversation);
        let steps = there.pushed(&[Part::Text(text.to_owned())], to, &key, now());
        let mut posted = !steps.is_empty();
        let (mut answer, mut earlier) = (String::new(), String::new());
        for step in steps {
            let before = Before { answer: &answer, earlier: &earlier };
            match there.send_after(before, &step, now()).await {
                Some(Settled::Posted(id)) => (earlier, answer) = (answer, id.unwrap_or_default()),
                outcome => {
                    tracing::warn!(
                        channel = to.channel,
                        account = to.account,
                        ?outcome,
                        "an operator was not told"
                    );
                    posted &= step.optional;
                }
            }
        }
        posted
    }
}
