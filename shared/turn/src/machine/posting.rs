//! From a committed turn to a posted one: part by part, oldest turn first.

use super::*;

impl State {
    /// A part is SENDING in HEAD before its call is made.
    pub(super) fn announce(&mut self, now: i64) -> Vec<Effect> {
        if self.token.ends_at - now < LAST_POST_MS {
            return self.hand_over();
        }
        let Some(part) = self.part_mut() else {
            self.head.open.drain(..1.min(self.head.open.len()));
            return self.record();
        };
        let doubt = *part == PartState::Sending;
        *part = PartState::Sending;
        let open = self.head.open.clone();
        self.to(Phase::Announcing { doubt }, Effect::Mark(open))
    }

    pub(super) fn call(&mut self, doubt: bool) -> Vec<Effect> {
        let Some(open) = self.head.open.first() else { return self.give_back(TOKEN_S) };
        let part = open.parts.iter().position(|part| *part != PartState::Sent).unwrap_or(0);
        let call = Effect::Call { turn: open.turn, part, doubt };
        self.to(Phase::Calling, call)
    }

    pub(super) fn settled(&mut self, settled: Settled, now: i64) -> Vec<Effect> {
        let turn = self.head.open.first().map_or(0, |open| open.turn);
        match settled {
            Settled::Posted(_) | Settled::Fetched(_) | Settled::Person(_) => {
                if let Some(part) = self.part_mut() {
                    *part = PartState::Sent;
                }
                if self.part_mut().is_none() {
                    self.head.open.drain(..1.min(self.head.open.len()));
                }
                self.record()
            }
            Settled::Later(after) => {
                let after = after.map(|wait| i64::try_from(wait.as_millis()).unwrap_or(i64::MAX));
                self.park(PartState::Planned, after, now)
            }
            Settled::Gone => self.to(Phase::Replanning, Effect::Replan { turn, plain: false }),
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
        let Some(open) = self.head.open.first_mut() else { return self.record() };
        open.waits += 1;
        if open.waits > MAX_WAITS {
            return self.fail("the platform kept telling us to wait, or did not answer".to_owned());
        }
        let backoff = 5_000 << open.waits.min(9).saturating_sub(1);
        open.wait_until = now + after_ms.unwrap_or(backoff).clamp(0, MAX_WAIT_MS);
        self.record()
    }

    pub(super) fn replanned(&mut self, parts: usize) -> Vec<Effect> {
        if let Some(open) = self.head.open.first_mut() {
            open.parts.retain(|part| *part == PartState::Sent);
            open.parts.resize(parts.max(open.parts.len()), PartState::Planned);
        }
        self.record()
    }

    pub(super) fn fail(&mut self, reason: String) -> Vec<Effect> {
        let turn = self.head.open.first().map_or(0, |open| open.turn);
        self.to(Phase::Failing, Effect::Fail { turn, reason })
    }

    pub(super) fn record(&mut self) -> Vec<Effect> {
        let open = self.head.open.clone();
        self.to(Phase::Recording, Effect::Mark(open))
    }

    /// The first part of the oldest open turn that is not sent.
    fn part_mut(&mut self) -> Option<&mut PartState> {
        self.head.open.first_mut()?.parts.iter_mut().find(|part| **part != PartState::Sent)
    }
}
