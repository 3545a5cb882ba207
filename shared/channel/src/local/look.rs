//! How a call looks to people: what the page of the local run draws.

use serde::Serialize;
use serde_json::Value;

/// What a call changed on people's screens. What nothing is known of is empty: then the texts of [`super::Answer`] are all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Look {
    /// The sign that an answer is being written. With a text, it shows what is written so far, and goes away by itself.
    pub writing: bool,
    /// The conversation, as [`super::Said::reply_key`], where the call names it.
    pub place: Option<String>,
    /// The message's text with its marks.
    pub text: Option<String>,
    pub markup: Markup,
    /// The platform's id of the message.
    pub id: Option<String>,
    /// It stands in place of the message of that id.
    pub replaces: Option<String>,
    pub buttons: Vec<Button>,
}

/// How a text is marked up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Markup {
    #[default]
    Plain,
    /// Plain but for links: `<a href="…">…</a>`.
    Linked,
    Html,
    /// CommonMark or near to it.
    Markdown,
    /// `*bold* _italic_ ~strike~`, `<url|label>`.
    Starred,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Button {
    pub label: String,
    /// What comes back when it is pressed: [`super::Message::text`] of the press.
    pub says: String,
    /// It opens a form: who presses it writes what is said.
    pub form: bool,
}

impl Look {
    /// The sign that an answer is being written.
    pub fn writing(place: Option<String>) -> Look {
        Look { writing: true, place, ..Look::default() }
    }

    /// What is written so far, as a sign.
    pub fn draft(place: Option<String>, text: Option<String>, markup: Markup) -> Look {
        Look { writing: true, text, markup, ..Look::writing(place) }
    }

    /// A message; what else is known of it, a room sets.
    pub fn message(text: Option<String>, markup: Markup) -> Look {
        Look { text, markup, ..Look::default() }
    }
}

/// The text or the number at a JSON pointer.
pub fn at(value: &Value, pointer: &str) -> Option<String> {
    match value.pointer(pointer)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The buttons of a list at a JSON pointer, their label and what they say being at pointers within each.
pub fn buttons(value: &Value, list: &str, label: &str, says: &str) -> Vec<Button> {
    let list = value.pointer(list).and_then(Value::as_array);
    let button = |button| Some(Button { label: at(button, label)?, says: at(button, says)?, form: false });
    list.into_iter().flatten().filter_map(button).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn buttons_are_found_where_they_are() {
        let body =
            json!({"message": {"quick_replies": [{"title": "Yes", "payload": "y"}, {"title": "broken"}]}});
        let found = buttons(&body, "/message/quick_replies", "/title", "/payload");
        assert_eq!(found, [Button { label: "Yes".into(), says: "y".into(), form: false }]);
        assert_eq!(at(&json!({"id": 7}), "/id").as_deref(), Some("7"));
        assert!(buttons(&body, "/none", "/title", "/payload").is_empty());
    }
}
