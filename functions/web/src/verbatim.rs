//! What is kept for programs: the words as they are, and what became of the question. Nothing here is Markdown.

use channel::{End, Outcome, Part};
use serde::{Deserialize, Serialize};

use crate::openai;
use crate::render::Line;
use crate::spec::SPEC;

/// The items' format.
pub const FORMAT: &str = "verbatim";

/// What a program is told beside the words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    Outcome(Outcome),
    /// Nobody will answer: this user may not talk to the assistant.
    Refused,
}

/// The parts of a reply, each as long as an item may be. Joined, they are the text.
pub fn lines(parts: &[Part]) -> Vec<Line> {
    let text = |part: &Part| match part {
        Part::Buttons { text, .. } => Some(text.clone()),
        other => other.as_text().map(std::borrow::Cow::into_owned),
    };
    let text = parts.iter().filter_map(text).collect::<Vec<_>>().join("\n\n");
    if text.is_empty() && parts.contains(&Part::Dismiss) {
        let text = openai::words(403).to_owned();
        return vec![Line { text, told: Some(Told::Refused), ..Line::default() }];
    }
    let outcome = |part: &Part| if let Part::Outcome(outcome) = part { Some(*outcome) } else { None };
    let outcome = parts.iter().find_map(outcome).unwrap_or_default();
    let line =
        |text: &str| Line { text: text.to_owned(), told: Some(Told::Outcome(outcome)), ..Line::default() };
    pieces(&text).into_iter().map(line).collect()
}

/// As much of what is being written as an item takes.
pub fn beginning(text: &str) -> &str {
    pieces(text).first().copied().unwrap_or("")
}

fn pieces(text: &str) -> Vec<&str> {
    let (mut pieces, mut rest) = (Vec::new(), text);
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(rest.floor_char_boundary(SPEC.text.max));
        pieces.push(piece);
        rest = after;
    }
    pieces
}

impl Told {
    /// The status and OpenAI's code of what is no answer.
    pub fn fault(self) -> Option<(u16, Option<&'static str>)> {
        let Told::Outcome(outcome) = self else { return Some((403, None)) };
        match outcome.end {
            End::Whole | End::Cut | End::Declined => None,
            End::Capped => Some((429, Some("insufficient_quota"))),
            End::Failed => Some((503, None)),
            End::TooLong => Some((400, Some(openai::TOO_LONG))),
        }
    }
}
