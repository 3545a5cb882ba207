//! The turn protocol: what one queue token makes happen, as a pure function of what happened before.
//!
//! [`step`] takes the [`State`] and what the last effect led to, and says what to do next. Each list of effects is run in
//! order and its last one answers with exactly one [`Event`]. The invariants are in ARCHITECTURE.md: a token is given up only when
//! its message is answered and that answer posted; all writes carry the epoch; nothing is posted without the lease.

use std::collections::BTreeMap;

use channel::Settled;

use crate::state::{Head, OpenTurn, PartState, Turn, Waiting};

/// How long a token stays hidden while its message is worked on, seconds. Every tick renews it.
pub const TOKEN_S: u32 = 25;
/// How long a lease lasts without renewal, milliseconds. Lease and margin end before the token shows again.
pub const LEASE_MS: i64 = 15_000;
/// Clocks may differ by this much: an expired lease is taken only after it, milliseconds.
pub const SKEW_MS: i64 = 5_000;
/// How often a holder renews lease and token, milliseconds.
pub const TICK_MS: u64 = 5_000;
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
    /// Each message has a reply slot of its own: none are answered together.
    pub each: bool,
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
    /// When the inbox was first looked at, Unix milliseconds.
    burst_since: Option<i64>,
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
    Committing,
    /// Writing down that the first open part is about to be posted.
    Announcing {
        doubt: bool,
    },
    Calling,
    Replanning,
    Failing,
    /// Writing down what became of the first open turn.
    Recording,
    Releasing {
        again_s: Option<u32>,
    },
    Over,
}

/// What is to become of a message in the inbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The model answers it, together with its neighbours.
    Answer,
    /// A ready-made answer of its own; `reset` starts the history anew.
    Say { reset: bool },
    /// Into the history, without an answer.
    Store,
    /// Refused: it leaves the inbox without a turn.
    Drop,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Hide the own token for so many seconds. Answers nothing.
    Hide(u32),
    /// Mark the message as seen and put it into the inbox. Answers `Kept`.
    Keep,
    /// Take the lease until so many milliseconds from now. Answers `Taken` or `Busy`.
    Take,
    /// Is the own message still in the inbox, and then: is a turn open? In this order. Answers `Inspected`.
    Inspect,
    /// Read HEAD, then the inbox. Answers `Looked`.
    Look,
    /// Let so many milliseconds pass, ticking. Answers `Paused`.
    Pause(u64),
    /// Who may talk, within which caps. Answers `Judged` with a fate for each id.
    Judge(Vec<String>),
    /// Count a try for each. Answers `Counted`.
    Count(Vec<String>),
    /// Ask the model once for all of them, ticking. `careful`: without tools and media. Answers `Answered` or `Silent`.
    Ask { number: u32, ids: Vec<String>, careful: bool },
    /// Make the turn of a `Say` or `Store`. Answers `Answered`.
    Compose { number: u32, id: String },
    /// Put the message and the reason into the dead letters, and make the turn with one honest line. Answers `Answered`.
    Bury { number: u32, id: String },
    /// One transaction, conditional on the epoch. Answers `Committed` or `Fenced`.
    Commit(Commit),
    /// Write HEAD's open turns and renew the lease, conditional on the epoch. Answers `Marked` or `Fenced`.
    Mark(Vec<OpenTurn>),
    /// Make the call of a part and write the id it got into the turn. `doubt`: it was begun before and is not known to have ended.
    /// Answers `Settled` or `Unsure`.
    Call { turn: u32, part: usize, doubt: bool },
    /// Plan the turn's parts again, as a push or without markup. Answers `Replanned` or `Exhausted`.
    Replan { turn: u32, plain: bool },
    /// Put the turn and the reason into the dead letters. Answers `Failed`.
    Fail { turn: u32, reason: String },
    /// Give the lease back, conditional on the epoch and, where given, on HEAD's rev. Answers `Released`, `Moved` or `Fenced`.
    Release { rev: Option<u64> },
    /// Done: the token is deleted.
    Acknowledge,
    /// Done for now: the token shows again in so many seconds.
    Return(u32),
}

/// What a turn's commit writes.
#[derive(Debug, Clone, PartialEq)]
pub struct Commit {
    pub open: Vec<OpenTurn>,
    pub next: u32,
    pub since: u32,
    pub turn: Option<Box<Turn>>,
    /// Messages that leave the inbox.
    pub delete: Vec<String>,
}

