//! The conversation in the shape every provider accepts: roles alternate, the user's first, none empty, and
//! every call is followed by its result.

mod calls;
#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::{Ask, Image, Message, Role, ToolSpec};
pub(crate) use calls::{arguments, own, sealed};

/// Longest name put before a message, in characters: names are chosen by strangers.
const LONGEST_NAME: usize = 64;

/// One message as a provider gets it.
pub(crate) enum Turn<'a> {
    User {
        text: String,
        images: Vec<&'a Image>,
    },
    Assistant {
        text: String,
        calls: Vec<Call<'a>>,
    },
    /// Of all calls of the assistant's message before it, in their order.
    Results(Vec<Returned<'a>>),
}

/// What was called, under an id that every provider takes: some want nine letters and digits, some at most forty
/// characters, and the fallback gets the ids of the first.
pub(crate) struct Call<'a> {
    pub id: String,
    pub name: &'a str,
    pub arguments: Value,
    pub signature: Option<&'a Value>,
}

/// What came of a call.
pub(crate) struct Returned<'a> {
    pub id: String,
    pub name: &'a str,
    pub text: &'a str,
}

/// Neighbours with the same role become one message (Anthropic's API and Bedrock's Converse refuse two in a
/// row), answers before the first question are left out, and so are results that nobody asked for.
pub(crate) fn turns(ask: &Ask) -> Vec<Turn<'_>> {
    let mut turns: Vec<Turn<'_>> = Vec::new();
    let mut numbered = 0;
    let mut messages = ask.messages.iter().filter(|message| !is_empty(message)).peekable();
    while let Some(message) = messages.next() {
        match (message.role, turns.last_mut()) {
            (Role::Tool, _) | (Role::Assistant, None) => {}
            (Role::User, Some(Turn::User { text, images })) => {
                append(text, &signed(message));
                images.extend(&message.images);
            }
            (Role::User, _) => {
                turns.push(Turn::User { text: signed(message), images: message.images.iter().collect() });
            }
            (Role::Assistant, Some(last)) => {
                let (calls, results) = calls::numbered(message, &mut numbered, || {
                    messages.next_if(|message| message.role == Role::Tool)
                });
                match last {
                    Turn::Assistant { text, calls: earlier } => {
                        append(text, &message.text);
                        earlier.extend(calls);
                    }
                    _ => turns.push(Turn::Assistant { text: message.text.trim_end().to_owned(), calls }),
                }
                if !results.is_empty() {
                    turns.push(Turn::Results(results));
                }
            }
        }
    }
    turns
}

/// The tools to offer. Where the conversation holds calls, Anthropic and Bedrock want some to be offered, even if
/// nothing may be called any more: the names that were called will do.
pub(crate) fn tools(ask: &Ask) -> Vec<ToolSpec> {
    if !ask.tools.is_empty() {
        return ask.tools.clone();
    }
    let calls = ask.messages.iter().flat_map(|message| &message.calls);
    let mut names: Vec<&str> = calls.map(|call| call.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let spec = |name: &str| ToolSpec {
        name: name.to_owned(),
        description: "Cannot be called any more.".to_owned(),
        schema: serde_json::json!({"type": "object"}),
    };
    names.into_iter().map(spec).collect()
}

fn is_empty(message: &Message) -> bool {
    message.role != Role::Tool
        && message.text.trim().is_empty()
        && message.images.is_empty()
        && message.calls.is_empty()
}

fn append(text: &mut String, more: &str) {
    if !text.is_empty() && !more.is_empty() {
        text.push_str("\n\n");
    }
    text.push_str(more);
}

/// The text with its writer's name before it, on one line: a name must not pass for a message.
fn signed(message: &Message) -> String {
    let plain = |c: char| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c };
    match message.name.as_deref().map(str::trim) {
        Some(name) if !name.is_empty() => {
            let name: String = name.chars().take(LONGEST_NAME).map(plain).collect();
            format!("{name}: {}", message.text)
        }
        _ => message.text.clone(),
    }
}
