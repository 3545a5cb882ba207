//! A parsed document as a stream of words, whitespace and styles: the middle between parsing and packing.

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, LinkType, Options, Parser, Tag, TagEnd, TextMergeStream};

use super::table::{Table, aligned};
use super::{Dialect, Markup, Place, Style};
use crate::{Limit, text};

/// Deeper styles are dropped: their text stays, and the work per word stays bounded.
const MAX_DEPTH: usize = 16;

/// Addresses that may become links.
const SCHEMES: [&str; 5] = ["http:", "https:", "mailto:", "tel:", "tg:"];

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
    /// Already written in the dialect and to be kept whole; `parts` is what to show where that cannot be.
    Unit {
        whole: String,
        parts: Range<usize>,
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
    const LINE: Break = Break { lines: 1, hard: false, rank: Rank::Line };
    const HARD: Break = Break { lines: 1, hard: true, rank: Rank::Line };
    const BLOCK: Break = Break { lines: 2, hard: false, rank: Rank::Block };
    /// A heading stays with what it heads.
    const AFTER_HEADING: Break = Break { lines: 2, hard: false, rank: Rank::Word };
}

pub(super) struct Frame {
    pub markup: Markup,
    /// Its marker stands only once, and where a message begins inside it, its lines begin at the margin.
    pub item: bool,
    /// Text inside it still counts as the beginning of a line.
    pub block: bool,
}

pub(super) fn read(markdown: &str, dialect: &dyn Dialect, limit: Limit) -> Flow {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let mut reader = Reader {
        dialect,
        limit,
        flow: Flow { text: String::with_capacity(markdown.len()), tokens: Vec::new(), frames: Vec::new() },
        open: Vec::new(),
        owed: None,
        fresh: true,
        one_line: false,
        lists: Vec::new(),
        code: None,
        links: Vec::new(),
        table: ReadTable::default(),
    };
    for event in TextMergeStream::new(Parser::new_ext(markdown, options)) {
        reader.event(event);
    }
    reader.flow
}

struct Reader<'d> {
    dialect: &'d dyn Dialect,
    limit: Limit,
    flow: Flow,
    /// Open frames, outermost first; `None` for one that was dropped.
    open: Vec<Option<usize>>,
    /// The break before whatever comes next.
    owed: Option<Break>,
    /// Nothing was written since a container was opened: no break before its first block.
    fresh: bool,
    /// Breaks become spaces: in headings, link labels and cells.
    one_line: bool,
    /// The next number of each open list.
    lists: Vec<Option<u64>>,
    /// Language and text of the open code block.
    code: Option<(String, String)>,
    /// Open links: where the label's tokens begin, and the address.
    links: Vec<(usize, Option<String>)>,
    table: ReadTable,
}

/// A table as it is read: each cell as written in the dialect, and as plain text.
#[derive(Default)]
struct ReadTable {
    rich: Table,
    plain: Table,
    row: (Vec<String>, Vec<String>),
    /// Where the open cell's tokens begin.
    cell: usize,
    /// `fresh` and `owed` before the table: the cells are read away from the stream.
    before: (bool, Option<Break>),
}

