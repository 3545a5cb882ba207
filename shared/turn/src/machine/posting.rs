//! From a committed turn to a posted one: part by part, oldest turn first.

use channel::Settled;

use super::*;

impl State {
    /// A part is SENDING in HEAD before its call is made.
    pub(super) fn announce(&mut self, now: i64) -> Vec<Effect> {
        if self.head.open.first().is_some_and(|open| open.failed.is_some()) {
            return self.bury();
        }
        if self.token.ends_at - now < LAST_POST_MS {
            return self.hand_over();
        }
        let Some(part) = self.part_mut() else {
            self.head.open.drain(..1.min(self.head.open.len()));
            return self.record(now);
        };
        let doubt = *part == PartState::Sending;
        *part = PartState::Sending;
        let open = self.head.open.clone();
        self.to(Phase::Announcing { doubt }, Effect::Mark(open))
    }

    /// The call was not made: announced anew, it is no more in doubt than it was.
    pub(super) fn announce_again(&mut self, doubt: bool, now: i64) -> Vec<Effect> {
        if let (false, Some(part)) = (doubt, self.part_mut()) {
            *part = PartState::Planned;
        }
        self.announce(now)
    }

    pub(super) fn call(&mut self, doubt: bool) -> Vec<Effect> {
        let Some(open) = self.head.open.first() else { return self.give_back(TOKEN_S) };
        let part = open.parts.iter().position(|part| *part != PartState::Sent).unwrap_or(0);
        let call = Effect::Call { turn: open.turn, part, doubt };
        self.to(Phase::Calling { doubt }, call)
    }

    pub(super) fn settled(&mut self, settled: Settled, now: i64) -> Vec<Effect> {
        let turn = self.head.open.first().map_or(0, |open| open.turn);
        match settled {
            Settled::Posted(_) | Settled::Fetched(_) | Settled::Files(_) | Settled::Person(_) => {
                if let Some(part) = self.part_mut() {
                    *part = PartState::Sent;
                }
                if self.part_mut().is_none() {
                    self.head.open.drain(..1.min(self.head.open.len()));
                }
                self.record(now)
            }
            Settled::Later(after) => {
                let after = after.map(|wait| i64::try_from(wait.as_millis()).unwrap_or(i64::MAX));
                self.park(PartState::Planned, after, now)
            }
            Settled::Gone | Settled::Stopped => {
                self.to(Phase::Replanning, Effect::Replan { turn, plain: false })
            }
            Settled::Unformatted => self.to(Phase::Replanning, Effect::Replan { turn, plain: true }),
            Settled::Broken(reason) => self.fail(reason),
            // Who calls has tried a new one already.
            Settled::Renew(token) => self.fail(format!("the platform does not take the token {token}")),
        }
    }

    /// The part must wait. Later turns are asked and committed meanwhile; their parts stay behind it.
    pub(super) fn park(&mut self, left: PartState, after_ms: Option<i64>, now: i64) -> Vec<Effect> {
        if let Some(part) = self.part_mut() {
            *part = left;
        }
        let Some(open) = self.head.open.first_mut() else { return self.record(now) };
        open.waits += 1;
        if open.waits > MAX_WAITS {
            return self.fail("the platform kept telling us to wait, or did not answer".to_owned());
        }
        let backoff = 5_000 << open.waits.min(9).saturating_sub(1);
        open.wait_until = now + after_ms.unwrap_or(backoff).clamp(0, MAX_WAIT_MS);
        self.record(now)
    }

    /// The plan and what HEAD says of its parts change together, or not at all. Where the new plan has as many parts as the old
    /// one, what was sent stays sent; else the text is cut in other places, and is said from its beginning: nothing of it is lost.
    pub(super) fn rewrite(&mut self, turn: Box<Turn>) -> Vec<Effect> {
        if let Some(open) = self.head.open.first_mut() {
            let alike = open.parts.len() == turn.steps.len();
            let kept =
                |part: &PartState| if alike && *part == PartState::Sent { *part } else { PartState::Planned };
            let mut parts: Vec<PartState> = open.parts.iter().map(kept).collect();
            parts.resize(turn.steps.len(), PartState::Planned);
            open.parts = parts;
        }
        let open = self.head.open.clone();
        self.to(Phase::Rewriting, Effect::Rewrite { turn, open })
    }

    /// Given up before its dead letter is written: whoever goes on after a kill writes the letter and posts nothing.
    pub(super) fn fail(&mut self, reason: String) -> Vec<Effect> {
        let Some(open) = self.head.open.first_mut() else { return self.mark_record() };
        open.failed = Some(reason);
        let open = self.head.open.clone();
        self.to(Phase::Condemning, Effect::Mark(open))
    }

    pub(super) fn bury(&mut self) -> Vec<Effect> {
        let Some(open) = self.head.open.first() else { return self.mark_record() };
        let fail = Effect::Fail { turn: open.turn, reason: open.failed.clone().unwrap_or_default() };
        self.to(Phase::Failing, fail)
    }

    /// Writes down what became of the first open turn; where that was the last thing to do, together with the release.
    pub(super) fn record(&mut self, now: i64) -> Vec<Effect> {
        if self.is_done(now) {
            let open = self.head.open.clone();
            return self.give_up(Some(open), now);
        }
        self.mark_record()
    }

    pub(super) fn mark_record(&mut self) -> Vec<Effect> {
        let open = self.head.open.clone();
        self.to(Phase::Recording, Effect::Mark(open))
    }

    /// The first part of the oldest open turn that is not sent.
    fn part_mut(&mut self) -> Option<&mut PartState> {
        self.head.open.first_mut()?.parts.iter_mut().find(|part| **part != PartState::Sent)
    }
}
