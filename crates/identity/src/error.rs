//! The crate's one error type.

use std::path::PathBuf;

/// Which code a program runs could not be told, or not be put on record.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The file system said no; the message names the path.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// A file of the workspace could not be understood.
    #[error("{}: {message}", file.display())]
    File {
        /// The file at fault.
        file: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// A crate is asked for that the workspace does not have.
    #[error("no crate `{0}` in this workspace")]
    UnknownCrate(String),
    /// A unit is asked for that there is not.
    #[error("there is no unit `{name}`\nhint: these have a version: {known}")]
    UnknownUnit {
        /// What was asked for.
        name: String,
        /// All that there are.
        known: String,
    },
}

impl IdentityError {
    /// A fault of a file's contents.
    pub(crate) fn file(file: impl Into<PathBuf>, message: &impl ToString) -> Self {
        Self::File { file: file.into(), message: message.to_string() }
    }
}

impl From<walkdir::Error> for IdentityError {
    fn from(error: walkdir::Error) -> Self {
        Self::Io(error.into())
    }
}
