//! What can go wrong while the corpus is made.

use std::path::PathBuf;

/// The synthetic corpus could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SynthError {
    /// A setting cannot be used; the message names it and the values it can have.
    #[error("[synth] {0}")]
    Settings(&'static str),
    /// The corpus's folder holds files already; a mixture of two corpora must not arise.
    #[error("{} is not empty; give a new or empty folder for the corpus", .0.display())]
    NotEmpty(PathBuf),
    /// A file could not be written; the message of `fs_err` names its path.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// An audio file could not be written.
    #[error("{}: {source}", path.display())]
    Audio {
        /// The file.
        path: PathBuf,
        /// What happened.
        source: hound::Error,
    },
    /// The truth table could not be written.
    #[error("{}: {source}", path.display())]
    Truth {
        /// The file.
        path: PathBuf,
        /// What happened.
        source: polars::error::PolarsError,
    },
}