/// What came of an effect.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    Begin,
    Kept,
    Taken(Head),
    Busy,
    Inspected {
        waits: bool,
        open: bool,
    },
    Looked {
        head: Head,
        waiting: Vec<Waiting>,
    },
    Paused,
    Judged(Vec<(String, Fate)>),
    Counted,
    Answered(Box<Turn>),
    /// There is nothing to say, on purpose: the messages leave the inbox without a turn.
    Silent,
    Committed,
    Marked,
    Settled(Settled),
    /// The call may or may not have reached the platform.
    Unsure,
    /// The turn has so many parts now; those already sent stay.
    Replanned(usize),
    /// There is no other way to post it.
    Exhausted(String),
    Failed,
    Released,
    /// A message came that was not looked at.
    Moved,
    /// The epoch is no longer mine, or the lease was lost.
    Fenced,
    /// A service of ours did not do its part.
    Trouble,
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
            (_, Event::Trouble) => self.give_back(5 * self.token.receives.min(12)),
            (_, Event::Fenced) => self.to(Phase::Inspecting, Effect::Inspect),

            (Phase::Beginning, Event::Begin) => {
                self.phase = Phase::Keeping;
                vec![Effect::Hide(TOKEN_S), Effect::Keep]
            }
            (Phase::Keeping, Event::Kept) => self.to(Phase::Taking, Effect::Take),
            (Phase::Taking, Event::Taken(head)) => {
                self.head = head;
                self.proceed(now)
            }
            (Phase::Taking, Event::Busy) => self.to(Phase::Inspecting, Effect::Inspect),
            (Phase::Inspecting, Event::Inspected { waits: false, open: false }) => {
                self.end(Effect::Acknowledge)
            }
            (Phase::Inspecting, Event::Inspected { .. }) => self.give_back(60 * self.token.receives),

            (Phase::Looking, Event::Looked { head, waiting }) => self.looked(head, waiting, now),
            (Phase::Pausing, Event::Paused) => self.to(Phase::Looking, Effect::Look),
            (Phase::Judging, Event::Judged(fates)) => {
                self.fates.extend(fates);
                self.choose(now)
            }
            (Phase::Counting { careful }, Event::Counted) => {
                let ask = Effect::Ask { number: self.head.next, ids: self.group.clone(), careful };
                self.to(Phase::Answering, ask)
            }
            (Phase::Answering, Event::Answered(turn)) => self.commit(Some(turn)),
            (Phase::Answering, Event::Silent) => self.commit(None),
            (Phase::Committing, Event::Committed) => {
                self.waiting.clear();
                self.proceed(now)
            }

            (Phase::Announcing { doubt }, Event::Marked) => self.call(doubt),
            (Phase::Calling, Event::Settled(settled)) => self.settled(settled, now),
            (Phase::Calling, Event::Unsure) => self.park(PartState::Sending, None, now),
            (Phase::Replanning, Event::Replanned(parts)) => self.replanned(parts),
            (Phase::Replanning, Event::Exhausted(reason)) => self.fail(reason),
            (Phase::Failing, Event::Failed) => {
                self.head.open.drain(..1.min(self.head.open.len()));
                self.record()
            }
            (Phase::Recording, Event::Marked) => self.proceed(now),

            (Phase::Releasing { again_s: Some(seconds) }, Event::Released) => self.give_back(seconds),
            (Phase::Releasing { again_s: None }, Event::Released) => self.end(Effect::Acknowledge),
            (Phase::Releasing { .. }, Event::Moved) => self.to(Phase::Looking, Effect::Look),

            // An event that cannot follow: the token comes back, and a fresh process starts over.
            (_, _) => self.give_back(TOKEN_S),
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

    /// With the lease: post what is committed and may be posted, else look for more.
    fn proceed(&mut self, now: i64) -> Vec<Effect> {
        match self.head.open.first() {
            Some(open) if open.wait_until <= now => self.announce(now),
            _ => self.to(Phase::Looking, Effect::Look),
        }
    }
}

/// From the inbox to a committed turn.
impl State {
    fn looked(&mut self, head: Head, waiting: Vec<Waiting>, now: i64) -> Vec<Effect> {
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
        if !self.token.each && quiet_at > now {
            return self
                .to(Phase::Pausing, Effect::Pause(quiet_at.abs_diff(now).min(BURST_MS.unsigned_abs())));
        }
        let unjudged: Vec<String> =
            self.waiting.iter().map(key).filter(|id| !self.fates.contains_key(id)).collect();
        if unjudged.is_empty() { self.choose(now) } else { self.to(Phase::Judging, Effect::Judge(unjudged)) }
    }

