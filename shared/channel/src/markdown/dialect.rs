//! What a platform's way of writing is made of.

use super::{Table, TableLines};

/// A platform's way of writing. Only [`Dialect::markup`] and [`Dialect::escape`] must be given; the rest has the plain
/// form as its default.
pub trait Dialect {
    /// What stands around text of this style; [`Markup::none`] where the platform cannot show it.
    fn markup(&self, style: &Style<'_>) -> Markup;

    /// Appends `text` so that the platform shows it as it stands. In [`Place::Text`] it gets one word at a time (or a
    /// part of a word that is longer than a message), never a line break. Mentions are made harmless here.
    fn escape(&self, text: &str, place: Place, out: &mut String);

    /// A link whose label is already written in the dialect; `None` where links have no label: then the label is
    /// followed by the address in brackets. `url` is http, https, mailto, tel or tg, without spaces, quotes, angle
    /// brackets, backslashes, backticks or bars.
    fn link(&self, _url: &str, _label: &str) -> Option<String> {
        None
    }

    /// A link that is its own label; by default the address as text, which most platforms make a link.
    fn url(&self, url: &str) -> String {
        let mut out = String::with_capacity(url.len());
        self.escape(url, Place::Text, &mut out);
        out
    }

    /// The box of a task, followed by a space of ours.
    fn task(&self, done: bool) -> &'static str {
        if done { "☑" } else { "☐" }
    }

    /// A thematic break, on a line of its own.
    fn rule(&self) -> &'static str {
        "———"
    }

    /// What stands before the end of a line that must not flow into the next.
    fn hard_break(&self) -> &'static str {
        ""
    }

    /// A table in the platform's own form; `None` where it has none: then it becomes aligned text in a code block.
    fn table(&self, _table: &Table) -> Option<TableLines> {
        None
    }
}

/// What text may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style<'a> {
    Strong,
    Emphasis,
    Strike,
    /// With its text, because some dialects choose the delimiter by it.
    Code(&'a str),
    /// 1 to 6.
    Heading(u8),
    Quote,
    /// `number` in an ordered list; `depth` counts the lists around it, from 0.
    Item {
        number: Option<u64>,
        depth: usize,
    },
    /// `language` holds letters, digits and `+-#._` only, or nothing. With its text, as [`Style::Code`].
    CodeBlock {
        language: &'a str,
        text: &'a str,
    },
}

/// What a style puts around its text. A line break in `open` or `close` is followed by the prefixes of the styles around.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Markup {
    /// Before the first line, in every message that the style reaches into; an item's only in its first.
    pub open: String,
    /// After the last line of a message.
    pub close: String,
    /// Before every line but the first.
    pub prefix: String,
    /// Lines inside are not indented by list items around: for code blocks that would show the indentation.
    pub flush: bool,
}

impl Markup {
    /// Text as it stands.
    pub fn none() -> Markup {
        Markup::default()
    }

    pub fn around(open: impl Into<String>, close: impl Into<String>) -> Markup {
        Markup { open: open.into(), close: close.into(), ..Markup::default() }
    }

    /// `first` before the first line, `rest` before each other.
    pub fn lines(first: impl Into<String>, rest: impl Into<String>) -> Markup {
        Markup { open: first.into(), prefix: rest.into(), ..Markup::default() }
    }

    /// An item: its marker and a space, then lines indented by as many characters.
    pub fn item(marker: &str) -> Markup {
        let first = format!("{marker} ");
        let rest = " ".repeat(first.chars().count());
        Markup::lines(first, rest)
    }
}

/// Where text to be escaped stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// First in its line, where more characters may have a meaning.
    LineStart,
    Text,
    /// Inside a code span.
    Code,
    CodeBlock,
}

/// Escapes for HTML and what resembles it: `&`, `<`, `>` and `"`.
pub fn escape_html(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            _ => out.push(c),
        }
    }
}

/// Keeps backticks in a code block from ending it, for platforms whose fence is always three of them: a zero-width
/// space after every second of a run.
pub fn break_fences(text: &str, out: &mut String) {
    let mut run = 0;
    for c in text.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        if run == 3 {
            out.push('\u{200B}');
            run = 1;
        }
        out.push(c);
    }
}
