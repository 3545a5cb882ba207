//! Why a call has no answer, by what the caller does next.

use std::error::Error as _;

use crate::guard::NotPublic;

/// Messages hold neither the address nor the body: both may carry secrets.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The clients could not be built: tell the operator.
    #[error("{0}")]
    NotSetUp(String),
    /// The guard said no, or the request is malformed: repeating it changes nothing.
    #[error("refused: {0}")]
    Refused(String),
    /// No connection was made, so nothing reached the other side: safe to repeat.
    #[error("not sent: {0}")]
    NotSent(String),
    /// The request may have reached the other side and been acted upon: repeat only what may happen twice.
    #[error("in doubt: {0}")]
    InDoubt(String),
    /// The other side answered with this status, and the rest of its answer cannot be read: broken off, too slow, or larger than
    /// asked for. The status says whether it acted.
    #[error("status {status}, and the rest of the answer cannot be read: {why}")]
    Unread { status: u16, why: String },
}

impl From<reqwest::Error> for Error {
    fn from(error: reqwest::Error) -> Self {
        // The address is stripped before anything is printed.
        let error = error.without_url();
        if let Some(refused) = blocked(&error) {
            return Self::Refused(refused.to_string());
        }
        if error.is_builder() {
            Self::Refused(innermost(&error))
        } else if error.is_connect() {
            Self::NotSent(innermost(&error))
        } else {
            Self::InDoubt(why(error))
        }
    }
}

/// Why there is no answer, or not all of it.
pub(crate) fn why(error: reqwest::Error) -> String {
    if error.is_timeout() { "no answer in time".to_owned() } else { innermost(&error.without_url()) }
}

/// The resolver's refusal, which reqwest hands back as a failed connection.
fn blocked(error: &reqwest::Error) -> Option<&NotPublic> {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(found) = cause.downcast_ref::<NotPublic>() {
            return Some(found);
        }
        source = cause.source();
    }
    None
}

/// The cause nearest to the system ("Connection refused"), which says more than reqwest's wrapping.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}