    /// Which messages the next commit is about.
    fn choose(&mut self, now: i64) -> Vec<Effect> {
        self.reset = false;
        let fate = |waiting: &Waiting| self.fates.get(&key(waiting)).copied().unwrap_or(Fate::Drop);
        let dropped: Vec<String> =
            self.waiting.iter().filter(|waiting| fate(waiting) == Fate::Drop).map(key).collect();
        if !dropped.is_empty() {
            self.group = dropped;
            return self.commit(None);
        }
        let Some(first) = self.waiting.first() else { return self.release(now) };
        if fate(first) != Fate::Answer {
            let id = key(first);
            self.reset = fate(first) == Fate::Say { reset: true };
            self.group = vec![id.clone()];
            return self.to(Phase::Answering, Effect::Compose { number: self.head.next, id });
        }
        let together = if self.token.each { 1 } else { usize::MAX };
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

    fn commit(&mut self, turn: Option<Box<Turn>>) -> Vec<Effect> {
        if let Some(turn) = &turn {
            if !turn.steps.is_empty() {
                let parts = vec![PartState::Planned; turn.steps.len()];
                self.head.open.push(OpenTurn { turn: turn.number, parts, wait_until: 0, waits: 0 });
            }
            self.head.next = turn.number + 1;
            if self.reset {
                self.head.since = self.head.next;
            }
        }
        let commit = Commit {
            open: self.head.open.clone(),
            next: self.head.next,
            since: self.head.since,
            turn,
            delete: std::mem::take(&mut self.group),
        };
        self.to(Phase::Committing, Effect::Commit(commit))
    }

    /// The lease goes back when nothing is left that can be done now.
    fn release(&mut self, now: i64) -> Vec<Effect> {
        let parked = self.head.open.first().map(|open| (open.wait_until - now).clamp(1_000, MAX_WAIT_MS));
        let again_s = parked.map(|ms| u32::try_from(ms.unsigned_abs().div_ceil(1_000)).unwrap_or(u32::MAX));
        self.to(Phase::Releasing { again_s }, Effect::Release { rev: Some(self.head.rev) })
    }

    /// Work is left and the invocation ends soon: the next one goes on.
    fn hand_over(&mut self) -> Vec<Effect> {
        self.to(Phase::Releasing { again_s: Some(0) }, Effect::Release { rev: None })
    }
}

/// From a committed turn to a posted one, part by part, oldest turn first.
impl State {
    /// A part is SENDING in HEAD before its call is made.
    fn announce(&mut self, now: i64) -> Vec<Effect> {
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

    fn call(&mut self, doubt: bool) -> Vec<Effect> {
        let Some(open) = self.head.open.first() else { return self.give_back(TOKEN_S) };
        let part = open.parts.iter().position(|part| *part != PartState::Sent).unwrap_or(0);
        let call = Effect::Call { turn: open.turn, part, doubt };
        self.to(Phase::Calling, call)
    }

    fn settled(&mut self, settled: Settled, now: i64) -> Vec<Effect> {
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
        }
    }

    /// The part must wait. Later turns are asked and committed meanwhile; their parts stay behind it.
    fn park(&mut self, left: PartState, after_ms: Option<i64>, now: i64) -> Vec<Effect> {
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

    fn replanned(&mut self, parts: usize) -> Vec<Effect> {
        if let Some(open) = self.head.open.first_mut() {
            open.parts.retain(|part| *part == PartState::Sent);
            open.parts.resize(parts.max(open.parts.len()), PartState::Planned);
        }
        self.record()
    }

    fn fail(&mut self, reason: String) -> Vec<Effect> {
        let turn = self.head.open.first().map_or(0, |open| open.turn);
        self.to(Phase::Failing, Effect::Fail { turn, reason })
    }

    fn record(&mut self) -> Vec<Effect> {
        let open = self.head.open.clone();
        self.to(Phase::Recording, Effect::Mark(open))
    }

    /// The first part of the oldest open turn that is not sent.
    fn part_mut(&mut self) -> Option<&mut PartState> {
        self.head.open.first_mut()?.parts.iter_mut().find(|part| **part != PartState::Sent)
    }
}
