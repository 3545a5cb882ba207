//! What is read aside and put into the stream as one: links and tables.

use std::ops::Range;

use super::address::address_for_link;
use super::{MAX_DEPTH, Reader};
use crate::markdown::Markup;
use crate::markdown::flow::{Break, Frame, Token};
use crate::markdown::table::aligned;
use crate::text;

impl Reader<'_> {
    pub(super) fn start_link(&mut self, address: &str) {
        self.lead();
        // An image inside a link: the link wins, the image leaves its description.
        let url = if self.links.is_empty() { address_for_link(address) } else { None };
        if url.is_some() {
            self.part_mark();
        }
        self.links.push((self.flow.tokens.len(), url));
    }

    /// Lets a dialect see a `!` before a link as a word of its own: some would read an image.
    fn part_mark(&mut self) {
        if self.flow.tokens.len() == self.units_end {
            return;
        }
        let Some(Token::Text(range, place)) = self.flow.tokens.last_mut() else { return };
        let word = self.flow.text.get(range.clone()).unwrap_or("");
        if word.len() > 1 && word.ends_with('!') {
            let mark = range.end - 1..range.end;
            range.end -= 1;
            let place = *place;
            self.flow.tokens.push(Token::Text(mark, place));
        }
    }

    pub(super) fn end_link(&mut self) {
        let Some((from, url)) = self.links.pop() else { return };
        let Some(url) = url else { return };
        let label = self.flow.tokens.split_off(from.min(self.flow.tokens.len()));
        let (rich, plain) = self.written(&label);
        if plain.is_empty() || plain == url {
            return self.unit(self.dialect.url(&url), &url);
        }
        let whole = self.dialect.link(&url, &rich);
        if whole.is_none() && url.strip_prefix("mailto:") == Some(&plain) {
            return self.flow.tokens.extend(label);
        }
        if let Some(whole) = whole {
            self.flow.tokens.push(Token::Unit { whole, instead: label.len() + 3 });
        }
        self.flow.tokens.extend(label);
        self.space(" ");
        self.unit(format!("({})", self.dialect.url(&url)), &format!("({url})"));
    }

    pub(super) fn end_table(&mut self) {
        self.one_line = false;
        let table = std::mem::take(&mut self.table);
        (self.fresh, self.owed) = table.before;
        let length = |text: &str| text::length(text, self.limit.unit);
        let lines = self.dialect.table(&table.rich).filter(|lines| {
            let markup = Markup::around(format!("{}\n", lines.head), "");
            let overhead = self.overhead(&markup);
            let longest = lines.rows.iter().map(|row| length(row)).max();
            longest
                .is_some_and(|longest| overhead <= self.limit.max / 2 && overhead + longest <= self.limit.max)
        });
        let Some(lines) = lines.filter(|_| self.open.len() < MAX_DEPTH) else {
            return self.code_block("", &aligned(&table.plain));
        };
        self.lead();
        let markup = Markup::around(format!("{}\n", lines.head), "");
        self.push_frame(Frame { markup, item: false, block: true });
        for (index, row) in lines.rows.into_iter().enumerate() {
            if index > 0 {
                self.flow.tokens.push(Token::Break(Break::LINE));
            }
            self.unit(row.clone(), &row);
        }
        self.close();
        self.owe(Break::BLOCK);
    }

    /// Tokens on one line: as the dialect writes them, and as plain text.
    pub(super) fn written(&self, tokens: &[Token]) -> (String, String) {
        let (mut rich, mut plain, mut closers) = (String::new(), String::new(), Vec::new());
        let text = |range: &Range<usize>| self.flow.text.get(range.clone()).unwrap_or("");
        // Tokens up to here say once more, in pieces, what a unit already said.
        let mut said = 0;
        for (index, token) in tokens.iter().enumerate() {
            let mut say = |piece: &str| {
                if index >= said {
                    rich.push_str(piece)
                }
            };
            match token {
                Token::Open(frame) => {
                    let markup = self.flow.frames.get(*frame).map(|frame| &frame.markup);
                    say(markup.map_or("", |markup| &markup.open));
                    closers.push(markup.map_or("", |markup| markup.close.as_str()));
                }
                Token::Close => say(closers.pop().unwrap_or("")),
                Token::Text(range, place) => {
                    let mut escaped = String::new();
                    self.dialect.escape(text(range), *place, &mut escaped);
                    say(&escaped);
                    plain.push_str(text(range));
                }
                Token::Unit { whole, instead } => {
                    say(whole);
                    said = said.max(index + 1 + instead);
                }
                Token::Space(range) => {
                    say(text(range));
                    plain.push_str(text(range));
                }
                Token::Break(_) => {
                    say(" ");
                    plain.push(' ');
                }
            }
        }
        (rich.trim().to_owned(), plain.trim().to_owned())
    }
}
