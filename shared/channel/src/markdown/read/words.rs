//! Text: words, spaces, code and bare addresses.

use std::ops::Range;

use super::Reader;
use super::address::{address_for_link, split_address};
use crate::markdown::flow::{Break, Token};
use crate::markdown::{Place, Style};
use crate::text;

impl Reader<'_> {
    pub(super) fn point(&mut self, text: &str) -> Range<usize> {
        let start = self.flow.text.len();
        self.flow.text.push_str(text);
        start..self.flow.text.len()
    }

    /// Something already written, with what to say where it cannot stay whole.
    pub(super) fn unit(&mut self, whole: String, instead: &str) {
        self.lead();
        let range = self.point(instead);
        self.flow.tokens.push(Token::Unit { whole, instead: 1 });
        self.flow.tokens.push(Token::Text(range, Place::Text));
        self.units_end = self.flow.tokens.len();
    }

    pub(super) fn space(&mut self, text: &str) {
        let range = self.point(text);
        self.flow.tokens.push(Token::Space(range));
    }

    /// Raw HTML is text like any other, but models write `<br>` where Markdown has no line break.
    pub(super) fn html(&mut self, html: &str) {
        match html.trim().to_ascii_lowercase().as_str() {
            "<br>" | "<br/>" | "<br />" => self.line_end(Break::HARD),
            _ => {
                for line in html.split_inclusive('\n') {
                    let text = line.trim_end_matches(['\r', '\n']);
                    self.words(text, Place::Text);
                    if text.len() < line.len() {
                        self.owe(Break::LINE);
                    }
                }
            }
        }
    }

    pub(super) fn code_span(&mut self, code: &str) {
        let kept = self.open(&Style::Code(code));
        self.words(code, if kept { Place::Code } else { Place::Text });
        self.close();
    }

    pub(super) fn code_block(&mut self, language: &str, code: &str) {
        let code = code.trim_end();
        let Some(first) = code.find(|c: char| !c.is_whitespace()) else { return };
        let start = code.get(..first).and_then(|blank| blank.rfind('\n')).map_or(0, |at| at + 1);
        let code = code.get(start..).unwrap_or(code);
        self.require(self.between_blocks());
        let kept = self.open(&Style::CodeBlock { language, text: code });
        let place = if kept { Place::CodeBlock } else { Place::Text };
        let mut lines = 0;
        for line in code.lines() {
            if lines > 0 && !line.trim().is_empty() {
                self.flow.tokens.push(Token::Break(Break { lines, ..Break::LINE }));
                lines = 0;
            }
            lines += 1;
            self.code_line(line, place);
        }
        self.close();
        self.owe(self.between_blocks());
    }

    /// Indentation belongs to the first word: it is not lost where a message ends before it.
    fn code_line(&mut self, line: &str, place: Place) {
        let first = line.find(|c: char| !c.is_whitespace()).unwrap_or(line.len());
        let end = line.get(first..).and_then(|rest| rest.find(is_space)).map_or(line.len(), |at| first + at);
        let (head, rest) = line.split_at_checked(end).unwrap_or((line, ""));
        if !head.trim().is_empty() {
            self.text(head, place);
            self.words(rest, place);
        }
    }

    pub(super) fn words(&mut self, mut text: &str, place: Place) {
        while let Some(first) = text.chars().next() {
            let space = is_space(first);
            let end = text.find(|c| is_space(c) != space).unwrap_or(text.len());
            let (run, rest) = text.split_at_checked(end).unwrap_or((text, ""));
            if space {
                self.space(run);
            } else {
                self.word(run, place);
            }
            text = rest;
        }
    }

    fn word(&mut self, mut word: &str, place: Place) {
        self.lead();
        while place == Place::Text && self.links.is_empty() {
            let Some((before, address, after)) = split_address(word) else { break };
            self.text(before, place);
            match address_for_link(address) {
                Some(url) => self.unit(self.dialect.url(&url), address),
                None => self.text(address, place),
            }
            word = after;
        }
        self.text(word, place);
    }

    fn text(&mut self, text: &str, place: Place) {
        // What is not seen would make an empty item of a list be shown in one message, and not in two.
        if text.chars().any(text::is_visible) {
            let range = self.point(text);
            self.flow.tokens.push(Token::Text(range, place));
        }
    }
}

/// Where a line may end. Spaces made not to break do not.
fn is_space(c: char) -> bool {
    c.is_whitespace() && !matches!(c, '\u{A0}' | '\u{2007}' | '\u{202F}')
}
