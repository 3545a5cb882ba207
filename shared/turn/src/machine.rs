//! The turn protocol: what one queue token makes happen, as a pure function of what happened before.
//!
//! [`step`] takes the [`State`] and what the last effect led to, and says what to do next. Each list of effects is run in
//! order and its last one answers with exactly one [`Event`]. The invariants are in ARCHITECTURE.md: a token is given up only when
//! its message is answered and that answer posted; all writes carry the epoch; nothing is posted without the lease.

mod effects;
mod inbox;
mod posting;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::config::Overlap;
use crate::state::{Head, OpenTurn, PartState, Turn, Waiting};

pub use effects::{Commit, Effect, Event, Fate};

/// How long a token stays hidden while its message is worked on, seconds. Every tick renews it.
pub const TOKEN_S: u32 = 25;
/// How long a lease lasts without renewal, milliseconds. Lease and margin end before the token shows again.
pub const LEASE_MS: i64 = 15_000;
/// Clocks may differ by this much: an expired lease is taken only after it, milliseconds.
pub const SKEW_MS: i64 = 5_000;
/// How often a holder renews lease and token, milliseconds.
pub const TICK_MS: u64 = 5_000;
/// Each tick sees `/stop`, which is promised within 6 s.
const _: () = assert!(TICK_MS <= 5_000);
/// A burst of messages has ended when none came for this long, milliseconds.
const BURST_MS: i64 = 700;
/// No burst is waited for longer than this, milliseconds.
const BURST_MAX_MS: i64 = 5_000;
/// No model call is begun with less of the invocation left, milliseconds.
const LAST_CALL_MS: i64 = 60_000;
/// No post is begun with less of the invocation left, milliseconds.
const LAST_POST_MS: i64 = 20_000;
/// A look at which a message is asked alone, without what might have killed the ones before.
const CAREFUL_TRY: u32 = 3;
/// A question to the model is given up for newer messages at most so often in a row.
const MAX_INTERRUPTIONS: u32 = 3;
/// A part that was told to wait so often has failed.
const MAX_WAITS: u32 = 8;
/// No wait is longer, milliseconds.
const MAX_WAIT_MS: i64 = 3_600_000;

/// What this invocation was given.
#[derive(Debug, Clone, PartialEq)]
pub struct Token {
    /// The message's id, shortened as in keys.
    pub id: String,
    /// How often the queue has given it out, this time included.
    pub receives: u32,
    /// What messages do that come during a turn.
    pub overlap: Overlap,
    /// When the invocation is cut off, Unix milliseconds.
    pub ends_at: i64,
}

/// Everything that the next step depends on.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    token: Token,
    phase: Phase,
    /// HEAD as this holder left it.
    head: Head,
    waiting: Vec<Waiting>,
    fates: BTreeMap<String, Fate>,
    /// The messages that the turn under way answers.
    group: Vec<String>,
    /// The turn under way starts the history anew.
    reset: bool,
    /// When the wait for a burst began, Unix milliseconds.
    burst_since: Option<i64>,
    /// The own message was kept just now: a burst may follow it.
    fresh: bool,
    /// The inbox holds nothing but what was looked at and is in `waiting`, as of `head.rev`.
    known: bool,
    /// The first part of the turn under way is announced by its commit.
    announced: bool,
    /// How often a question was given up for newer messages since the last turn.
    interruptions: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Beginning,
    Keeping,
    Taking,
    Inspecting,
    Looking,
    Pausing,
    Judging,
    Counting {
        careful: bool,
    },
    Answering,
    /// Giving back the tries of a question that was given up for newer messages.
    Uncounting,
    Committing,
    /// Writing down that the first open part is about to be posted.
    Announcing {
        doubt: bool,
    },
    Calling {
        doubt: bool,
    },
    Replanning,
    Rewriting,
    /// Writing down that the first open turn is given up.
    Condemning,
    Failing,
    /// Writing down what became of the first open turn.
    Recording,
    Releasing {
        again_s: Option<u32>,
        /// The open turns are written with it.
        recording: bool,
    },
    Over,
}

impl State {
    pub fn new(token: Token) -> State {
        State {
            token,
            phase: Phase::Beginning,
            head: Head::default(),
            waiting: Vec::new(),
            fates: BTreeMap::new(),
            group: Vec::new(),
            reset: false,
            burst_since: None,
            fresh: false,
            known: false,
            announced: false,
            interruptions: 0,
        }
    }

    /// The lease's epoch; 0 before it was taken.
    pub fn epoch(&self) -> u64 {
        self.head.epoch
    }

    /// HEAD as this holder left it.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The texts of the messages that the turn under way answers.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let group = self.waiting.iter().filter(|waiting| self.group.contains(&key(waiting)));
        group.map(|waiting| waiting.inbound.text())
    }

    /// A message of the inbox as last looked at.
    pub fn waiting(&self, id: &str) -> Option<&Waiting> {
        self.waiting.iter().find(|waiting| key(waiting) == id)
    }
}

/// The id of a message in keys.
pub fn key(waiting: &Waiting) -> String {
    channel::short_id(&waiting.inbound.id)
}

/// What to do next. `now` is Unix milliseconds.
pub fn step(mut state: State, event: Event, now: i64) -> (State, Vec<Effect>) {
    let effects = state.on(event, now);
    (state, effects)
}

