//! Names derived from the platforms' ids.

use serde::{Deserialize, Serialize};

use crate::sign::sha256;

/// DynamoDB keys are at most 1,024 bytes and ids end up in several of them; longer ids become their hash.
const MAX_ID_BYTES: usize = 200;

/// The conversation as every other part knows it: 26 base32 characters, in keys, `MessageGroupId` and logs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConversationKey(String);

impl ConversationKey {
    /// Hash of channel, account, chat and thread. Two accounts on one channel never share a conversation.
    pub fn of(channel: &str, account: &str, chat: &str, thread: &str) -> ConversationKey {
        // No id of a platform holds a NUL; if one did, it must not move the border between chat and thread.
        let parts = [channel, account, chat, thread].map(|part| part.replace('\0', "\\0"));
        let hash = sha256(parts.join("\0").as_bytes());
        let name = data_encoding::BASE32_NOPAD.encode(&hash).to_ascii_lowercase();
        ConversationKey(name.chars().take(26).collect())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for ConversationKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The id itself up to 200 bytes, its SHA-256 in hexadecimal beyond.
pub fn short_id(id: &str) -> String {
    if id.len() <= MAX_ID_BYTES { id.to_owned() } else { crate::sign::sha256_hex(id.as_bytes()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_short_stable_and_apart() {
        let key = ConversationKey::of("telegram", "main", "1", "");
        assert_eq!(key.as_str().len(), 26);
        assert_eq!(key, ConversationKey::of("telegram", "main", "1", ""));
        assert_ne!(key, ConversationKey::of("telegram", "support", "1", ""));
        assert_ne!(ConversationKey::of("a", "b", "c\0d", ""), ConversationKey::of("a", "b", "c", "d\0"));
    }

    #[test]
    fn long_ids_become_their_hash() {
        assert_eq!(short_id("m1"), "m1");
        assert_eq!(short_id(&"x".repeat(201)).len(), 64);
    }
}
