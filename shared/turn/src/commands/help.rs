//! The answer to `/help`.

use crate::commands::NAMES;
use crate::config::{Assistant, Config};

const HELP: &str = "I am an AI assistant. Write to me as you would to a person; in groups, mention me.\n\n\
     - `/new` starts over: I forget what was said before\n\
     - `/retry` answers your last message anew, `/undo` takes it back\n\
     - `/compact` sums up what we said, so that more fits into my memory\n\
     - `/stop` stops the answer I am writing\n\
     - `/status` shows whether I am working, and what is left today\n\
     - `/usage` shows what you used";
const NOTES: &str = "- `/memory` shows what I remember about you, `/forget <number>` makes me forget it";
const MODEL: &str = "- `/model` shows which model answers, `/model <name>` takes another";
const ASSISTANT: &str = "- `/assistant` shows who answers, `/assistant <name>` takes another";
const SELF: &str = "- `/help` shows this";

/// What can be commanded here: the built-in commands that mean something to this assistant, and the operator's own. `assistants`
/// are those that may be chosen.
pub fn help(config: &Config, assistant: &Assistant, assistants: &[String]) -> String {
    let mut lines = vec![HELP.to_owned()];
    if config.remembers(assistant) {
        lines.push(NOTES.to_owned());
    }
    if !assistant.models.is_empty() {
        lines.push(MODEL.to_owned());
    }
    if !assistants.is_empty() {
        lines.push(ASSISTANT.to_owned());
    }
    for (name, command) in &config.commands {
        let known = assistant.commands.is_empty() || assistant.commands.contains(name);
        if known && !NAMES.contains(&name.as_str()) {
            let about = command.about.as_deref().map(|about| format!(" {about}")).unwrap_or_default();
            lines.push(format!("- `/{name}`{about}"));
        }
    }
    lines.push(SELF.to_owned());
    lines.join("\n")
}