impl State {
    fn on(&mut self, event: Event, now: i64) -> Vec<Effect> {
        match (self.phase, event) {
            (Phase::Over, _) => vec![],
            (_, Event::Trouble) => self.trouble(),
            (_, Event::Fenced) => self.to(Phase::Inspecting, Effect::Inspect),

            (Phase::Beginning, Event::Begin) => {
                self.phase = Phase::Keeping;
                vec![Effect::Hide(TOKEN_S), Effect::Keep]
            }
            (Phase::Keeping, Event::Kept { new }) => {
                self.fresh = new;
                self.to(Phase::Taking, Effect::Take)
            }
            (Phase::Taking, Event::Taken(head)) => {
                self.head = head;
                self.proceed(now)
            }
            (Phase::Taking, Event::Busy) if self.fresh && self.token.overlap == Overlap::Interrupt => {
                self.phase = Phase::Inspecting;
                vec![Effect::Interrupt, Effect::Inspect]
            }
            (Phase::Taking, Event::Busy) => self.to(Phase::Inspecting, Effect::Inspect),
            (Phase::Inspecting, Event::Inspected { waits: false, open: false }) => {
                self.end(Effect::Acknowledge)
            }
            (Phase::Inspecting, Event::Inspected { .. }) => self.give_back(60 * self.token.receives),

            (Phase::Looking, Event::Looked { head, waiting, more }) => {
                self.known = !more;
                self.looked(head, waiting, now)
            }
            (Phase::Pausing, Event::Paused) => self.to(Phase::Looking, Effect::Look),
            (Phase::Judging, Event::Judged(fates)) => {
                self.fates.extend(fates);
                self.choose(now)
            }
            (Phase::Counting { careful }, Event::Counted) => self.ask(careful),
            (Phase::Answering, Event::Answered(turn)) => self.commit(Some(turn), now),
            (Phase::Answering, Event::Silent) => self.commit(None, now),
            (Phase::Answering, Event::Interrupted) => self.interrupted(),
            (Phase::Uncounting, Event::Counted) => self.to(Phase::Looking, Effect::Look),
            (Phase::Committing, Event::Committed) if self.announced => self.call(false),
            (Phase::Committing, Event::Committed) => self.proceed(now),

            (Phase::Announcing { doubt }, Event::Marked) => self.call(doubt),
            (Phase::Calling { .. }, Event::Settled(settled)) => self.settled(settled, now),
            (Phase::Calling { .. }, Event::Unsure) => self.park(PartState::Sending, None, now),
            (Phase::Calling { doubt }, Event::Late) => self.announce_again(doubt, now),
            (Phase::Replanning, Event::Planned(turn)) => self.rewrite(turn),
            (Phase::Replanning, Event::Exhausted(reason)) => self.fail(reason),
            (Phase::Condemning, Event::Marked) => self.bury(),
            (Phase::Failing, Event::Failed) => {
                self.head.open.drain(..1.min(self.head.open.len()));
                self.record(now)
            }
            (Phase::Recording | Phase::Rewriting, Event::Marked) => self.proceed(now),

            (Phase::Releasing { again_s: Some(seconds), .. }, Event::Released) => self.give_back(seconds),
            (Phase::Releasing { again_s: None, .. }, Event::Released) => self.end(Effect::Acknowledge),
            (Phase::Releasing { recording, .. }, Event::Moved) => self.moved(recording),

            // An event that cannot follow: the token comes back, and a fresh process starts over.
            (_, _) => self.trouble(),
        }
    }

    fn to(&mut self, phase: Phase, effect: Effect) -> Vec<Effect> {
        self.phase = phase;
        vec![effect]
    }

    fn end(&mut self, effect: Effect) -> Vec<Effect> {
        self.to(Phase::Over, effect)
    }

    fn give_back(&mut self, seconds: u32) -> Vec<Effect> {
        self.end(Effect::Return(seconds))
    }

    /// The next invocation starts over. It need not wait for the lease to run out: whatever of ours is still on its way to the
    /// table names the epoch of a lease that is given back, and is refused. What is known of posted parts is written once more:
    /// a part that is not known to be sent is sent again.
    fn trouble(&mut self) -> Vec<Effect> {
        let again = Effect::Return(5 * self.token.receives.min(12));
        let recording = matches!(self.phase, Phase::Recording | Phase::Releasing { recording: true, .. });
        let open = recording.then(|| self.head.open.clone());
        self.phase = Phase::Over;
        match self.head.epoch {
            0 => vec![again],
            _ => vec![Effect::Release { rev: None, open }, again],
        }
    }

    /// With the lease: post what is committed and may be posted, else look for more. Where nothing can be left but what came
    /// since the last look, the release finds that out by HEAD's rev, which is cheaper than another look.
    fn proceed(&mut self, now: i64) -> Vec<Effect> {
        match self.head.open.first() {
            Some(open) if open.wait_until <= now => self.announce(now),
            _ if self.is_done(now) => self.release(now),
            _ if self.fresh && self.token.overlap != Overlap::Each => {
                self.fresh = false;
                self.burst_since = Some(now);
                self.to(Phase::Pausing, Effect::Pause(BURST_MS.unsigned_abs()))
            }
            _ => self.to(Phase::Looking, Effect::Look),
        }
    }

    /// Nothing is left that can be done now, as far as this holder knows.
    fn is_done(&self, now: i64) -> bool {
        let postable = self.head.open.first().is_some_and(|open| open.wait_until <= now);
        !postable && self.known && self.waiting.is_empty()
    }
}
