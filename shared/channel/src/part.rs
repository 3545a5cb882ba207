//! What is to appear in a conversation, before it has any platform's form.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// What is to appear in the conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// CommonMark; the room turns it into its dialect and splits it at the platform's limit.
    Text(String),
    /// The sign that an answer is being written. May be lost without harm.
    Typing,
    /// Clears a placeholder whose message is answered elsewhere (a deferred answer, a "thinking" sign).
    Dismiss,
    /// What is written so far of an answer, in one message: posted where `posted` is `None`, else in place of what the
    /// message of that id says. A sign only: nothing where [`crate::Spec::streaming`] is off. A step that is
    /// [`crate::Step::repeatable`] leaves nothing behind that somebody would have to finish: it shows what vanishes with the
    /// answer, or changes what the answer changes as well. To a stream only what is new is added; nothing where the text does
    /// not go on. Where the settings say `streaming: edit`, ways of the platform's
    /// own are not taken.
    Draft {
        text: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        posted: Option<String>,
        #[serde(default, skip_serializing_if = "Grown::is_edited")]
        grown: Grown,
    },
    /// The whole answer, its beginning in place of the draft of that id; what does not fit there follows.
    Edit {
        posted: String,
        text: String,
        #[serde(default, skip_serializing_if = "Grown::is_edited")]
        grown: Grown,
    },
    /// A file.
    Media(Media),
    /// A text with answers to choose from. What is chosen comes back as if the person had written it.
    Buttons { text: String, choices: Vec<Choice> },
    /// What became of the question, beside the words: for programs, see [`crate::Channel::is_verbatim`].
    Outcome(Outcome),
}

/// What became of a question, and what that took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Outcome {
    pub end: End,
    /// Tokens, the cached ones included.
    pub input: u32,
    /// Tokens, those of thinking included.
    pub output: u32,
    pub cached: u32,
    pub reasoning: u32,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// With an answer, or with words that stand for one.
    #[default]
    Whole,
    /// With an answer as long as the limits allow; there was more.
    Cut,
    /// A cap is reached, as the words say.
    Capped,
    /// No model answered, or not to the end; the next try may.
    Failed,
    /// The question is more than the model takes.
    TooLong,
    /// The model, or who runs it, does not want to answer.
    Declined,
}

/// How a message came to say what it says so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grown {
    /// Each text took the place of the one before: it can be edited at any time.
    #[default]
    Edited,
    /// As a stream of the platform's own, by steps that are [`crate::Step::stream`]: nothing is taken back, more is added.
    Streamed {
        /// The CommonMark that it says; `None` where nobody knows any more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        said: Option<String>,
        /// How many calls it took.
        #[serde(default)]
        calls: u32,
    },
    /// As a stream that takes nothing more, or whose beginner was killed: whether it is still open is not known. It is
    /// ended and edited.
    Left,
}

impl Grown {
    pub fn is_edited(&self) -> bool {
        *self == Grown::Edited
    }

    pub fn is_streamed(&self) -> bool {
        matches!(self, Grown::Streamed { .. })
    }

    /// The same without its text.
    pub fn forgotten(&self) -> Grown {
        match self {
            Grown::Streamed { calls, .. } => Grown::Streamed { said: None, calls: *calls },
            other => other.clone(),
        }
    }
}

/// A file by its address.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Media {
    /// Public, https: the platform fetches it, or an [`crate::Upload`] hands it over.
    pub url: String,
    /// As people see it: `report.pdf`.
    pub name: String,
    /// Media type, `application/pdf`.
    pub media_type: String,
    /// CommonMark, empty without one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub caption: String,
}

impl Media {
    pub fn is_image(&self) -> bool {
        self.media_type.starts_with("image/")
    }

    /// A link to it as CommonMark, without its caption.
    pub fn link(&self) -> String {
        let name = if self.name.is_empty() { &self.url } else { &self.name };
        format!("[{}](<{}>)", literal(name), self.url)
    }
}

