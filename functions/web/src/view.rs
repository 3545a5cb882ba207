//! The outbox as a page sees it.

use channel::{CAPPED, sign};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::outbox::{REFUSED, SIGN};

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
    /// Why it is no answer, for programs: [`REFUSED`] or [`CAPPED`].
    #[serde(default)]
    pub kind: Option<String>,
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
    pub fn whole(&self) -> Option<String> {
        let of = usize::try_from(self.messages.first()?.of.max(1)).ok()?;
        let texts: Vec<&str> = self.messages.iter().map(|item| item.text.as_str()).collect();
        (texts.len() >= of).then(|| texts.join("\n\n"))
    }

    /// What a program is told in place of an answer, and with which status.
    pub fn refused(&self) -> Option<(u16, &str)> {
        let first = self.messages.first()?;
        let status = match first.kind.as_deref()? {
            REFUSED => 403,
            CAPPED => 429,
            _ => return None,
        };
        Some((status, first.text.as_str()))
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