impl Reader<'_> {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => match &mut self.code {
                Some((_, code)) => code.push_str(&text),
                None => self.words(&text, Place::Text),
            },
            Event::Code(code) => self.code_span(&code),
            Event::Html(html) | Event::InlineHtml(html) => self.html(&html),
            Event::SoftBreak => self.line_end(Break::LINE),
            Event::HardBreak => self.line_end(Break::HARD),
            Event::Rule => {
                self.require(Break::BLOCK);
                self.unit(self.dialect.rule().to_owned(), "");
                self.owe(Break::BLOCK);
            }
            Event::TaskListMarker(done) => {
                self.unit(self.dialect.task(done).to_owned(), "");
                self.space(" ");
            }
            // Never parsed with these options.
            Event::InlineMath(text) | Event::DisplayMath(text) | Event::FootnoteReference(text) => {
                self.words(&text, Place::Text);
            }
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Paragraph | Tag::HtmlBlock => self.require(Break::BLOCK),
            Tag::Heading { level, .. } => {
                self.require(Break::BLOCK);
                self.open(&Style::Heading(level as u8));
                self.one_line = true;
            }
            Tag::BlockQuote(_) => {
                self.require(self.between_blocks());
                self.open(&Style::Quote);
                self.fresh = true;
            }
            Tag::CodeBlock(kind) => self.code = Some((language(&kind), String::new())),
            Tag::List(first) => {
                self.require(self.between_blocks());
                self.lists.push(first);
            }
            Tag::Item => self.item(),
            Tag::Table(alignments) => {
                self.require(Break::BLOCK);
                self.table = ReadTable::default();
                self.table.rich.alignments = alignments.clone();
                self.table.plain.alignments = alignments;
                self.table.before = (self.fresh, self.owed.take());
                self.one_line = true;
            }
            Tag::TableCell => self.table.cell = self.flow.tokens.len(),
            Tag::Emphasis => self.open_inline(&Style::Emphasis),
            Tag::Strong => self.open_inline(&Style::Strong),
            Tag::Strikethrough => self.open_inline(&Style::Strike),
            Tag::Link { link_type, dest_url, .. } => {
                let scheme = if link_type == LinkType::Email { "mailto:" } else { "" };
                self.start_link(&format!("{scheme}{dest_url}"));
            }
            Tag::Image { dest_url, .. } => self.start_link(&dest_url),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph | TagEnd::HtmlBlock => self.owe(Break::BLOCK),
            TagEnd::Heading(_) => {
                self.one_line = false;
                self.close();
                self.owe(Break::AFTER_HEADING);
            }
            TagEnd::BlockQuote(_) => {
                self.close();
                self.owe(self.between_blocks());
            }
            TagEnd::CodeBlock => {
                if let Some((language, code)) = self.code.take() {
                    self.code_block(&language, &code);
                }
            }
            TagEnd::List(_) => {
                self.lists.pop();
                self.owe(self.between_blocks());
            }
            TagEnd::Item => {
                self.close();
                self.owe(Break::LINE);
            }
            TagEnd::Table => self.end_table(),
            TagEnd::TableHead => {
                (self.table.rich.head, self.table.plain.head) = std::mem::take(&mut self.table.row);
            }
            TagEnd::TableRow => {
                let (rich, plain) = std::mem::take(&mut self.table.row);
                self.table.rich.rows.push(rich);
                self.table.plain.rows.push(plain);
            }
            TagEnd::TableCell => {
                let cell = self.flow.tokens.split_off(self.table.cell.min(self.flow.tokens.len()));
                let (rich, plain) = self.written(&cell);
                self.table.row.0.push(rich);
                self.table.row.1.push(plain);
            }
            TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough => self.close(),
            TagEnd::Link | TagEnd::Image => self.end_link(),
            _ => {}
        }
    }

    // -- breaks ------------------------------------------------------------------------------------------------------

    /// Inside a list nothing but paragraphs of its own puts a blank line between blocks.
    fn between_blocks(&self) -> Break {
        if self.lists.is_empty() { Break::BLOCK } else { Break::LINE }
    }

    /// A break before what begins now, unless it is the first in its container.
    fn require(&mut self, what: Break) {
        if !self.fresh {
            self.owe(what);
        }
    }

    fn owe(&mut self, what: Break) {
        if self.owed.is_none_or(|owed| owed.lines < what.lines) {
            self.owed = Some(what);
        }
    }

    /// To be called before anything is written.
    fn lead(&mut self) {
        self.fresh = false;
        if let Some(owed) = self.owed.take() {
            self.flow.tokens.push(Token::Break(owed));
        }
    }

    fn line_end(&mut self, what: Break) {
        if self.one_line {
            self.space(" ");
        } else {
            self.flow.tokens.push(Token::Break(what));
        }
    }

    // -- styles ------------------------------------------------------------------------------------------------------

    /// Opens a style; false where it is dropped: too deep, already open in the same form, or more than half a message long.
    fn open(&mut self, style: &Style<'_>) -> bool {
        self.lead();
        let markup = self.dialect.markup(style);
        let item = matches!(style, Style::Item { .. });
        let inline = matches!(style, Style::Strong | Style::Emphasis | Style::Strike | Style::Code(_));
        let nests = item || *style == Style::Quote;
        let repeated =
            !nests && !markup.open.is_empty() && self.frames().any(|f| f.markup.open == markup.open);
        let kept = !repeated && self.open.len() < MAX_DEPTH && self.overhead(&markup) <= self.limit.max / 2;
        if kept {
            self.push_frame(Frame { markup, item, block: !inline });
        } else {
            self.open.push(None);
            if item {
                self.words(markup.open.trim_end(), Place::Text);
                self.space(" ");
            }
        }
        kept
    }

    fn open_inline(&mut self, style: &Style<'_>) {
        self.open(style);
    }

    fn push_frame(&mut self, frame: Frame) {
        let index = self.flow.frames.len();
        self.flow.frames.push(frame);
        self.flow.tokens.push(Token::Open(index));
        self.open.push(Some(index));
    }

    fn close(&mut self) {
        if let Some(Some(_)) = self.open.pop() {
            self.flow.tokens.push(Token::Close);
        }
    }

    fn frames(&self) -> impl Iterator<Item = &Frame> {
        self.open.iter().flatten().filter_map(|index| self.flow.frames.get(*index))
    }

    /// Units that a message needs for the markup of all open styles and this one, before it holds any text.
    fn overhead(&self, new: &Markup) -> usize {
        let length = |text: &str| text::length(text, self.limit.unit);
        let all = || self.frames().map(|frame| &frame.markup).chain(std::iter::once(new));
        let prefixes: usize = all().map(|markup| length(&markup.prefix)).sum();
        let breaks = |text: &str| text.matches('\n').count() * prefixes;
        all().map(|m| length(&m.open) + length(&m.close) + breaks(&m.open) + breaks(&m.close)).sum()
    }

    fn item(&mut self) {
        self.require(Break::LINE);
        let depth = self.lists.len().saturating_sub(1);
        let number = self.lists.last_mut().and_then(|next| {
            let number = *next;
            *next = number.map(|number| number.saturating_add(1));
            number
        });
        self.open(&Style::Item { number, depth });
        self.fresh = true;
    }

    // -- text --------------------------------------------------------------------------------------------------------

    fn point(&mut self, text: &str) -> Range<usize> {
        let start = self.flow.text.len();
        self.flow.text.push_str(text);
        start..self.flow.text.len()
    }

    fn unit(&mut self, whole: String, parts: &str) {
        self.lead();
        let parts = self.point(if parts.is_empty() { &whole } else { parts });
        self.flow.tokens.push(Token::Unit { whole, parts });
    }

    fn space(&mut self, text: &str) {
        let range = self.point(text);
        self.flow.tokens.push(Token::Space(range));
    }

    /// Raw HTML is text like any other, but models write `<br>` where Markdown has no line break.
    fn html(&mut self, html: &str) {
        match html.trim().to_ascii_lowercase().as_str() {
            "<br>" | "<br/>" | "<br />" => self.line_end(Break::HARD),
            _ => {
                for line in html.lines() {
                    self.words(line, Place::Text);
                    self.owe(Break::LINE);
                }
                if !html.ends_with('\n') {
                    self.owed = None;
                }
            }
        }
    }

    fn code_span(&mut self, code: &str) {
        let kept = self.open(&Style::Code(code));
        self.words(code, if kept { Place::Code } else { Place::Text });
        self.close();
    }

    fn code_block(&mut self, language: &str, code: &str) {
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

    fn words(&mut self, mut text: &str, place: Place) {
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
        if !text.is_empty() {
            let range = self.point(text);
            self.flow.tokens.push(Token::Text(range, place));
        }
    }

    // -- links and tables --------------------------------------------------------------------------------------------

    fn start_link(&mut self, address: &str) {
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
        let Some(Token::Text(range, place)) = self.flow.tokens.last_mut() else { return };
        let word = self.flow.text.get(range.clone()).unwrap_or("");
        if word.len() > 1 && word.ends_with('!') {
            let mark = range.end - 1..range.end;
            range.end -= 1;
            let place = *place;
            self.flow.tokens.push(Token::Text(mark, place));
        }
    }

    fn end_link(&mut self) {
        let Some((from, url)) = self.links.pop() else { return };
        let Some(url) = url else { return };
        let label = self.flow.tokens.split_off(from.min(self.flow.tokens.len()));
        let (rich, plain) = self.written(&label);
        if plain.is_empty() || plain == url {
            return self.unit(self.dialect.url(&url), &url);
        }
        match self.dialect.link(&url, &rich) {
            None if url.strip_prefix("mailto:") == Some(&plain) => self.unit(rich, &plain),
            Some(whole) => self.unit(whole, &format!("{plain} ({url})")),
            None => {
                self.flow.tokens.extend(label);
                self.space(" ");
                self.unit(format!("({})", self.dialect.url(&url)), &format!("({url})"));
            }
        }
    }

    fn end_table(&mut self) {
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
            self.unit(row, "");
        }
        self.close();
        self.owe(Break::BLOCK);
    }

    /// Tokens on one line: as the dialect writes them, and as plain text.
    fn written(&self, tokens: &[Token]) -> (String, String) {
        let (mut rich, mut plain, mut closers) = (String::new(), String::new(), Vec::new());
        let text = |range: &Range<usize>| self.flow.text.get(range.clone()).unwrap_or("");
        for token in tokens {
            match token {
                Token::Open(frame) => {
                    if let Some(frame) = self.flow.frames.get(*frame) {
                        rich.push_str(&frame.markup.open);
                        closers.push(frame.markup.close.as_str());
                    }
                }
                Token::Close => rich.push_str(closers.pop().unwrap_or("")),
                Token::Text(range, place) => {
                    self.dialect.escape(text(range), *place, &mut rich);
                    plain.push_str(text(range));
                }
                Token::Unit { whole, parts } => {
                    rich.push_str(whole);
                    plain.push_str(text(parts));
                }
                Token::Space(range) => {
                    rich.push_str(text(range));
                    plain.push_str(text(range));
                }
                Token::Break(_) => {
                    rich.push(' ');
                    plain.push(' ');
                }
            }
        }
        (rich.trim().to_owned(), plain.trim().to_owned())
    }
}

