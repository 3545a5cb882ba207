//! From the inbox to a committed turn.

use super::*;

impl State {
    pub(super) fn looked(&mut self, head: Head, waiting: Vec<Waiting>, now: i64) -> Vec<Effect> {
        if head.epoch != self.head.epoch {
            return self.to(Phase::Inspecting, Effect::Inspect);
        }
        self.head = head;
        self.waiting = waiting;
        let Some(newest) = self.waiting.iter().map(|waiting| waiting.kept_at).max() else {
            return self.release(now);
        };
        let since = *self.burst_since.get_or_insert(now);
        let quiet_at = (newest + BURST_MS).min(since + BURST_MAX_MS);
        if self.token.overlap != Overlap::Each && quiet_at > now {
            return self
                .to(Phase::Pausing, Effect::Pause(quiet_at.abs_diff(now).min(BURST_MS.unsigned_abs())));
        }
        let unjudged: Vec<String> =
            self.waiting.iter().map(key).filter(|id| !self.fates.contains_key(id)).collect();
        if unjudged.is_empty() { self.choose(now) } else { self.to(Phase::Judging, Effect::Judge(unjudged)) }
    }

    /// Which messages the next commit is about.
    pub(super) fn choose(&mut self, now: i64) -> Vec<Effect> {
        self.reset = false;
        let fate = |waiting: &Waiting| self.fates.get(&key(waiting)).copied().unwrap_or(Fate::Drop);
        let dropped: Vec<String> =
            self.waiting.iter().filter(|waiting| fate(waiting) == Fate::Drop).map(key).collect();
        if !dropped.is_empty() {
            self.group = dropped;
            return self.commit(None, now);
        }
        let Some(first) = self.waiting.first() else { return self.release(now) };
        if fate(first) != Fate::Answer {
            let id = key(first);
            self.reset = fate(first) == Fate::Say { reset: true };
            self.group = vec![id.clone()];
            return self.to(Phase::Answering, Effect::Compose { number: self.head.next, id });
        }
        let together = if self.token.overlap == Overlap::Each { 1 } else { usize::MAX };
        let group: Vec<&Waiting> =
            self.waiting.iter().take_while(|waiting| fate(waiting) == Fate::Answer).take(together).collect();
        if let Some(poison) =
            group.iter().find(|waiting| waiting.tries >= CAREFUL_TRY).map(|waiting| key(waiting))
        {
            self.group = vec![poison.clone()];
            return self.to(Phase::Answering, Effect::Bury { number: self.head.next, id: poison });
        }
        if self.token.ends_at - now < LAST_CALL_MS {
            return self.hand_over();
        }
        let suspect =
            group.iter().find(|waiting| waiting.tries + 1 == CAREFUL_TRY).map(|waiting| key(waiting));
        let careful = suspect.is_some();
        self.group =
            suspect.map_or_else(|| group.iter().map(|waiting| key(waiting)).collect(), |id| vec![id]);
        let ids = self.group.clone();
        self.to(Phase::Counting { careful }, Effect::Count(ids))
    }

    pub(super) fn ask(&mut self, careful: bool) -> Vec<Effect> {
        let interruptible =
            self.token.overlap == Overlap::Interrupt && !careful && self.interruptions < MAX_INTERRUPTIONS;
        let (number, ids) = (self.head.next, self.group.clone());
        self.to(Phase::Answering, Effect::Ask { number, ids, careful, interruptible })
    }

    /// It was not the messages' fault that their question was given up.
    pub(super) fn interrupted(&mut self) -> Vec<Effect> {
        self.interruptions += 1;
        let ids = std::mem::take(&mut self.group);
        self.to(Phase::Uncounting, Effect::Uncount(ids))
    }

    pub(super) fn commit(&mut self, turn: Option<Box<Turn>>, now: i64) -> Vec<Effect> {
        (self.announced, self.interruptions) = (false, 0);
        if let Some(turn) = &turn {
            if let Some(first) = turn.steps.first() {
                let mut parts = vec![PartState::Planned; turn.steps.len()];
                // Nothing stands before it: the commit says as well that its first part is about to be posted. Not where
                // a doubt would mean silence: between commit and call nothing has been sent yet.
                let harmless = first.optional || first.on_doubt == channel::OnDoubt::Repeat;
                self.announced =
                    harmless && self.head.open.is_empty() && self.token.ends_at - now >= LAST_POST_MS;
                if let (true, Some(part)) = (self.announced, parts.first_mut()) {
                    *part = PartState::Sending;
                }
                self.head.open.push(OpenTurn {
                    turn: turn.number,
                    parts,
                    wait_until: 0,
                    waits: 0,
                    failed: None,
                });
            }
            // The message that showed it is the turn's now.
            self.head.draft = None;
            self.head.next = turn.number + 1;
            if self.reset {
                self.head.since = self.head.next;
            }
        }
        self.waiting.retain(|waiting| !self.group.contains(&key(waiting)));
        let commit = Commit {
            open: self.head.open.clone(),
            next: self.head.next,
            since: self.head.since,
            turn,
            delete: std::mem::take(&mut self.group),
            change: Default::default(),
        };
        self.to(Phase::Committing, Effect::Commit(commit))
    }

    /// The lease goes back when nothing is left that can be done now.
    pub(super) fn release(&mut self, now: i64) -> Vec<Effect> {
        self.give_up(None, now)
    }

    /// The lease goes back, and HEAD's open turns are written where they are given.
    pub(super) fn give_up(&mut self, open: Option<Vec<OpenTurn>>, now: i64) -> Vec<Effect> {
        let parked = self.head.open.first().map(|open| (open.wait_until - now).clamp(1_000, MAX_WAIT_MS));
        let again_s = parked.map(|ms| u32::try_from(ms.unsigned_abs().div_ceil(1_000)).unwrap_or(u32::MAX));
        let phase = Phase::Releasing { again_s, recording: open.is_some() };
        self.to(phase, Effect::Release { rev: Some(self.head.rev), open })
    }

    /// A message came, so nothing was given back and nothing written.
    pub(super) fn moved(&mut self, recording: bool) -> Vec<Effect> {
        self.known = false;
        if recording { self.mark_record() } else { self.to(Phase::Looking, Effect::Look) }
    }

    /// Work is left and the invocation ends soon: the next one goes on.
    pub(super) fn hand_over(&mut self) -> Vec<Effect> {
        let phase = Phase::Releasing { again_s: Some(0), recording: false };
        self.to(phase, Effect::Release { rev: None, open: None })
    }
}
