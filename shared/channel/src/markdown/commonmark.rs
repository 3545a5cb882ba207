//! CommonMark with the tables, tasks and strikethrough of GitHub's variant, normalised.

use pulldown_cmark::Alignment;

use super::{Dialect, Markup, Place, Style, Table, TableLines};

/// For platforms that take Markdown, and the base of dialects near to it: delegate to it and change what differs.
/// Text never turns into markup on its way: what had no meaning in the source is escaped where it would get one.
#[derive(Debug, Clone, Copy)]
pub struct CommonMark;

impl Dialect for CommonMark {
    fn markup(&self, style: &Style<'_>) -> Markup {
        match style {
            Style::Strong => Markup::around("**", "**"),
            Style::Emphasis => Markup::around("*", "*"),
            Style::Strike => Markup::around("~~", "~~"),
            Style::Code(text) => code_span(text),
            Style::Heading(level) => Markup::around(format!("{} ", "#".repeat(usize::from(*level))), ""),
            Style::Quote => Markup::lines("> ", "> "),
            Style::Item { number: Some(number), .. } => Markup::item(&format!("{number}.")),
            Style::Item { number: None, .. } => Markup::item("-"),
            Style::CodeBlock { language, text } => {
                let fence = "`".repeat(longest_run(text).max(2) + 1);
                Markup::around(format!("{fence}{language}\n"), format!("\n{fence}"))
            }
        }
    }

    fn escape(&self, text: &str, place: Place, out: &mut String) {
        match place {
            Place::Code | Place::CodeBlock => out.push_str(text),
            Place::Text => escape_word(text, out),
            Place::LineStart => match block_marker(text) {
                Some(at) => {
                    let (before, after) = text.split_at_checked(at).unwrap_or((text, ""));
                    let mut after = after.chars();
                    out.push_str(before);
                    out.push('\\');
                    out.extend(after.next());
                    escape_word(after.as_str(), out);
                }
                None => escape_word(text, out),
            },
        }
    }

    fn link(&self, url: &str, label: &str) -> Option<String> {
        Some(format!("[{label}]({})", url.replace('(', "%28").replace(')', "%29")))
    }

    fn url(&self, url: &str) -> String {
        format!("<{url}>")
    }

    fn task(&self, done: bool) -> &'static str {
        if done { "[x]" } else { "[ ]" }
    }

    fn rule(&self) -> &'static str {
        // Not `---`, which makes a heading of a line above it.
        "***"
    }

    fn hard_break(&self) -> &'static str {
        "  "
    }

    fn table(&self, table: &Table) -> Option<TableLines> {
        let delimiters = table.alignments.iter().map(|alignment| match alignment {
            Alignment::None => "---",
            Alignment::Left => ":--",
            Alignment::Center => ":-:",
            Alignment::Right => "--:",
        });
        let delimiters = delimiters.collect::<Vec<_>>().join(" | ");
        let head = format!("{}\n| {delimiters} |", row(&table.head));
        Some(TableLines { head, rows: table.rows.iter().map(|cells| row(cells)).collect() })
    }
}

/// A bar ends a cell even inside code, unless escaped.
fn row(cells: &[String]) -> String {
    let mut line = String::from("|");
    for cell in cells {
        line.push(' ');
        let mut escaped = false;
        for c in cell.chars() {
            if c == '|' && !escaped {
                line.push('\\');
            }
            escaped = c == '\\' && !escaped;
            line.push(c);
        }
        line.push_str(" |");
    }
    line
}

/// Delimiters longer than any run of backticks inside; a space keeps backticks and spaces at the ends apart from them.
fn code_span(text: &str) -> Markup {
    let fence = "`".repeat(longest_run(text) + 1);
    let pad = text.contains('`') || text.starts_with(' ') || text.ends_with(' ');
    let pad = if pad { " " } else { "" };
    Markup::around(format!("{fence}{pad}"), format!("{pad}{fence}"))
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// Where the character stands that would make the line's first word begin a block: a heading, a quote, an item, an
/// underline, a table's row.
fn block_marker(word: &str) -> Option<usize> {
    let digits = word.bytes().take_while(u8::is_ascii_digit).count();
    let rest = word.get(digits..)?;
    if digits > 0 {
        return matches!(rest, "." | ")").then_some(digits);
    }
    let marks_only = rest.chars().all(|c| "#+-=:|".contains(c));
    (rest.starts_with('>') || rest == "*" || marks_only && !rest.is_empty()).then_some(0)
}

fn escape_word(word: &str, out: &mut String) {
    if matches!(word, "*" | "<" | "&") {
        return out.push_str(word);
    }
    // A closing run of a heading, and the mark before a link that would make it an image.
    if word == "!" || !word.is_empty() && word.chars().all(|c| c == '#') {
        out.push('\\');
    }
    let entity = word.contains(';');
    // Brackets mean something only before an address, a second pair or a colon, and as the box of a task.
    let bracket = ["](", "][", "]:"].iter().any(|link| word.contains(link))
        || matches!(word, "[" | "]" | "[x]" | "[X]" | "[]");
    let mut before = None;
    let mut chars = word.chars().peekable();
    while let Some(c) = chars.next() {
        let after = chars.peek().copied();
        let inside = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let meant = match c {
            '\\' | '`' | '*' | '~' => true,
            '[' | ']' => bracket,
            '_' => !(inside(before) && inside(after)),
            '<' => after.is_some(),
            '&' => entity,
            '|' => after == Some('|') || before == Some('|'),
            _ => false,
        };
        if meant {
            out.push('\\');
        }
        out.push(c);
        before = Some(c);
    }
}
