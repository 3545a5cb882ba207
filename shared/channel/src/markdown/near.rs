//! Platforms that take Markdown, almost.

use std::borrow::Cow;

use super::{CommonMark, Dialect, Markup, Place, Style, Table, TableLines, break_fences};

/// [`CommonMark`] without what a platform does not show, and without its mentions.
#[derive(Clone, Copy)]
pub struct Near {
    /// The deepest heading that it shows; deeper ones are bold.
    pub headings: u8,
    /// It shows tables.
    pub tables: bool,
    /// A fence is always three backticks, and nothing in it is escaped.
    pub short_fences: bool,
    /// The text so that it calls nobody: see [`quiet`].
    pub harmless: fn(&str) -> Cow<'_, str>,
}

impl Dialect for Near {
    fn markup(&self, style: &Style<'_>) -> Markup {
        match style {
            Style::Heading(level) if *level > self.headings => CommonMark.markup(&Style::Strong),
            Style::CodeBlock { language, .. } if self.short_fences => {
                Markup::around(format!("```{language}\n"), "\n```")
            }
            _ => CommonMark.markup(style),
        }
    }

    fn escape(&self, text: &str, place: Place, out: &mut String) {
        match place {
            Place::CodeBlock if self.short_fences => break_fences(text, out),
            Place::Code | Place::CodeBlock => CommonMark.escape(text, place, out),
            Place::Text | Place::LineStart => CommonMark.escape(&(self.harmless)(text), place, out),
        }
    }

    fn link(&self, url: &str, label: &str) -> Option<String> {
        CommonMark.link(url, label)
    }

    fn url(&self, url: &str) -> String {
        CommonMark.url(url)
    }

    fn task(&self, done: bool) -> &'static str {
        CommonMark.task(done)
    }

    fn rule(&self) -> &'static str {
        CommonMark.rule()
    }

    fn hard_break(&self) -> &'static str {
        CommonMark.hard_break()
    }

    fn table(&self, table: &Table) -> Option<TableLines> {
        self.tables.then(|| CommonMark.table(table)).flatten()
    }
}

/// A word in which `@` calls nobody: an invisible joiner parts it from a name. Addresses of mail stay as they are.
pub fn quiet(word: &str) -> Cow<'_, str> {
    if !word.contains('@') {
        return Cow::Borrowed(word);
    }
    let mut out = String::with_capacity(word.len() + 3);
    let mut before = ' ';
    for c in word.chars() {
        if before == '@' && c.is_alphanumeric() && !out.trim_end_matches('@').ends_with(char::is_alphanumeric)
        {
            out.push('\u{2060}');
        }
        out.push(c);
        before = c;
    }
    Cow::Owned(out)
}
