//! Why the table did not do its part, by what the caller does next.

use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It did not answer, or not now: the same again later may work. Whether a write was done is not known.
    #[error("the table is busy: {0}")]
    Busy(String),
    /// It will never work like this; the text says what DynamoDB said.
    #[error("the table refused: {0}")]
    Broken(String),
    /// An item is of another release: leave it as it is, to an invoker that knows it.
    #[error("an item in the table is of another release, which alone can go on with it")]
    OtherRelease,
}

impl Error {
    /// Whether the same call may work later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Error::Busy(_))
    }
}

/// Codes by which DynamoDB says "not now".
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html>
const NOT_NOW: &[&str] = &[
    "InternalServerError",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "ThrottlingException",
    "TransactionConflictException",
    "TransactionInProgressException",
];

impl<E> From<SdkError<E>> for Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    fn from(error: SdkError<E>) -> Error {
        let service = error.as_service_error();
        let code = service.and_then(ProvideErrorMetadata::code).unwrap_or_default();
        let text = match service.and_then(ProvideErrorMetadata::message) {
            Some(message) => format!("{code}: {message}"),
            None => DisplayErrorContext(&error).to_string(),
        };
        let reached = service.is_some() || matches!(error, SdkError::ConstructionFailure(_));
        if reached && !NOT_NOW.contains(&code) { Error::Broken(text) } else { Error::Busy(text) }
    }
}

impl From<serde_dynamo::Error> for Error {
    fn from(error: serde_dynamo::Error) -> Error {
        // serde's words may quote what somebody wrote.
        tracing::trace!(%error, "an item is not of the expected shape");
        Error::Broken("an item is not of the expected shape".to_owned())
    }
}

/// A builder of the SDK that lacks a field: a fault of this crate.
impl From<aws_sdk_dynamodb::error::BuildError> for Error {
    fn from(error: aws_sdk_dynamodb::error::BuildError) -> Error {
        Error::Broken(error.to_string())
    }
}
