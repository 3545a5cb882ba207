//! Where the outbox lies in the table: `WEB#<account>#<session>`, one item for each part of a reply, sorted by the time of
//! its question, and one that says what is being written.

/// What conversations of programs begin with; those of pages are hexadecimal.
pub const PROGRAMS: &str = "v1-";
/// The first key of all.
pub const FIRST: &str = "OUT#";
/// What is being written, behind all replies.
pub const SIGN: &str = "SIGN";

/// The kind of an item that says that nobody will answer.
pub const REFUSED: &str = "refused";

/// The partition of a conversation. A role that may read `WEB#*` reads nothing else.
pub fn partition(account: &str, session: &str) -> String {
    format!("WEB#{account}#{session}")
}

/// The first key of replies to what was written at `at` or later, Unix milliseconds.
pub fn from(at: i64) -> String {
    format!("{FIRST}{:013}", at.max(0))
}

/// The key of a part. The same on every try, so that the table refuses the second.
pub fn key(at: i64, part: usize, key: &str) -> String {
    format!("{}#{part:02}#{key}", from(at))
}

/// The conversation of a partition.
#[cfg(any(test, feature = "local"))]
pub fn session(partition: &str) -> Option<&str> {
    partition.strip_prefix("WEB#").and_then(|rest| rest.split_once('#')).map(|(_, session)| session)
}
