//! Why a tool or hook gave no result, by what the caller does next.

use egress::Answer;

/// The texts are for the model and for operators. [`Error::Refused`] may quote the tool, so it stays out of logs:
/// [`Error::kind`] is for them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It will not work before the operator changes something; the text says what.
    #[error("not set up: {0}")]
    NotSetUp(String),
    /// Nothing was done: it may be asked again, now or later.
    #[error("{0}, nothing was done")]
    NotDone(String),
    /// It may have been done: to be asked again only under the same idempotency key.
    #[error("{0}: it may have been done")]
    InDoubt(String),
    /// It said no, and will say so again to the same question.
    #[error("refused: {0}")]
    Refused(String),
}

impl Error {
    /// For logs: what kind of failure it is, without the words of others.
    pub fn kind(&self) -> &'static str {
        match self {
            Error::NotSetUp(_) => "not set up",
            Error::NotDone(_) => "not reached or busy",
            Error::InDoubt(_) => "in doubt",
            Error::Refused(_) => "refused",
        }
    }
}

impl From<egress::Error> for Error {
    fn from(error: egress::Error) -> Error {
        match error {
            egress::Error::NotSetUp(why) => Error::NotSetUp(why),
            egress::Error::Refused(why) => Error::Refused(why),
            egress::Error::NotSent(why) => Error::NotDone(format!("it cannot be reached ({why})")),
            egress::Error::InDoubt(why) => Error::InDoubt(why),
            egress::Error::Unread { why, .. } => Error::InDoubt(format!("its answer cannot be read ({why})")),
        }
    }
}

/// Words of a refusal that are passed on, bytes.
const MAX_REFUSAL: usize = 500;

/// The answer itself where its status says that it was done.
pub(crate) fn successful(answer: Answer) -> Result<Answer, Error> {
    let status = answer.status;
    match status {
        200..=299 => Ok(answer),
        401 | 403 => {
            Err(Error::NotSetUp(format!("it does not accept our signature or credentials ({status})")))
        }
        300..=399 | 404 | 405 | 410 => {
            Err(Error::NotSetUp(format!("there is nothing at its address ({status})")))
        }
        429 | 503 => Err(Error::NotDone(format!("it is overloaded ({status})"))),
        408 | 500..=599 => Err(Error::InDoubt(format!("it failed ({status})"))),
        _ => {
            let words = channel::text::cut(String::from_utf8_lossy(&answer.body).into_owned(), MAX_REFUSAL);
            Err(Error::Refused(format!("status {status} {words}").trim_end().to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use egress::HeaderMap;

    use super::*;

    #[test]
    fn statuses_say_what_to_do_next() {
        for (status, kind) in [
            (301, "not set up"),
            (401, "not set up"),
            (404, "not set up"),
            (422, "refused"),
            (429, "not reached or busy"),
            (500, "in doubt"),
            (503, "not reached or busy"),
        ] {
            let answer = Answer { status, headers: HeaderMap::new(), body: b"city is missing".to_vec() };
            let error = successful(answer).err().unwrap();
            assert_eq!(error.kind(), kind, "{status}");
            assert_eq!(error.to_string().contains("city is missing"), kind == "refused", "{status}");
        }
    }
}
