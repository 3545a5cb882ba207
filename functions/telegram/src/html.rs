//! The dialects: Telegram's HTML, and text without markup for when Telegram refused that.
//! <https://core.telegram.org/bots/api#html-style>

use channel::markdown::{Dialect, Markup, Place, Plain, Style, escape_html};

pub struct Html;

impl Dialect for Html {
    fn markup(&self, style: &Style<'_>) -> Markup {
        match style {
            // There are no headings.
            Style::Strong | Style::Heading(_) => Markup::around("<b>", "</b>"),
            Style::Emphasis => Markup::around("<i>", "</i>"),
            Style::Strike => Markup::around("<s>", "</s>"),
            Style::Code(_) => Markup::around("<code>", "</code>"),
            Style::Quote => Markup::around("<blockquote>", "</blockquote>"),
            Style::Item { number: Some(number), .. } => Markup::item(&format!("{number}.")),
            Style::Item { number: None, .. } => Markup::item("•"),
            Style::CodeBlock { language, .. } => Markup { flush: true, ..code_block(language) },
        }
    }

    fn escape(&self, text: &str, place: Place, out: &mut String) {
        match place {
            Place::Text | Place::LineStart => escape_html(&quiet(text), out),
            // Nothing in code is a mention.
            Place::Code | Place::CodeBlock => escape_html(text, out),
        }
    }

    /// Only web addresses: `tg://user` would be a mention, and of others Telegram keeps the label alone.
    fn link(&self, url: &str, label: &str) -> Option<String> {
        let mut href = String::new();
        escape_html(url, &mut href);
        url.starts_with("http").then(|| format!("<a href=\"{href}\">{label}</a>"))
    }

    /// Telegram makes it a link itself.
    fn url(&self, url: &str) -> String {
        let mut out = String::new();
        escape_html(url, &mut out);
        out
    }
}

fn code_block(language: &str) -> Markup {
    if language.is_empty() {
        return Markup::around("<pre>", "</pre>");
    }
    Markup::around(format!("<pre><code class=\"language-{language}\">"), "</code></pre>")
}

/// [`Plain`], without mentions.
pub struct Unmarked;

impl Dialect for Unmarked {
    fn markup(&self, style: &Style<'_>) -> Markup {
        Plain.markup(style)
    }

    fn escape(&self, text: &str, place: Place, out: &mut String) {
        Plain.escape(&quiet(text), place, out);
    }

    fn url(&self, url: &str) -> String {
        url.to_owned()
    }

    fn task(&self, done: bool) -> &'static str {
        Plain.task(done)
    }

    fn rule(&self) -> &'static str {
        Plain.rule()
    }
}

/// A word that notifies nobody: an invisible joiner parts `@` from a name. Addresses of mail stay as they are.
fn quiet(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    let mut before = ' ';
    for c in word.chars() {
        if before == '@' && c.is_alphanumeric() && !out.trim_end_matches('@').ends_with(char::is_alphanumeric)
        {
            out.push('\u{2060}');
        }
        out.push(c);
        before = c;
    }
    out
}
