//! Why the queue did not do its part, by what the caller does next.

use aws_sdk_sqs::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It did not answer, or not now: the same again later may work.
    #[error("the queue is busy: {0}")]
    Busy(String),
    /// It will never work like this; the text says what SQS said.
    #[error("the queue refused: {0}")]
    Broken(String),
}

impl Error {
    /// Whether the same call may work later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Error::Busy(_))
    }
}

/// Some messages are not in the queue, after a second attempt or because time was over.
#[derive(Debug, thiserror::Error)]
#[error("{failed} of {of} messages are not in the queue: {why}")]
pub struct SendError {
    pub failed: usize,
    pub of: usize,
    pub why: String,
}

/// Codes by which SQS says "not now".
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html>
const NOT_NOW: &[&str] = &[
    "InternalError",
    "InternalFailure",
    "RequestThrottled",
    "ServiceUnavailable",
    "ThrottlingException",
    "AWS.SimpleQueueService.InternalError",
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