/// The first word of a fence's info string, without what a dialect could take for markup.
fn language(kind: &CodeBlockKind<'_>) -> String {
    let CodeBlockKind::Fenced(info) = kind else { return String::new() };
    let named = |c: &char| c.is_ascii_alphanumeric() || "+-#._".contains(*c);
    info.chars().take_while(named).take(32).collect()
}

/// Where a line may end. Spaces made not to break do not.
fn is_space(c: char) -> bool {
    c.is_whitespace() && !matches!(c, '\u{A0}' | '\u{2007}' | '\u{202F}')
}

/// An address as the dialects get it, or `None` where its kind must not become a link.
fn address_for_link(address: &str) -> Option<String> {
    let address = address.trim();
    let scheme = SCHEMES
        .iter()
        .find(|scheme| address.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))?;
    if address.len() <= scheme.len() {
        return None;
    }
    let mut url = String::with_capacity(address.len());
    for c in address.chars() {
        if c.is_whitespace() || c.is_control() || "\"'<>`\\|^{}".contains(c) {
            let mut bytes = [0; 4];
            let encoded = percent_encoding::utf8_percent_encode(
                c.encode_utf8(&mut bytes),
                percent_encoding::NON_ALPHANUMERIC,
            );
            url.extend(encoded);
        } else {
            url.push(c);
        }
    }
    Some(url)
}

/// A word around the first bare web address in it; punctuation of the sentence is not part of the address.
fn split_address(word: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = word.split_at_checked(word.find("http")?)?;
    let scheme = ["https://", "http://"].into_iter().find(|scheme| rest.starts_with(scheme))?;
    if before.chars().next_back().is_some_and(char::is_alphanumeric) {
        return None;
    }
    let foreign =
        |c: char| "<>\"`\\|^{}".contains(c) || ('\u{3000}'..='\u{303F}').contains(&c) || c >= '\u{FF00}';
    let mut address = rest.get(..rest.find(foreign).unwrap_or(rest.len()))?;
    let mut unopened = address.matches(')').count().saturating_sub(address.matches('(').count());
    while let Some(last) = address.chars().next_back() {
        match last {
            ')' if unopened > 0 => unopened -= 1,
            _ if ".,;:!?'*_~]…".contains(last) => {}
            _ => break,
        }
        address = address.get(..address.len() - last.len_utf8())?;
    }
    (address.len() > scheme.len()).then_some((before, address, rest.get(address.len()..)?))
}
