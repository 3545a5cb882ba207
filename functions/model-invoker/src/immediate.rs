//! Commands that are answered beside a turn that may be running: they are judged like every message and take no lease.

use channel::{Kind, Part, Settled};
use turn::access::Judgement;
use turn::commands::Command;

use crate::now;
use crate::run::{Outcome, Run, Trouble};

impl Run<'_> {
    /// The command that the message is, where it is one that does not wait.
    pub fn immediate(&self) -> Option<Command> {
        let said_to_us = self.inbound.kind != Kind::OperatorSaid;
        Command::parse(self.inbound.text()).filter(|command| said_to_us && command.is_immediate())
    }

    /// Answers it; a redelivery of an answered one is given up.
    pub async fn answer_at_once(&mut self) -> Outcome {
        match self.at_once().await {
            Ok(outcome) => outcome,
            Err(trouble) => {
                tracing::warn!(conversation = %self.conversation, %trouble, "a service did not do its part");
                Outcome::Returned(5)
            }
        }
    }

    async fn at_once(&mut self) -> Result<Outcome, Trouble> {
        let store = &self.services.store;
        let id = channel::short_id(&self.inbound.id);
        if store.seen(&self.conversation, &id).await? {
            return Ok(Outcome::Acknowledged);
        }
        let text = match self.judgement(&self.inbound, false, now()).await? {
            Judgement::Command(command) => Some(self.command(command, &self.inbound, now()).await?.text),
            Judgement::Refuse(refusal) => {
                self.refused(refusal, &self.inbound, now()).await?.1.map(|words| words.text)
            }
            Judgement::Answer | Judgement::Claim | Judgement::Store => None,
        };
        if let Some(text) = text {
            let steps = self.steps(&[Part::Text(text)], &self.inbound.address, &id, now());
            for step in steps {
                match self.send(&step, now()).await {
                    Some(Settled::Later(after)) => {
                        let seconds =
                            after.map_or(5, |wait| u32::try_from(wait.as_secs()).unwrap_or(u32::MAX));
                        return Ok(Outcome::Returned(seconds.clamp(1, 3_600)));
                    }
                    Some(Settled::Posted(_)) => {}
                    other => {
                        tracing::warn!(conversation = %self.conversation, outcome = ?other, "a command's answer was not posted")
                    }
                }
            }
        }
        store.mark_seen(&self.conversation, &id, now()).await?;
        Ok(Outcome::Acknowledged)
    }
}
