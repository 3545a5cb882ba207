//! The outbox as a page sees it.

use channel::{End, Outcome, sign};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::openai::{self, Fault};
use crate::outbox::{REFUSED, SIGN};
use crate::verbatim::{self, Told};

/// An item as `render` wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Item {
    pub sk: String,
    pub at: i64,
    #[serde(default)]
    pub text: String,
    #[serde(default)]
    pub part: u32,
    #[serde(default)]
    pub of: u32,
    #[serde(default)]
    pub format: String,
    #[serde(default)]
    pub to: Option<String>,
    #[serde(default)]
    pub choices: Option<String>,
    #[serde(default)]
    pub media: Option<String>,
    /// Of what is being written: `refused` where nothing will be.
    #[serde(default)]
    pub kind: Option<String>,
    /// What a program is told beside the words.
    #[serde(default)]
    pub told: Option<String>,
}

/// A reply in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whole {
    pub text: String,
    told: Option<Told>,
}

/// Replies in the order of their questions, and what is being written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct View {
    messages: Vec<Item>,
    draft: Option<Item>,
    /// Nobody answers what was written until then, Unix milliseconds.
    dismissed: Option<i64>,
}

impl View {
    pub fn of(mut items: Vec<Item>) -> View {
        items.sort_by(|a, b| a.sk.cmp(&b.sk));
        let (signs, messages): (Vec<Item>, Vec<Item>) = items.into_iter().partition(|item| item.sk == SIGN);
        let newest = messages.last().map_or(0, |item| item.at);
        // Once the question is answered, the sign only has not been taken down.
        let sign = signs.into_iter().find(|sign| sign.at > newest);
        let is_end = sign.as_ref().is_some_and(|sign| sign.kind.as_deref() == Some(REFUSED));
        let dismissed = sign.as_ref().filter(|_| is_end).map(|sign| sign.at);
        View { messages, draft: sign.filter(|_| !is_end), dismissed }
    }

    /// Changes whenever the view does.
    pub fn state(&self) -> String {
        let keys: Vec<&str> = self.messages.iter().map(|item| item.sk.as_str()).collect();
        let draft = self.draft.as_ref().map(|draft| format!("{} {}", draft.at, draft.text));
        let all = json!([keys, draft, self.dismissed]).to_string();
        sign::sha256_hex(all.as_bytes()).chars().take(16).collect()
    }

    pub fn is_writing(&self) -> bool {
        self.draft.is_some()
    }

    /// Nothing came of the question yet.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty() && self.dismissed.is_none()
    }

    /// What is written so far.
    pub fn draft(&self) -> &str {
        self.draft.as_ref().map_or("", |draft| draft.text.as_str())
    }

    /// The reply in full, once all its parts are there: for conversations of one question.
    pub fn whole(&self) -> Option<Whole> {
        let first = self.messages.first()?;
        let texts: Vec<&str> = self.messages.iter().map(|item| item.text.as_str()).collect();
        if texts.len() < usize::try_from(first.of.max(1)).ok()? {
            return None;
        }
        let text = texts.join(if first.format == verbatim::FORMAT { "" } else { "\n\n" });
        let told = first.told.as_ref().and_then(|told| serde_json::from_str(told).ok());
        Some(Whole { text, told })
    }

    pub fn json(&self) -> Value {
        let read = |text: &Option<String>| text.as_ref().and_then(|text| serde_json::from_str(text).ok());
        let message = |item: &Item| {
            let choices: Option<Value> = read(&item.choices);
            let media: Option<Value> = read(&item.media);
            json!({
                "id": item.sk, "at": item.at, "part": item.part, "of": item.of, "text": item.text,
                "format": item.format, "to": item.to, "choices": choices.unwrap_or_else(|| json!([])), "media": media,
            })
        };
        let messages: Vec<Value> = self.messages.iter().map(message).collect();
        let draft = self.draft.as_ref().map(|draft| json!({"at": draft.at, "text": draft.text}));
        json!({"state": self.state(), "messages": messages, "writing": draft, "dismissed": self.dismissed})
    }
}

impl Whole {
    /// What a program is told where this is no answer.
    pub fn fault(&self) -> Option<Fault> {
        let (status, code) = self.told?.fault()?;
        Some(Fault { code, ..Fault::new(status, &self.text) })
    }

    /// Why the answer ends, in OpenAI's words.
    pub fn reason(&self) -> &'static str {
        match self.outcome().end {
            End::Cut => "length",
            End::Declined => "content_filter",
            End::Whole | End::Capped | End::Failed | End::TooLong => "stop",
        }
    }

    /// The tokens that it took.
    pub fn usage(&self) -> Value {
        openai::usage(&self.outcome())
    }

    fn outcome(&self) -> Outcome {
        match self.told {
            Some(Told::Outcome(outcome)) => outcome,
            Some(Told::Refused) | None => Outcome::default(),
        }
    }
}
