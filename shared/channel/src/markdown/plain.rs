//! No markup at all.

use super::{Dialect, Markup, Place, Style};

/// For channels that show text as it stands, and for the second try where a platform refused our markup. Uses only
/// characters that a short message (SMS) can hold without doubling its size.
#[derive(Debug, Clone, Copy)]
pub struct Plain;

impl Dialect for Plain {
    fn markup(&self, style: &Style<'_>) -> Markup {
        match style {
            Style::Quote => Markup::lines("> ", "> "),
            Style::Item { number: Some(number), .. } => Markup::item(&format!("{number}.")),
            Style::Item { number: None, .. } => Markup::item("-"),
            _ => Markup::none(),
        }
    }

    fn escape(&self, text: &str, _place: Place, out: &mut String) {
        out.push_str(text);
    }

    fn task(&self, done: bool) -> &'static str {
        if done { "[x]" } else { "[ ]" }
    }

    fn rule(&self) -> &'static str {
        "---"
    }
}
