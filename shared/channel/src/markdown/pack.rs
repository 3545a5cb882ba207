//! Words, whitespace and styles into messages.
//!
//! The packer writes until something does not fit, then goes back to the best place passed in this message (a [`Seam`])
//! and goes on from there in the next. Whitespace and opening markup are written only together with the text that
//! follows, so a message never ends in either.

mod cut;

use super::flow::{Flow, Rank, Token};
use super::{Dialect, Place};
use crate::{Limit, text};

pub(super) fn pack(flow: &Flow, dialect: &dyn Dialect, limit: Limit) -> Vec<String> {
    let mut packer = Packer {
        flow,
        dialect,
        limit,
        done: Vec::new(),
        message: String::new(),
        length: 0,
        visible: false,
        stack: Vec::new(),
        closers: Vec::new(),
        gap: Gap::default(),
        seams: [const { None }; 4],
        resumed: vec![false; flow.frames.len()],
    };
    packer.run();
    packer.done
}

struct Packer<'a> {
    flow: &'a Flow,
    dialect: &'a dyn Dialect,
    limit: Limit,
    done: Vec<String>,
    /// The message being written and its length in the limit's unit.
    message: String,
    length: usize,
    /// Something in it can be seen.
    visible: bool,
    /// Open frames, outermost first.
    stack: Vec<usize>,
    /// What closes those of them whose markup stands in the message: always the outer ones.
    closers: Vec<String>,
    /// Whitespace before the next text.
    gap: Gap,
    /// The latest place of each rank in this message.
    seams: [Option<Seam>; 4],
    /// Items that an earlier message shows the marker of.
    resumed: Vec<bool>,
}

/// What to write next.
#[derive(Clone, Copy)]
struct Position {
    token: usize,
    /// Bytes of the token's text already written.
    offset: usize,
}

#[derive(Default, Clone)]
struct Gap {
    rank: Option<Rank>,
    lines: usize,
    hard: bool,
    spaces: String,
}

/// A place where the message can end.
struct Seam {
    next: Position,
    bytes: usize,
    length: usize,
    stack: Vec<usize>,
    /// How many of the stack stand in the message, and what closes them.
    written: usize,
    closing: String,
}

/// What stands between the message and the next text.
struct Lead {
    text: String,
    closers: Vec<String>,
    line_start: bool,
}

