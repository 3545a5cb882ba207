//! CommonMark's events into a [`Flow`].

mod address;
mod links;
mod words;

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, LinkType, Options, Parser, Tag, TagEnd, TextMergeStream};

use super::flow::{Break, Flow, Frame, Token};
use super::table::Table;
use super::{Dialect, Markup, Place, Style};
use crate::{Limit, text};

/// Deeper styles are dropped: their text stays, and the work per word stays bounded.
const MAX_DEPTH: usize = 16;

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
        units_end: 0,
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
    /// Open styles, outermost first.
    open: Vec<Opened>,
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
    /// How many tokens there were after the last unit.
    units_end: usize,
}

/// A style that is open.
enum Opened {
    /// The index of its frame.
    Frame(usize),
    Dropped,
    /// An item without a frame: its marker is these tokens.
    Marker(Range<usize>),
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
                let rule = self.dialect.rule();
                self.unit(rule.to_owned(), rule);
                self.owe(Break::BLOCK);
            }
            Event::TaskListMarker(done) => {
                let mark = self.dialect.task(done);
                self.unit(mark.to_owned(), mark);
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
        let before = self.flow.tokens.len();
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
        } else if item {
            self.words(markup.open.trim_end(), Place::Text);
            self.space(" ");
            self.open.push(Opened::Marker(before..self.flow.tokens.len()));
        } else {
            self.open.push(Opened::Dropped);
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
        self.open.push(Opened::Frame(index));
    }

    fn close(&mut self) {
        match self.open.pop() {
            Some(Opened::Frame(_)) => self.flow.tokens.push(Token::Close),
            // As with a frame, the marker of an empty item is not shown.
            Some(Opened::Marker(marker)) if self.is_empty_since(marker.end) => {
                self.flow.tokens.truncate(marker.start);
            }
            Some(Opened::Marker(_) | Opened::Dropped) | None => {}
        }
    }

    fn is_empty_since(&self, token: usize) -> bool {
        let since = self.flow.tokens.get(token..).unwrap_or_default();
        !since.iter().any(|token| matches!(token, Token::Text(..) | Token::Unit { .. }))
    }

    fn frames(&self) -> impl Iterator<Item = &Frame> {
        let index = |opened: &Opened| if let Opened::Frame(index) = opened { Some(*index) } else { None };
        self.open.iter().filter_map(index).filter_map(|index| self.flow.frames.get(index))
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
}

/// The first word of a fence's info string, without what a dialect could take for markup.
fn language(kind: &CodeBlockKind<'_>) -> String {
    let CodeBlockKind::Fenced(info) = kind else { return String::new() };
    let named = |c: &char| c.is_ascii_alphanumeric() || "+-#._".contains(*c);
    info.chars().take_while(named).take(32).collect()
}
