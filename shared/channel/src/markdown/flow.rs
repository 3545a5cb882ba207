//! A document as a stream of words, whitespace and styles: the middle between reading and packing.

use std::ops::Range;

use super::{Markup, Place};

pub(super) struct Flow {
    /// What tokens point into.
    pub text: String,
    pub tokens: Vec<Token>,
    pub frames: Vec<Frame>,
}

pub(super) enum Token {
    /// A style begins: an index into [`Flow::frames`].
    Open(usize),
    /// The innermost open style ends.
    Close,
    /// Text without a break inside, not escaped yet.
    Text(Range<usize>, Place),
    /// Already written in the dialect and to be kept whole; the `instead` tokens after it say the same in pieces.
    Unit {
        whole: String,
        instead: usize,
    },
    Space(Range<usize>),
    Break(Break),
}

#[derive(Clone, Copy)]
pub(super) struct Break {
    /// Line ends.
    pub lines: usize,
    /// The dialect must be told that the line ends here.
    pub hard: bool,
    pub rank: Rank,
}

/// How good a place is for the end of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    Word,
    Sentence,
    Line,
    Block,
}

impl Break {
    pub const LINE: Break = Break { lines: 1, hard: false, rank: Rank::Line };
    pub const HARD: Break = Break { lines: 1, hard: true, rank: Rank::Line };
    pub const BLOCK: Break = Break { lines: 2, hard: false, rank: Rank::Block };
    /// A heading stays with what it heads.
    pub const AFTER_HEADING: Break = Break { lines: 2, hard: false, rank: Rank::Word };
}

pub(super) struct Frame {
    pub markup: Markup,
    /// Its marker stands only once, and where a message begins inside it, its lines begin at the margin.
    pub item: bool,
    /// Text inside it still counts as the beginning of a line.
    pub block: bool,
}
