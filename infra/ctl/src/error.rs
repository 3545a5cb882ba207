//! Why a command did not do what was asked, by how the program ends.

use std::process::ExitCode;

use aws_sdk_cloudformation::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};

/// Texts are for the person at the terminal and say what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The call makes no sense as it was written. Exit code 2.
    #[error("{0}")]
    Usage(String),
    /// It was understood and could not be done. Exit code 1.
    #[error("{0}")]
    Failed(String),
    /// What there is to say was said; only the exit code 1 is left.
    #[error("something is wrong, see above")]
    Reported,
}

impl Error {
    pub fn usage(text: impl Into<String>) -> Error {
        Error::Usage(text.into())
    }

    pub fn failed(text: impl Into<String>) -> Error {
        Error::Failed(text.into())
    }

    /// The refusal of an AWS service, after what was to be done: `cannot read the stack x`.
    pub fn aws<E>(what: impl std::fmt::Display, error: &SdkError<E>) -> Error
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let service = error.as_service_error();
        Error::Failed(
            match service.and_then(|service| service.message().map(|text| (service.code(), text))) {
                Some((code, text)) => format!("{what}: {}: {text}", code.unwrap_or("refused")),
                None => format!(
                    "{what}: {}\nIs AWS reachable, and are you signed in (AWS_PROFILE, `aws sso login`) and in the right \
                 region (AWS_REGION)?",
                    DisplayErrorContext(error)
                ),
            },
        )
    }

    /// What the shell gets: 2 for a call that makes no sense, else 1.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Error::Usage(_) => ExitCode::from(2),
            Error::Failed(_) | Error::Reported => ExitCode::FAILURE,
        }
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Error {
        Error::Failed(error.to_string())
    }
}

impl From<queue::Error> for Error {
    fn from(error: queue::Error) -> Error {
        Error::Failed(error.to_string())
    }
}

impl From<secrets::Error> for Error {
    fn from(error: secrets::Error) -> Error {
        Error::Failed(error.to_string())
    }
}
