//! Who answers here: the assistant, its model, what it may use.

use channel::Inbound;
use turn::commands::custom;
use turn::config::{Access, Assistant, Config, Disclosure, Hook, HookPoint, Tool, ToolKind};
use turn::template::fill;
use turn::{Head, Waiting, calendar, language};

use crate::judge::Words;
use crate::now;
use crate::run::Run;

/// Who answers in one conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct Persona {
    /// Its name under `assistants`.
    pub name: String,
    pub assistant: Assistant,
    /// The entry of `models` that answers: as chosen in the conversation, else the assistant's own.
    pub model: String,
    /// One of the messages calls it, by a command of the operator's: it answers from now on.
    pub called: bool,
}

impl Run<'_> {
    /// Who answers a message, as chosen in its conversation or configured for it.
    pub(crate) fn persona(&self, head: &Head, inbound: &Inbound) -> Persona {
        let config = &self.place.config;
        let chat = &inbound.conversation.chat;
        let found = config.persona(&self.place.channel, chat, head.assistant.as_deref());
        let chosen = head.model.as_ref().filter(|name| config.models.contains_key(*name));
        let model = chosen.unwrap_or(&found.assistant.model).clone();
        Persona { name: found.name, assistant: found.assistant, model, called: false }
    }

    /// Who answers these messages: whom the last of them calls, where one does.
    pub(crate) fn persona_for(&self, head: &Head, waiting: &[&Waiting], newest: &Inbound) -> Persona {
        let here = self.persona(head, newest);
        let called = waiting.iter().rev().map(|waiting| &waiting.inbound).filter(|inbound| !inbound.due);
        let called = called.into_iter().find_map(|inbound| {
            let found = custom(&self.place.config.commands, &here.assistant.commands, inbound.text())?;
            found.command.assistant.clone()
        });
        match called {
            Some(name) if name != here.name => {
                let head = Head { assistant: Some(name), model: None, ..Head::default() };
                Persona { called: true, ..self.persona(&head, newest) }
            }
            _ => here,
        }
    }
}

impl Persona {
    /// Whether the conversation starts over with the message that came at `now`, Unix milliseconds.
    pub fn resets(&self, head: &Head, now: i64) -> bool {
        calendar::resets(head.last_at, now, &self.assistant.reset, self.assistant.zone.as_deref())
    }

    /// What it may call, by the names that it goes by.
    pub fn tools(&self, config: &Config) -> Vec<(String, Tool)> {
        let named = self.assistant.tools.iter();
        named.filter_map(|name| Some((name.clone(), config.tool(name)?))).collect()
    }

    /// The programs that see its messages and answers.
    pub fn hooks(&self, config: &Config) -> Vec<(String, Hook)> {
        let named = self.assistant.hooks.iter();
        named.filter_map(|name| Some((name.clone(), config.hooks.get(name)?.clone()))).collect()
    }

    /// Whether nobody may see an answer before it is complete.
    pub fn hides_drafts(&self, config: &Config) -> bool {
        self.hooks(config).iter().any(|(_, hook)| hook.on == HookPoint::PostProcess)
    }

    /// Where operators are told that a person is needed, `<channel>/<account>/<chat>`.
    pub fn hand_off_to(&self, config: &Config) -> Option<String> {
        self.tools(config)
            .into_iter()
            .find_map(|(_, tool)| (tool.kind == ToolKind::HandOff).then_some(tool.to)?)
    }
}

impl Run<'_> {
    /// The line that an assistant answers here, where it is to be said and was not yet.
    pub(crate) fn disclosure(&self, head: &Head, persona: &Persona, inbound: &Inbound) -> Option<String> {
        let wanted = match persona.assistant.disclosure {
            Disclosure::Always => true,
            Disclosure::Never => false,
            // Members of the workspace know who answers; so do programs that have a key.
            Disclosure::Auto => {
                self.place.access() != Access::Workspace && inbound.sender.home != channel::Home::Yes
            }
        };
        if !wanted || head.disclosed {
            return None;
        }
        Some(match &persona.assistant.disclosure_text {
            Some(own) => fill(own, &self.variables(persona, inbound, now())),
            None => format!("*{}*", language::disclosure(language::of(&persona.assistant, inbound.text()))),
        })
    }

    /// The same line, where these words stand in the place of an answer.
    pub(crate) fn disclosed_before(&self, words: &Words, head: &Head, inbound: &Inbound) -> Option<String> {
        let persona = self.persona(head, inbound);
        self.disclosure(head, &persona, inbound).filter(|_| words.answers && !words.text.is_empty())
    }
}
