//! Why secrets could not be read or written, by what the caller does next.

use aws_sdk_ssm::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Parameter Store did not answer, or not now: the same again later may work.
    #[error("the secrets cannot be read now: {0}")]
    Busy(String),
    /// It will never work like this; the text says what Parameter Store said.
    #[error("the secrets are refused: {0}")]
    Broken(String),
}

impl Error {
    /// Whether the same call may work later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Error::Busy(_))
    }
}

/// Codes by which Parameter Store says "not now".
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/CommonErrors.html>
const NOT_NOW: &[&str] = &[
    "InternalServerError",
    "InternalFailure",
    "ServiceUnavailable",
    "ThrottlingException",
    "TooManyUpdates",
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
