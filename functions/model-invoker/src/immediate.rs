//! Commands that are answered beside a turn that may be running: they are judged like every message and take no lease.

use channel::{Kind, Part, Settled};
use turn::access::Judgement;
use turn::commands::Command;
use turn::machine::{LEASE_MS, TOKEN_S};

use crate::invoke::NEWER_S;
use crate::run::{Outcome, Run, Trouble};
use crate::{failpoint, now};

impl Run<'_> {
    /// The command that the message is, where it is one that does not wait.
    pub fn immediate(&self) -> Option<Command> {
        let said_to_us = self.inbound.kind != Kind::OperatorSaid && !self.inbound.due;
        Command::parse(self.inbound.text()).filter(|command| said_to_us && command.is_immediate())
    }

    /// Answers it; a redelivery of an answered one is given up.
    pub async fn answer_at_once(&mut self) -> Outcome {
        match self.at_once().await {
            Ok(outcome) => outcome,
            Err(trouble) => {
                tracing::warn!(conversation = %self.conversation, %trouble, "a service did not do its part");
                Outcome::Returned(if trouble.is_other_release() { NEWER_S } else { 5 })
            }
        }
    }

    async fn at_once(&mut self) -> Result<Outcome, Trouble> {
        self.keep_hidden().await?;
        let id = channel::short_id(&self.inbound.id);
        let begun = self.services.store.begin(&self.conversation, &id, now(), now() + LEASE_MS).await?;
        match begun {
            store::Begun::Done => return Ok(Outcome::Acknowledged),
            store::Begun::Busy => return Ok(Outcome::Returned(TOKEN_S)),
            store::Begun::First | store::Begun::Again => {}
        }
        let mut discloses = false;
        let text = match self.judgement(&self.inbound, false, now()).await? {
            Judgement::Command(command) => {
                let head = self.services.store.head(&self.conversation).await?;
                let words = self.command(command, &self.inbound, &head, now()).await?;
                let disclosure = self.disclosed_before(&words, &head, &self.inbound);
                discloses = disclosure.is_some();
                Some(disclosure.into_iter().chain([words.text]).collect::<Vec<_>>().join("\n\n"))
            }
            Judgement::Refuse(refusal) => {
                self.refused(refusal, &self.inbound, now()).await?.1.map(|words| words.text)
            }
            Judgement::Answer | Judgement::Claim | Judgement::Store => None,
        };
        if let Some(seconds) = self.say_at_once(text, &id, begun == store::Begun::Again).await? {
            self.services.store.end(&self.conversation, &id, false).await?;
            return Ok(Outcome::Returned(seconds));
        }
        if discloses && self.timeline.said_at.is_some() {
            self.services.store.disclosed(&self.conversation).await?;
        }
        self.services.store.end(&self.conversation, &id, true).await?;
        Ok(Outcome::Acknowledged)
    }

    /// Posts the text. `doubt`: that was begun before, and is not known to have ended. How many seconds to wait, where the platform
    /// wants that.
    async fn say_at_once(
        &mut self,
        text: Option<String>,
        id: &str,
        doubt: bool,
    ) -> Result<Option<u32>, Trouble> {
        let Some(text) = text else { return Ok(None) };
        for step in self.steps(&[Part::Text(text)], &self.inbound.address, id, now()) {
            let step = self.place.channel.doubted(step);
            if doubt && !step.repeatable && self.is_left_in_doubt(&step).await? {
                continue;
            }
            failpoint::pass("say", "before", self.receives, self.inbound.text());
            let settled = self.send(&step, now()).await;
            failpoint::pass("say", "after", self.receives, self.inbound.text());
            match settled {
                Some(Settled::Later(after)) => {
                    let seconds = after.map_or(5, |wait| u32::try_from(wait.as_secs()).unwrap_or(u32::MAX));
                    return Ok(Some(seconds.clamp(1, 3_600)));
                }
                Some(Settled::Posted(_)) => self.timeline.said_at = Some(now()),
                other => {
                    tracing::warn!(conversation = %self.conversation, outcome = ?other, "a command's answer was not posted")
                }
            }
        }
        Ok(None)
    }
}
