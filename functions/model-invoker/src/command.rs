//! What people command: the answer, and what it changes.

use channel::{Inbound, Kind};
use store::Who;
use turn::access::{Cap, Role};
use turn::commands::{Command, choose_assistant, choose_model, help, last_turn};
use turn::spend::{Used, usage_text};
use turn::template::{Variables, fill};
use turn::{Change, Head, Turn, calendar, language};

use crate::day;
use crate::judge::Words;
use crate::persona::Persona;
use crate::run::Run;

/// The last turn that can be taken back stands among so many.
const LAST_TURNS: usize = 20;

impl Run<'_> {
    /// The answer to a command, its effect included. What its turn changes is left to the commit.
    pub(crate) async fn command(
        &self,
        command: Command,
        inbound: &Inbound,
        head: &Head,
        now: i64,
    ) -> Result<Words, store::Error> {
        let store = &self.services.store;
        let persona = self.persona(head, inbound);
        Ok(match command {
            Command::Help => Words::of(self.help(&persona)),
            Command::Start => match &persona.assistant.greeting {
                Some(greeting) => {
                    let text = fill(greeting, &self.variables(&persona, inbound, now));
                    Words { answers: true, ..Words::of(text) }
                }
                None => Words::of(self.help(&persona)),
            },
            Command::New => {
                Words { reset: true, ..Words::of("Let us start over. I have forgotten what we said.") }
            }
            Command::Undo => self.undo(head, now).await?,
            Command::Model { name } => {
                let (config, owner) = (&self.place.config, self.is_owner(inbound).await?);
                let current = head.model.as_deref();
                let chosen = choose_model(config, &persona.assistant, current, owner, name.as_deref());
                Words { change: chosen.change, ..Words::of(chosen.text) }
            }
            Command::Assistant { name } => self.assistant_here(&persona, inbound, head, name).await?,
            Command::Usage => Words::of(self.usage(inbound, now).await?),
            Command::Memory | Command::Forget { .. } if inbound.kind != Kind::Dm => {
                Words::of("In groups I remember nothing about people. Ask me in a private chat.")
            }
            Command::Memory => {
                let remembers = self.place.config.remembers(&persona.assistant);
                Words::of(store.notes(Who::from(inbound)).await?.list(remembers))
            }
            Command::Forget { id: None } => Words::of("Which note? `/memory` shows their numbers."),
            Command::Forget { id: Some(id) } => match store.remove_note(Who::from(inbound), id).await? {
                true => Words::of("I have forgotten it."),
                false => Words::of(format!("There is no note {id}. `/memory` shows them all.")),
            },
            Command::Stop => match store.cancel(&self.conversation, now).await? {
                true => Words::of("Stopped."),
                false => Words::of("I am not writing anything at the moment."),
            },
            Command::Allow if inbound.kind == Kind::Group => {
                let address = inbound.address.lasting(self.place.room.keeps());
                store.allow_group(inbound, &address, now).await?;
                Words::of("I answer in this group from now on. Mention me when you want me.")
            }
            Command::Allow => Words::of("/allow is for groups: here I answer you already."),
            Command::Bot { on: true } => {
                store.pause(&self.conversation, 0).await?;
                Words::of("I answer here again.")
            }
            Command::Bot { on: false } => {
                store.pause(&self.conversation, i64::MAX).await?;
                Words::of("I am silent here until somebody writes /bot on.")
            }
            Command::Status => Words::of(self.status(&persona, inbound, head, now).await?),
            // The model has a part in these: they are asked like messages.
            Command::Retry | Command::Compact => Words::default(),
        })
    }

    /// What templates are filled with.
    pub(crate) fn variables<'a>(
        &'a self,
        persona: &'a Persona,
        inbound: &'a Inbound,
        now: i64,
    ) -> Variables<'a> {
        Variables {
            user_name: &inbound.sender.name,
            channel: self.place.room.spec().title,
            group: inbound.kind == Kind::Group,
            assistant: &persona.name,
            language: language::name(language::of(&persona.assistant, inbound.text())),
            zone: persona.assistant.zone.as_deref(),
            now,
            ..Variables::default()
        }
    }

    /// The turn that can be taken back.
    pub(crate) async fn last_turn(&self, head: &Head, now: i64) -> Result<Option<Turn>, store::Error> {
        let store = &self.services.store;
        let turns = store.history(&self.conversation, head.since, LAST_TURNS, usize::MAX, now).await?;
        Ok(last_turn(&turns, head.summary_to).cloned())
    }

    async fn undo(&self, head: &Head, now: i64) -> Result<Words, store::Error> {
        Ok(match self.last_turn(head, now).await? {
            Some(turn) => Words {
                change: Change { undone: Some(turn.number), ..Change::default() },
                ..Words::of("I have taken back your last message and my answer to it.")
            },
            None => Words::of("There is nothing that I could take back."),
        })
    }

    fn help(&self, persona: &Persona) -> String {
        help(&self.place.config, &persona.assistant, &self.place.channel.assistants)
    }

    async fn is_owner(&self, inbound: &Inbound) -> Result<bool, store::Error> {
        let person =
            self.services.store.person(&inbound.channel, &inbound.account, &inbound.sender.id).await?;
        Ok(person.is_some_and(|person| person.role == Role::Owner))
    }

    async fn assistant_here(
        &self,
        persona: &Persona,
        inbound: &Inbound,
        head: &Head,
        name: Option<String>,
    ) -> Result<Words, store::Error> {
        let owner = self.is_owner(inbound).await?;
        let unchosen = Head { assistant: None, ..head.clone() };
        let configured = self.persona(&unchosen, inbound).name;
        let (config, channel) = (&self.place.config, &self.place.channel);
        let chosen = choose_assistant(config, channel, &configured, &persona.name, owner, name.as_deref());
        Ok(Words { change: chosen.change, ..Words::of(chosen.text) })
    }

    async fn usage(&self, inbound: &Inbound, now: i64) -> Result<String, store::Error> {
        let who = (inbound.channel.as_str(), inbound.account.as_str(), inbound.sender.id.as_str());
        let lines = self.services.store.usage(&calendar::month(now), Some(who), now).await?;
        let (mut today, mut month) = (Used::default(), Used::default());
        for line in lines {
            month += line.used;
            if line.day == calendar::day(now) {
                today += line.used;
            }
        }
        Ok(usage_text(today, month, &self.place.config.limits))
    }

    async fn status(
        &self,
        persona: &Persona,
        inbound: &Inbound,
        head: &Head,
        now: i64,
    ) -> Result<String, store::Error> {
        let (store, limits) = (&self.services.store, &self.place.config.limits);
        let model = self.place.config.models.get(&persona.model);
        let model =
            model.map_or("no model".to_owned(), |model| format!("{} {}", model.provider, model.model));
        let doing = if head.until > now { "I am writing an answer." } else { "I am here, and idle." };
        let used = match limits.per_person {
            0 => String::new(),
            most => {
                let used = store.counted(&Cap::Person.scope(inbound), &day(now)).await?;
                format!("{used} of {most} messages today, ")
            }
        };
        let turns = head.next.saturating_sub(head.since);
        Ok(format!("{doing}\nModel: {}\n{used}{turns} turns in this conversation.", model.trim()))
    }
}
