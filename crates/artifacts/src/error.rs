//! The crate's one error type.

use std::path::PathBuf;

/// A digest, a key or the store could not be had.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// The file system said no; the message names the path.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// Text that should be a digest is not 64 hexadecimal digits.
    #[error("`{0}` is no digest; expected 64 hexadecimal digits")]
    Digest(String),
    /// A path is not UTF-8, so it has no portable name in a listing.
    #[error("{}: the path is not UTF-8; rename the file", .0.display())]
    Path(PathBuf),
    /// A stage ended well without writing all that it should.
    #[error("the stage ended without its output `{role}` ({name})")]
    OutputNotWritten {
        /// The output's role.
        role: String,
        /// The output's name in the stage's folder.
        name: String,
    },
    /// A stage wrote something that no role names, so nothing would guard it.
    #[error("the stage wrote `{0}`, which is none of its outputs")]
    UnexpectedOutput(String),
    /// Other processes kept putting other outputs of the same key in place.
    #[error(
        "{}: other processes keep replacing these outputs, and with other bytes\n\
         hint: run again alone; `cargo xtask repro` says which stage is not reproducible",
        .0.display()
    )]
    Contended(PathBuf),
    /// Nobody can tell whether others use the store.
    #[error(
        "{}: this store has no locks, so that others may be using it unseen\n\
         hint: end all other runs; clear up where the file system has locks, without a file \
         `without-locks`",
        .0.display()
    )]
    NoLocks(PathBuf),
    /// A value could not be written as JSON.
    #[error("not representable as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl From<walkdir::Error> for ArtifactError {
    fn from(error: walkdir::Error) -> Self {
        Self::Io(error.into())
    }
}