impl Packer<'_> {
    fn run(&mut self) {
        let flow = self.flow;
        let mut at = Position { token: 0, offset: 0 };
        while let Some(token) = flow.tokens.get(at.token) {
            let next = Position { token: at.token + 1, offset: 0 };
            at = match token {
                Token::Open(frame) => {
                    self.stack.push(*frame);
                    next
                }
                Token::Close => {
                    self.close();
                    next
                }
                Token::Space(range) => {
                    self.space(flow.text.get(range.clone()).unwrap_or(" "));
                    next
                }
                Token::Break(new) => {
                    if self.gap.lines < new.lines {
                        self.gap.rank = Some(new.rank);
                        self.gap.lines = new.lines;
                    }
                    self.gap.hard |= new.hard;
                    next
                }
                Token::Text(range, place) => {
                    let rest = range.start + at.offset..range.end;
                    self.text(at, flow.text.get(rest).unwrap_or(""), *place)
                }
                Token::Unit { whole, instead } => self.unit(at, whole, *instead),
            };
        }
        self.finish();
    }

    fn close(&mut self) {
        self.stack.pop();
        if self.closers.len() > self.stack.len()
            && let Some(closer) = self.closers.pop()
        {
            self.length += self.measure(&closer);
            self.message.push_str(&closer);
        }
    }

    fn space(&mut self, spaces: &str) {
        let sentence = self.message.ends_with(['.', '!', '?', '…', '。', '！', '？', ':', ';']);
        let rank = if sentence { Rank::Sentence } else { Rank::Word };
        self.gap.rank = Some(self.gap.rank.map_or(rank, |have| have.max(rank)));
        self.gap.spaces.push_str(spaces);
    }

    /// Writes text or as much of it as fits; returns what comes next.
    fn text(&mut self, at: Position, rest: &str, place: Place) -> Position {
        self.note_seam(at);
        let mut escaped = String::new();
        // A character takes at most four bytes and at least one unit: what is longer cannot fit.
        let endless = rest.len() > self.limit.max.saturating_mul(4);
        if !endless {
            let lead = self.lead();
            self.dialect.escape(rest, actual(place, &lead), &mut escaped);
            if self.put(lead, &escaped, rest) {
                return Position { token: at.token + 1, offset: 0 };
            }
        }
        let long = endless || self.measure(&escaped) > self.limit.max / 2;
        let half = self.limit.max / 2;
        match self.best_seam(if long { half } else { 0 }) {
            Some(seam) => self.turn(seam),
            None => self.cut(at, rest, place),
        }
    }

    /// Writes what is to be kept whole, in the next message if it only fits there; else what is to be said instead.
    fn unit(&mut self, at: Position, whole: &str, instead: usize) -> Position {
        let pieces = Position { token: at.token + 1, offset: 0 };
        if self.measure(whole) > self.limit.max {
            return pieces;
        }
        self.note_seam(at);
        let lead = self.lead();
        if self.put(lead, whole, whole) {
            return Position { token: pieces.token + instead, offset: 0 };
        }
        match self.best_seam(0) {
            Some(seam) => self.turn(seam),
            None if self.visible => self.turn(self.seam(at)),
            None => pieces,
        }
    }

    // -- writing -----------------------------------------------------------------------------------------------------

    fn measure(&self, text: &str) -> usize {
        text::length(text, self.limit.unit)
    }

    /// Units left for text after the lead.
    fn room(&self, lead: &Lead) -> usize {
        let closers =
            self.closers.iter().chain(&lead.closers).map(|closer| self.measure(closer)).sum::<usize>();
        self.limit.max.saturating_sub(self.length + closers + self.measure(&lead.text))
    }

    fn put(&mut self, lead: Lead, escaped: &str, shown: &str) -> bool {
        let length = self.measure(escaped);
        if length > self.room(&lead) {
            return false;
        }
        self.length += self.measure(&lead.text) + length;
        self.message.push_str(&lead.text);
        self.message.push_str(escaped);
        self.closers.extend(lead.closers);
        self.gap = Gap::default();
        self.visible = self.visible || shown.chars().any(text::is_visible);
        true
    }

    /// The whitespace owed and the markup of the styles opened since.
    fn lead(&self) -> Lead {
        let mut lead = Lead { text: String::new(), closers: Vec::new(), line_start: self.message.is_empty() };
        let written = self.closers.len();
        if !self.message.is_empty() && self.gap.lines > 0 {
            lead.line_start = true;
            let prefix = self.prefix(written);
            if self.gap.hard {
                lead.text.push_str(self.dialect.hard_break());
            }
            for line in 1..=self.gap.lines {
                lead.text.push('\n');
                let blank = line < self.gap.lines;
                lead.text.push_str(if blank { prefix.trim_end() } else { &prefix });
            }
        } else if !self.message.is_empty() {
            lead.text.push_str(&self.gap.spaces);
        }
        for (depth, index) in self.stack.iter().enumerate().skip(written) {
            let Some(frame) = self.flow.frames.get(*index) else { continue };
            let markup = &frame.markup;
            lead.line_start &= frame.block || markup.open.is_empty();
            if !self.is_resumed(*index) {
                self.push_markup(&markup.open, depth, &mut lead.text);
            }
            let mut closer = String::new();
            self.push_markup(&markup.close, depth, &mut closer);
            lead.closers.push(closer);
        }
        lead
    }

    /// Markup of the frame at `depth`, its line breaks with the prefixes of the frames up to it.
    fn push_markup(&self, markup: &str, depth: usize, out: &mut String) {
        for (index, line) in markup.split('\n').enumerate() {
            if index > 0 {
                out.push('\n');
                out.push_str(&self.prefix(depth + 1));
            }
            out.push_str(line);
        }
    }

    /// What stands before a line inside the outermost `depth` frames.
    fn prefix(&self, depth: usize) -> String {
        let frames = || {
            let inside = self.stack.iter().take(depth);
            inside.filter_map(|index| self.flow.frames.get(*index).map(|frame| (*index, frame)))
        };
        let flush = frames().any(|(_, frame)| frame.markup.flush);
        let shown = frames().filter(|(index, frame)| !(frame.item && (flush || self.is_resumed(*index))));
        shown.map(|(_, frame)| frame.markup.prefix.as_str()).collect()
    }

    fn is_resumed(&self, frame: usize) -> bool {
        self.resumed.get(frame).copied().unwrap_or(false)
    }

    // -- ending a message --------------------------------------------------------------------------------------------

    /// Remembers the place before the text at `at`, if whitespace or a line end stands there.
    fn note_seam(&mut self, at: Position) {
        let Some(rank) = self.gap.rank.filter(|_| self.visible) else { return };
        let seam = self.seam(at);
        if let Some(slot) = self.seams.get_mut(rank as usize) {
            *slot = Some(seam);
        }
    }

    fn seam(&self, next: Position) -> Seam {
        Seam {
            next,
            bytes: self.message.len(),
            length: self.length,
            stack: self.stack.clone(),
            written: self.closers.len(),
            closing: self.closers.iter().rev().map(String::as_str).collect(),
        }
    }

    /// The seam of the highest rank in the second half of the message, else the last one after `least`.
    fn best_seam(&mut self, least: usize) -> Option<Seam> {
        let half = self.limit.max / 2;
        let late = |seam: &Option<Seam>| seam.as_ref().is_some_and(|seam| seam.length >= half);
        let last = || {
            let length = |slot: &Option<Seam>| slot.as_ref().map_or(0, |seam| seam.length);
            (0..self.seams.len()).max_by_key(|index| self.seams.get(*index).map_or(0, length))
        };
        let index = self.seams.iter().rposition(late).or_else(last)?;
        let slot = self.seams.get_mut(index)?;
        slot.take_if(|seam| seam.length >= least.max(1))
    }

    /// Ends the message at the seam and begins the next; returns what comes next.
    fn turn(&mut self, seam: Seam) -> Position {
        self.message.truncate(seam.bytes);
        self.message.push_str(&seam.closing);
        let message = std::mem::take(&mut self.message);
        if self.visible {
            self.done.push(message);
        }
        for index in seam.stack.iter().take(seam.written) {
            if let Some(resumed) = self.resumed.get_mut(*index) {
                *resumed = self.flow.frames.get(*index).is_some_and(|frame| frame.item);
            }
        }
        self.stack = seam.stack;
        self.length = 0;
        self.visible = false;
        self.closers.clear();
        self.gap = Gap::default();
        self.seams = [const { None }; 4];
        seam.next
    }

    fn finish(&mut self) {
        while !self.stack.is_empty() {
            self.close();
        }
        if self.visible {
            self.done.push(std::mem::take(&mut self.message));
        }
    }
}

/// The place of a text behind its lead.
fn actual(place: Place, lead: &Lead) -> Place {
    if place == Place::Text && lead.line_start { Place::LineStart } else { place }
}
