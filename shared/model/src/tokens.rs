//! How many tokens a text has, roughly.

use crate::Ask;

/// An estimate, for bounding histories and reserving spend; what a turn really cost is in
/// [`crate::Usage`]. A quarter of a token per ASCII character and three quarters per other one: a little too
/// many for English and Cyrillic, about right for Chinese and code, whatever the model.
#[must_use]
pub fn estimate_tokens(text: &str) -> u32 {
    let quarters: usize = text.chars().map(|c| if c.is_ascii() { 1 } else { 3 }).sum();
    u32::try_from(quarters.div_ceil(4)).unwrap_or(u32::MAX)
}

/// About how many tokens the texts of a question have.
pub(crate) fn of_question(ask: &Ask) -> u32 {
    let texts = ask.messages.iter().map(|message| &message.text).chain([&ask.system]);
    texts.map(|text| estimate_tokens(text)).fold(0, u32::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_estimated_by_script() {
        let check = |text: &str, tokens| assert_eq!(estimate_tokens(text), tokens, "{text}");
        check("", 0);
        check("a", 1);
        check("twelve chars", 3);
        check("你好世界", 3);
        check("Grüße", 3);
    }
}
