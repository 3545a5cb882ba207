//! What people can tell the assistant itself, on every channel.

mod choose;
mod custom;
mod help;
mod offered;
#[cfg(test)]
mod tests;

pub use choose::{Chosen, choose_assistant, choose_model, last_turn};
pub use custom::{Found, custom};
pub use help::help;
pub use offered::offered;

/// A command, as the whole text of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// What it can do.
    Help,
    /// Somebody opens the chat: the greeting.
    Start,
    /// Forget what was said so far.
    New,
    /// Tell what was said so far in fewer words.
    Compact,
    /// Answer the last messages anew.
    Retry,
    /// Take back the last messages and their answer.
    Undo,
    /// Which model answers here; with a name: that one does from now on.
    Model { name: Option<String> },
    /// Which assistant answers here; with a name: that one does from now on.
    Assistant { name: Option<String> },
    /// What the person used today and this month.
    Usage,
    /// What is remembered of the person.
    Memory,
    /// Forget one note; which one must be said.
    Forget { id: Option<u32> },
    /// Is it there, which model, what is left today.
    Status,
    /// Stop the answer that is being written.
    Stop,
    /// An owner lets a group in.
    Allow,
    /// An owner, or a human on the business's side, lets the assistant answer in a conversation or not.
    Bot { on: bool },
}

impl Command {
    /// The command that a text is, if it is one. `/start` is what Telegram sends when somebody opens the chat.
    pub fn parse(text: &str) -> Option<Command> {
        let (name, rest) = split(text)?;
        let given = (!rest.is_empty()).then(|| rest.to_owned());
        let bare = |command: Command| rest.is_empty().then_some(command);
        match name.to_ascii_lowercase().as_str() {
            "help" => bare(Command::Help),
            "start" => bare(Command::Start),
            "new" => bare(Command::New),
            "compact" => bare(Command::Compact),
            "retry" => bare(Command::Retry),
            "undo" => bare(Command::Undo),
            "usage" => bare(Command::Usage),
            "memory" => bare(Command::Memory),
            "status" => bare(Command::Status),
            "stop" => bare(Command::Stop),
            "allow" => bare(Command::Allow),
            "model" => Some(Command::Model { name: given }),
            "assistant" => Some(Command::Assistant { name: given }),
            "forget" => Some(Command::Forget { id: rest.trim_start_matches('#').parse().ok() }),
            "bot" => match rest.to_ascii_lowercase().as_str() {
                "on" => Some(Command::Bot { on: true }),
                "off" => Some(Command::Bot { on: false }),
                _ => None,
            },
            _ => None,
        }
    }

    /// Answered at once, beside a turn that may be running. The others wait in the inbox like every message.
    pub fn is_immediate(&self) -> bool {
        matches!(self, Command::Help | Command::Start | Command::Status | Command::Stop)
    }
}

/// Names that no command of the operator's own may have.
pub const NAMES: &[&str] = &[
    "help",
    "start",
    "new",
    "compact",
    "retry",
    "undo",
    "model",
    "assistant",
    "usage",
    "memory",
    "forget",
    "status",
    "stop",
    "allow",
    "bot",
];

/// The command's name and what stands behind it, where a text begins like a command: `/model fast` and `/model:fast` are the same.
fn split(text: &str) -> Option<(&str, &str)> {
    let text = text.trim().strip_prefix('/')?;
    let end = text.find(|c: char| c == ':' || c.is_whitespace()).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    Some((name, rest.strip_prefix(':').unwrap_or(rest).trim()))
}

/// How a claim code looks: it is recognised before anybody looks it up.
const CLAIM_PREFIX: &str = "claim-";

/// A one-time code for `crabhook claim`, made of 10 random bytes.
pub fn claim_code(random: &[u8; 10]) -> String {
    let text = channel::sign::hex(random);
    format!("{CLAIM_PREFIX}{text}")
}

/// The claim code that a text is, if it is one.
pub fn as_claim(text: &str) -> Option<&str> {
    let text = text.trim();
    let code = text.strip_prefix(CLAIM_PREFIX)?;
    (code.len() == 20 && code.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(text)
}