/// One of several answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// What stands on the button. Rooms cut it at the platform's limit.
    pub label: String,
    /// What is said by pressing it.
    pub says: String,
}

impl Part {
    /// The part as CommonMark, for rooms that have no form of their own for it: a file is a link, choices are numbered
    /// lines. `None`: a sign, which may be left out.
    pub fn as_text(&self) -> Option<Cow<'_, str>> {
        match self {
            Part::Text(text) | Part::Edit { text, .. } => Some(Cow::Borrowed(text)),
            Part::Typing | Part::Dismiss | Part::Draft { .. } | Part::Outcome(_) => None,
            Part::Media(media) => Some(Cow::Owned(link(media))),
            Part::Buttons { text, choices } => Some(Cow::Owned(numbered(text, choices))),
        }
    }
}

/// Whether the label alone is understood as well: the choice says the command of that name, and what it is about.
fn is_word(choice: &Choice) -> bool {
    let command = choice.says.strip_prefix('/').and_then(|says| says.split_once(' '));
    command.is_some_and(|(name, _)| name == choice.label.to_lowercase())
}

fn link(media: &Media) -> String {
    let caption = if media.caption.is_empty() { String::new() } else { format!("{}\n\n", media.caption) };
    format!("{caption}{}", media.link())
}

fn numbered(text: &str, choices: &[Choice]) -> String {
    if !choices.is_empty() && choices.iter().all(is_word) {
        let words: Vec<String> = choices.iter().map(|choice| literal(&choice.label)).collect();
        return format!("{text}\n\nPlease answer with one of these words: {}", words.join(", "));
    }
    let lines = choices.iter().zip(1..).map(|(choice, n): (_, u32)| {
        let (label, says) = (literal(&choice.label), literal(&choice.says));
        // The label is what people will write; where something else must be written, it stands beside it.
        if choice.label == choice.says { format!("{n}. {label}") } else { format!("{n}. {label} – {says}") }
    });
    let lines: Vec<String> = lines.collect();
    [text.to_owned(), lines.join("\n")]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("\n\n")
}

/// Text as CommonMark that shows it as it stands, on one line.
fn literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' => out.push(' '),
            _ => {
                if c.is_ascii_punctuation() && !matches!(c, '/' | ',' | ';' | '?') {
                    out.push('\\');
                }
                out.push(c);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(part: &Part, expected: Option<&str>) {
        assert_eq!(part.as_text().as_deref(), expected, "{part:?}");
    }

    #[test]
    fn what_a_channel_lacks_becomes_text() {
        let choice = |label: &str, says: &str| Choice { label: label.into(), says: says.into() };
        check(&Part::Text("hi".into()), Some("hi"));
        check(&Part::Typing, None);
        check(&Part::Draft { text: "hi".into(), posted: None, grown: Grown::Edited }, None);
        check(&Part::Edit { posted: "1".into(), text: "hi".into(), grown: Grown::Edited }, Some("hi"));
        let buttons = Part::Buttons {
            text: "Which?".into(),
            choices: vec![choice("Yes", "Yes"), choice("*No*", "/new\nnow")],
        };
        check(&buttons, Some("Which?\n\n1. Yes\n2. \\*No\\* – /new now"));
        let buttons = Part::Buttons {
            text: "Shall I?".into(),
            choices: vec![choice("Yes", "/yes 3f9a"), choice("No", "/no 3f9a")],
        };
        check(&buttons, Some("Shall I?\n\nPlease answer with one of these words: Yes, No"));
        let mut media = Media {
            url: "https://example.com/a_(1).pdf".into(),
            name: "a_1.pdf".into(),
            media_type: "application/pdf".into(),
            caption: String::new(),
        };
        check(&Part::Media(media.clone()), Some("[a\\_1\\.pdf](<https://example.com/a_(1).pdf>)"));
        media.caption = "**Here**".into();
        check(&Part::Media(media), Some("**Here**\n\n[a\\_1\\.pdf](<https://example.com/a_(1).pdf>)"));
    }
}
