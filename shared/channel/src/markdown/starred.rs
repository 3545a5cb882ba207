//! `*bold* _italic_ ~strike~`: what WhatsApp, Viber and Google Chat read.

use super::{Dialect, Markup, Place, Plain, Style, break_fences};

/// There is no escape: a mark that would mean something is parted from its word by an invisible space.
/// <https://faq.whatsapp.com/539178204879377>, <https://developers.google.com/workspace/chat/format-messages>
#[derive(Debug, Clone, Copy)]
pub struct Starred {
    /// Links may have labels, `<url|label>`, and `<users/…>` is a mention: Google Chat.
    pub angled: bool,
}

impl Dialect for Starred {
    fn markup(&self, style: &Style<'_>) -> Markup {
        match style {
            Style::Strong | Style::Heading(_) => Markup::around("*", "*"),
            Style::Emphasis => Markup::around("_", "_"),
            Style::Strike => Markup::around("~", "~"),
            Style::Code(_) => Markup::around("`", "`"),
            Style::CodeBlock { .. } => Markup::around("```\n", "\n```"),
            Style::Quote | Style::Item { .. } => Plain.markup(style),
        }
    }

    fn escape(&self, text: &str, place: Place, out: &mut String) {
        match place {
            Place::CodeBlock => break_fences(text, out),
            // A backtick would end it, whatever stands before.
            Place::Code => out.push_str(&text.replace('`', "'")),
            Place::Text | Place::LineStart => self.escape_word(text, out),
        }
    }

    fn link(&self, url: &str, label: &str) -> Option<String> {
        (self.angled && !label.contains(['<', '>', '|', '\n'])).then(|| format!("<{url}|{label}>"))
    }

    fn url(&self, url: &str) -> String {
        url.to_owned()
    }
}

impl Starred {
    fn escape_word(&self, word: &str, out: &mut String) {
        let mut before: Option<char> = None;
        let mut chars = word.chars().peekable();
        while let Some(c) = chars.next() {
            let inside = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
            let meant = match c {
                '*' | '_' | '~' => {
                    word.chars().count() > 1 && !(inside(before) && inside(chars.peek().copied()))
                }
                '`' => true,
                '<' => self.angled,
                _ => false,
            };
            // Before a mark that ends and after one that begins: so it does neither.
            if meant && before.is_some() && c != '<' {
                out.push('\u{200B}');
            }
            out.push(c);
            if meant && chars.peek().is_some() {
                out.push('\u{200B}');
            }
            before = Some(c);
        }
    }
}
