//! What people can tell the assistant itself, on every channel.

/// A command, as the whole text of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// What it can do.
    Help,
    /// Forget what was said so far.
    New,
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
        match text.trim().to_ascii_lowercase().as_str() {
            "/help" | "/start" => Some(Command::Help),
            "/new" => Some(Command::New),
            "/status" => Some(Command::Status),
            "/stop" => Some(Command::Stop),
            "/allow" => Some(Command::Allow),
            "/bot on" => Some(Command::Bot { on: true }),
            "/bot off" => Some(Command::Bot { on: false }),
            _ => None,
        }
    }

    /// Answered at once, beside a turn that may be running. The others wait in the inbox like every message.
    pub fn is_immediate(self) -> bool {
        matches!(self, Command::Help | Command::Status | Command::Stop)
    }
}

/// The answer to `/help`.
pub const HELP: &str = "I am an AI assistant. Write to me as you would to a person; in groups, mention me.\n\n\
     - `/new` starts over: I forget what was said before\n\
     - `/stop` stops the answer I am writing\n\
     - `/status` shows whether I am working, and what is left today\n\
     - `/help` shows this";

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_whole_texts() {
        for (text, command) in [
            ("/help", Some(Command::Help)),
            (" /NEW ", Some(Command::New)),
            ("/stop now", None),
            ("/bot off", Some(Command::Bot { on: false })),
            ("/bot", None),
            ("what is /help", None),
            ("/unknown", None),
        ] {
            assert_eq!(Command::parse(text), command, "{text}");
        }
    }

    #[test]
    fn a_claim_code_is_known_by_its_shape() {
        let code = claim_code(&[7; 10]);
        assert_eq!(as_claim(&format!(" {code}\n")), Some(code.as_str()));
        assert_eq!(as_claim("claim-"), None);
        assert_eq!(as_claim("claim my baggage, please"), None);
    }
}
