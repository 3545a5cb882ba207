//! What is wrong with a channel's entry.

use ::channel::Spec;

use super::{Faults, names};
use crate::config::{Access, COMMON_KEYS, Channel, Overlap, Streaming};

impl Faults<'_> {
    pub(super) fn channel(&mut self, key: &str, channel: &Channel, spec: &Spec) {
        let own = spec.settings.iter().map(|(known, _)| known);
        for name in channel.settings.keys() {
            if !COMMON_KEYS.iter().chain(own.clone()).any(|known| known == name) {
                let known = names(COMMON_KEYS.iter().chain(own.clone()));
                self.add(format!("{key}.{name}"), format!("unknown key; there is {known}"));
            }
        }
        for base in channel.urls.keys() {
            self.name(
                format!("{key}.urls.{base}"),
                "address",
                base,
                spec.bases.iter().map(|(known, _)| known),
            );
        }
        self.who_answers(key, channel);
        self.what_the_platform_allows(key, channel, spec);
        let limits = &self.config.limits;
        if channel.access == Some(Access::Open) && (limits.per_person == 0 || limits.per_stack == 0) {
            let problem = "open needs the daily caps limits.per_person and limits.per_stack, not 0";
            self.add(format!("{key}.access"), problem);
        }
        for (name, account) in &channel.accounts {
            self.channel(&format!("{key}.accounts.{name}"), account, spec);
        }
    }

    fn who_answers(&mut self, key: &str, channel: &Channel) {
        let assistants = self.config.assistants.keys();
        if let Some(name) = &channel.assistant {
            self.name(format!("{key}.assistant"), "assistant", name, assistants.clone());
        }
        for (place, name) in channel.assistants.iter().enumerate() {
            self.name(format!("{key}.assistants.{place}"), "assistant", name, assistants.clone());
        }
        if let Some(prompt) = &channel.prompt {
            self.prompt(format!("{key}.prompt"), prompt);
        }
        for (chat, here) in &channel.conversations {
            if let Some(name) = &here.assistant {
                self.name(
                    format!("{key}.conversations.{chat}.assistant"),
                    "assistant",
                    name,
                    assistants.clone(),
                );
            }
            if let Some(prompt) = &here.prompt {
                self.prompt(format!("{key}.conversations.{chat}.prompt"), prompt);
            }
        }
    }

    fn what_the_platform_allows(&mut self, key: &str, channel: &Channel, spec: &Spec) {
        let title = spec.title;
        if channel.access == Some(Access::Workspace) && !spec.tenant {
            let problem = format!("{title} does not say which workspace a sender belongs to");
            self.add(format!("{key}.access"), problem);
        }
        let each = spec.overlap == ::channel::Overlap::Each;
        if each && channel.overlap.is_some_and(|set| set != Overlap::Each) {
            let problem = format!("on {title} every message has a reply of its own: each, or leave it out");
            self.add(format!("{key}.overlap"), problem);
        }
        if spec.idempotency_key && channel.on_doubt.is_some() {
            let problem = format!("{title} never shows a message twice: there is no doubt, leave it out");
            self.add(format!("{key}.on_doubt"), problem);
        }
        let problem = match (spec.streaming, channel.streaming) {
            (::channel::Streaming::Off, Some(Streaming::Edit | Streaming::Native)) => {
                format!("on {title} an answer is shown when it is complete: off, or leave it out")
            }
            (::channel::Streaming::Edit, Some(Streaming::Native)) => {
                format!("{title} has no way of its own to show an answer that is being written: edit or off")
            }
            _ => return,
        };
        self.add(format!("{key}.streaming"), problem);
    }
}
