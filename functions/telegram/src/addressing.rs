//! Whether a message in a group is meant for the bot, and its text without what says so.

use std::ops::Range;

use serde_json::Value;

use crate::update::{Entity, User};

/// What is known of ourselves.
pub struct Bot {
    id: Option<i64>,
    username: Option<String>,
}

impl Bot {
    /// From the setting `bot`.
    pub fn of(settings: &Value) -> Bot {
        let bot = settings.get("bot");
        let field = |name| bot.and_then(|bot| bot.get(name));
        Bot {
            id: field("id").and_then(Value::as_i64),
            username: field("username").and_then(Value::as_str).map(|name| bare(name).to_owned()),
        }
    }

    /// Without its name set, any bot's name is taken for ours: usernames of bots end in `bot`, and with privacy mode on,
    /// Telegram does not show us what mentions others. <https://core.telegram.org/bots/features#privacy-mode>
    fn is_named(&self, name: &str) -> bool {
        match &self.username {
            Some(own) => own.eq_ignore_ascii_case(bare(name)),
            None => name.to_ascii_lowercase().ends_with("bot"),
        }
    }

    /// Without its id and name set, any bot.
    pub fn is(&self, user: &User) -> bool {
        match (self.id, &user.username) {
            (Some(id), _) => user.id == id,
            (None, Some(name)) => user.is_bot && (self.username.is_none() || self.is_named(name)),
            (None, None) => user.is_bot && self.username.is_none(),
        }
    }

    /// Whether a text without entities names us.
    pub fn is_in(&self, text: &str) -> bool {
        let own = |word: &str| {
            let name =
                word.strip_prefix('@').map(|name| name.trim_end_matches(|c: char| !c.is_alphanumeric()));
            name.is_some_and(|name| self.is_named(name))
        };
        text.split_whitespace().any(own)
    }
}

fn bare(name: &str) -> &str {
    name.trim().trim_start_matches('@')
}

/// The text without our mentions and with bare commands (`/new@our_bot` is `/new`), and whether there was any of them.
pub fn read(text: &str, entities: &[Entity], bot: &Bot) -> (String, bool) {
    let (mut rest, mut at, mut addressed) = (String::new(), 0, false);
    for entity in entities {
        let Some(range) = bytes(text, entity).filter(|range| range.start >= at) else { continue };
        let word = text.get(range.clone()).unwrap_or("");
        let Some(kept) = kept(word, entity, bot) else { continue };
        rest.push_str(text.get(at..range.start).unwrap_or(""));
        rest.push_str(kept);
        at = range.end;
        addressed = true;
        let gap = kept.is_empty() && (rest.is_empty() || rest.ends_with(char::is_whitespace));
        let after = text.get(at..).unwrap_or("");
        if gap {
            at += after.len() - after.trim_start_matches([' ', ',', ':']).len();
        }
    }
    rest.push_str(text.get(at..).unwrap_or(""));
    (rest.trim().to_owned(), addressed)
}

/// What of a word that addresses us stays in the text; `None` where it does not.
fn kept<'a>(word: &'a str, entity: &Entity, bot: &Bot) -> Option<&'a str> {
    match entity.kind.as_str() {
        "mention" => bot.is_named(word.trim_start_matches('@')).then_some(""),
        "text_mention" => entity.user.as_ref().is_some_and(|user| bot.is(user)).then_some(""),
        "bot_command" => match word.split_once('@') {
            Some((command, name)) => bot.is_named(name).then_some(command),
            None => (entity.offset == 0).then_some(word),
        },
        _ => None,
    }
}

fn bytes(text: &str, entity: &Entity) -> Option<Range<usize>> {
    let end = entity.offset.checked_add(entity.length)?;
    Some(byte_at(text, entity.offset)?..byte_at(text, end)?)
}

/// The byte at which as many UTF-16 units end; `None` inside a character and beyond the text.
fn byte_at(text: &str, units: usize) -> Option<usize> {
    let mut seen = 0;
    for (at, c) in text.char_indices() {
        if seen >= units {
            return (seen == units).then_some(at);
        }
        seen += c.len_utf16();
    }
    (seen == units).then_some(text.len())
}
