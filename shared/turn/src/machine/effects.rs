//! What the machine asks for, and what may come of it.

use channel::Settled;

use crate::state::{Head, OpenTurn, Turn, Waiting};

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
    /// Mark the message as seen and put it into the inbox, unless it was seen before. Answers `Kept`.
    Keep,
    /// Take the lease until so many milliseconds from now. Answers `Taken` or `Busy`.
    Take,
    /// Have the holder give up its question for the own message, if that is one for the model. Answers nothing.
    Interrupt,
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
    /// Give the try back. Answers `Counted`.
    Uncount(Vec<String>),
    /// Ask the model once for all of them, ticking. `careful`: without tools and media. `interruptible`: given up where a newer
    /// message wants that. Answers `Answered`, `Silent` or `Interrupted`.
    Ask { number: u32, ids: Vec<String>, careful: bool, interruptible: bool },
    /// Make the turn of a `Say` or `Store`. Answers `Answered`.
    Compose { number: u32, id: String },
    /// Put the message and the reason into the dead letters, and make the turn with one honest line. Answers `Answered`.
    Bury { number: u32, id: String },
    /// One transaction that also renews the lease, conditional on the epoch. Answers `Committed` or `Fenced`.
    Commit(Commit),
    /// Write HEAD's open turns and renew the lease, conditional on the epoch. Answers `Marked` or `Fenced`.
    Mark(Vec<OpenTurn>),
    /// Make the call of a part and write the id it got into the turn. `doubt`: it was begun before and is not known to have ended.
    /// Answers `Settled`, `Unsure`, or `Late` where the lease may end before the call does.
    Call { turn: u32, part: usize, doubt: bool },
    /// Plan the turn's parts again, as a push or without markup. Answers `Planned` or `Exhausted`.
    Replan { turn: u32, plain: bool },
    /// One transaction: the turn as planned again, HEAD's open turns, the lease renewed; conditional on the epoch. Answers
    /// `Marked` or `Fenced`.
    Rewrite { turn: Box<Turn>, open: Vec<OpenTurn> },
    /// Put the turn and the reason into the dead letters. Answers `Failed`.
    Fail { turn: u32, reason: String },
    /// Give the lease back, conditional on the epoch and, where given, on HEAD's rev; with it, where given, write HEAD's open
    /// turns. Answers `Released`, `Moved` or `Fenced`.
    Release { rev: Option<u64>, open: Option<Vec<OpenTurn>> },
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
    /// What else changes; the machine leaves that to whoever wrote the turn.
    pub change: crate::state::Change,
}

/// What came of an effect.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    Begin,
    Kept {
        new: bool,
    },
    Taken(Head),
    Busy,
    Inspected {
        waits: bool,
        open: bool,
    },
    /// `more`: there is more than one look takes.
    Looked {
        head: Head,
        waiting: Vec<Waiting>,
        more: bool,
    },
    Paused,
    Judged(Vec<(String, Fate)>),
    Counted,
    Answered(Box<Turn>),
    /// There is nothing to say, on purpose: the messages leave the inbox without a turn.
    Silent,
    /// A newer message wants to be asked along.
    Interrupted,
    Committed,
    Marked,
    Settled(Settled),
    /// The call may or may not have reached the platform.
    Unsure,
    /// The call was not made: the lease must be renewed first.
    Late,
    Planned(Box<Turn>),
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
