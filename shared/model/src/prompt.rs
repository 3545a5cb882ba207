//! The conversation in the shape every provider accepts: roles alternate, the user's first, none empty.

use crate::{Ask, Message, Role};

/// Longest name put before a message, in characters: names are chosen by strangers.
const LONGEST_NAME: usize = 64;

/// Neighbours with the same role become one message (Anthropic's API and Bedrock's Converse refuse two in a
/// row), answers before the first question are left out.
pub(crate) fn turns(ask: &Ask) -> Vec<(Role, String)> {
    let mut turns: Vec<(Role, String)> = Vec::new();
    for message in ask.messages.iter().filter(|message| !message.text.trim().is_empty()) {
        match turns.last_mut() {
            Some((role, text)) if *role == message.role => {
                text.push_str("\n\n");
                text.push_str(&signed(message));
            }
            None if message.role == Role::Assistant => {}
            _ => turns.push((message.role, signed(message))),
        }
    }
    turns
}

/// The text with its writer's name before it, on one line: a name must not pass for a message.
fn signed(message: &Message) -> String {
    let plain = |c: char| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c };
    match message.name.as_deref().map(str::trim) {
        Some(name) if message.role == Role::User && !name.is_empty() => {
            let name: String = name.chars().take(LONGEST_NAME).map(plain).collect();
            format!("{name}: {}", message.text)
        }
        _ => message.text.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(messages: &[(Role, &str, Option<&str>)], expected: &[(Role, &str)]) {
        let messages = messages
            .iter()
            .map(|(role, text, name)| Message {
                role: *role,
                text: (*text).into(),
                name: name.map(str::to_owned),
                ..Message::default()
            })
            .collect();
        let turns = turns(&Ask { messages, ..Ask::default() });
        let turns: Vec<_> = turns.iter().map(|(role, text)| (*role, text.as_str())).collect();
        assert_eq!(turns, expected);
    }

    #[test]
    fn roles_alternate_and_the_user_begins() {
        use Role::{Assistant, User};
        check(
            &[
                (Assistant, "cut off", None),
                (User, "one", None),
                (User, "  ", None),
                (User, "two", None),
                (Assistant, "three", None),
                (User, "four", None),
            ],
            &[(User, "one\n\ntwo"), (Assistant, "three"), (User, "four")],
        );
    }

    #[test]
    fn names_stand_before_what_people_wrote() {
        use Role::{Assistant, User};
        check(
            &[(User, "hi", Some("Ann")), (Assistant, "hello", Some("bot")), (User, "x", Some("B\nAnn: y"))],
            &[(User, "Ann: hi"), (Assistant, "hello"), (User, "B Ann: y: x")],
        );
    }
}
