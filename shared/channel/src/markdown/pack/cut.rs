//! Text that must be cut inside a word, because no message holds it or no better place is there.

use super::{Packer, Position, actual};
use crate::markdown::Place;
use crate::{Limit, text};

impl Packer<'_> {
    /// Writes the longest beginning of a text that fits, and ends the message.
    pub(super) fn cut(&mut self, at: Position, rest: &str, place: Place) -> Position {
        let lead = self.lead();
        let taken = self.longest(rest, actual(place, &lead), self.room(&lead));
        let (part, after) = rest.split_at_checked(taken).unwrap_or((rest, ""));
        let lost = after.len() - after.trim_start().len();
        let mut escaped = String::new();
        self.dialect.escape(part, actual(place, &lead), &mut escaped);
        if taken > 0 && self.put(lead, &escaped, part) {
            let next = Position { token: at.token, offset: at.offset + taken + lost };
            return if after.is_empty() { next } else { self.turn(self.seam(next)) };
        }
        if !self.message.is_empty() {
            return self.turn(self.seam(at));
        }
        self.squeeze(at, rest, place)
    }

    /// A grapheme longer than a message: as many of its characters as fit, the others are dropped.
    fn squeeze(&mut self, at: Position, rest: &str, place: Place) -> Position {
        let grapheme = text::first_grapheme(rest);
        let mut escaped = String::new();
        let mut kept = "";
        for (start, c) in grapheme.char_indices() {
            let lead = self.lead();
            let part = grapheme.get(..start + c.len_utf8()).unwrap_or("");
            let mut longer = String::new();
            self.dialect.escape(part, actual(place, &lead), &mut longer);
            if self.measure(&longer) > self.room(&lead) {
                break;
            }
            (escaped, kept) = (longer, part);
        }
        if !kept.is_empty() {
            let lead = self.lead();
            self.put(lead, &escaped, kept);
        }
        Position { token: at.token, offset: at.offset + grapheme.len().max(1) }
    }

    /// Bytes of the longest beginning, in graphemes, that takes no more than `room` once escaped; better at the end of
    /// a sentence or a word in its second half.
    fn longest(&self, rest: &str, place: Place, room: usize) -> usize {
        let bounds = text::grapheme_ends(rest, Limit { max: room, unit: self.limit.unit });
        let fits = |end: &usize| {
            let mut escaped = String::new();
            self.dialect.escape(rest.get(..*end).unwrap_or(""), place, &mut escaped);
            self.measure(&escaped) <= room
        };
        let mut count = bounds.partition_point(fits);
        // Escapes depend on what follows: a shorter text may need one more.
        while count > 0 && !bounds.get(count - 1).is_some_and(fits) {
            count -= 1;
        }
        let end = count.checked_sub(1).and_then(|last| bounds.get(last)).copied().unwrap_or(0);
        let best = text::best_end(rest, end);
        if end < rest.len() && fits(&best) { best } else { end }
    }
}
