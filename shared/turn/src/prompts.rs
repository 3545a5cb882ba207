//! Ready-made prompts: `prompt: builtin:<name>`.

/// Name and text of each.
pub const BUILT_IN: &[(&str, &str)] = &[
    ("help-assistant", include_str!("prompts/help-assistant.md")),
    ("faq-bot", include_str!("prompts/faq-bot.md")),
    ("code-reviewer", include_str!("prompts/code-reviewer.md")),
    ("translator", include_str!("prompts/translator.md")),
];

const PREFIX: &str = "builtin:";

/// The name that a prompt calls a ready-made one by.
pub fn called(prompt: &str) -> Option<&str> {
    prompt.trim().strip_prefix(PREFIX).map(str::trim)
}

/// The text of a prompt: the ready-made one that it names, else the prompt as it is.
pub fn text(prompt: &str) -> &str {
    let built_in = called(prompt).and_then(|name| BUILT_IN.iter().find(|(known, _)| *known == name));
    built_in.map_or(prompt, |(_, text)| text.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::{VARIABLES, unknown};

    #[test]
    fn ready_made_prompts_are_short_and_name_known_variables() {
        let known: Vec<&str> = VARIABLES.iter().map(|(name, _)| *name).collect();
        for (name, prompt) in BUILT_IN {
            assert_eq!(text(&format!("builtin:{name}")), prompt.trim());
            assert_eq!(unknown(prompt, &known), Vec::<&str>::new(), "{name}");
            assert!(prompt.len() < 1_500, "{name} has {} bytes", prompt.len());
        }
        assert_eq!(text("builtin:nobody"), "builtin:nobody");
        assert_eq!(text("Be brief."), "Be brief.");
    }
}
