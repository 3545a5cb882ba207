/// Why there is no local cloud, by what whoever wanted it does next.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something outside has to change first: a port, a file, the configuration. The text says what.
    #[error("{0}")]
    Change(String),
    /// Something of ours does not work; the text says where to look.
    #[error("{0}")]
    Broken(String),
}

impl Error {
    /// A file that cannot be read or written.
    pub(crate) fn file(path: &std::path::Path, error: impl std::fmt::Display) -> Error {
        Error::Change(format!("{}: {error}", path.display()))
    }

    /// A refusal of one of the local cloud's services.
    pub(crate) fn aws(what: &str, error: impl std::error::Error) -> Error {
        Error::Broken(format!("{what}: {}", aws_sdk_s3::error::DisplayErrorContext(error)))
    }
}
