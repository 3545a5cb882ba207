//! The operator's own commands and keywords.

use std::collections::BTreeMap;

use crate::config::CustomCommand;
use crate::template::{Variables, fill};

use super::split;

/// A message that is one of the operator's commands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found<'a> {
    pub name: &'a str,
    pub command: &'a CustomCommand,
    /// What stands behind the command's colon, `es` in `/translate:es good morning`.
    pub argument: &'a str,
    /// What stands behind the command; the whole message where a keyword was found.
    pub text: &'a str,
}

/// The operator's command that a message is: by its name, else by a keyword in it. `known` are the names that the assistant knows, all
/// of them where it names none.
pub fn custom<'a>(
    commands: &'a BTreeMap<String, CustomCommand>,
    known: &[String],
    text: &'a str,
) -> Option<Found<'a>> {
    let mut mine = commands.iter().filter(|(name, _)| known.is_empty() || known.contains(name));
    if let Some((called, _)) = split(text) {
        let (name, command) = mine.find(|(name, _)| name.eq_ignore_ascii_case(called))?;
        let (argument, text) = behind(text, called);
        return Some(Found { name, command, argument, text });
    }
    let lower = text.to_lowercase();
    let says = |command: &CustomCommand| command.keywords.iter().any(|keyword| holds(&lower, keyword));
    let (name, command) = mine.find(|(_, command)| says(command))?;
    Some(Found { name, command, argument: "", text: text.trim() })
}

/// What stands behind `/name`: the argument up to the first space where a colon follows at once, and the rest.
fn behind<'a>(text: &'a str, name: &str) -> (&'a str, &'a str) {
    let rest = text.trim().get(name.len() + 1..).unwrap_or_default();
    match rest.strip_prefix(':') {
        Some(rest) => {
            let (argument, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            (argument, rest.trim())
        }
        None => ("", rest.trim()),
    }
}

/// Whether a text in lower case holds a word or phrase, not as a part of longer words. Scripts without spaces have no such borders.
fn holds(lower: &str, keyword: &str) -> bool {
    let keyword = keyword.trim().to_lowercase();
    let joins = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() && c < '\u{2e80}');
    let is_whole = |at: usize| {
        let before = lower.get(..at).and_then(|before| before.chars().next_back());
        let after = lower.get(at + keyword.len()..).and_then(|after| after.chars().next());
        let goes_on = joins(after) && joins(keyword.chars().next_back());
        !(goes_on || joins(before) && joins(keyword.chars().next()))
    };
    !keyword.is_empty() && lower.match_indices(&keyword).any(|(at, _)| is_whole(at))
}

impl Found<'_> {
    /// What the model is asked in place of the message, where the command asks it.
    pub fn ask(&self, variables: &Variables<'_>) -> Option<String> {
        let prompt = self.command.prompt.as_deref()?;
        Some(fill(prompt, &Variables { text: self.text, argument: self.argument, ..*variables }))
    }

    /// What is answered without a model, where the command says it.
    pub fn reply(&self, variables: &Variables<'_>) -> Option<String> {
        let reply = self.command.reply.as_deref()?;
        Some(fill(reply, &Variables { text: self.text, argument: self.argument, ..*variables }))
    }
}
