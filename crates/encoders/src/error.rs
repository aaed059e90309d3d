//! What can be wrong with an encoder's folder, or with what it is given.

use std::path::PathBuf;

/// An encoder cannot be had, or cannot describe an utterance.
#[derive(Debug, thiserror::Error)]
pub enum EncoderError {
    /// A file of the folder cannot be read; the message names it.
    #[error("{0}")]
    File(#[from] std::io::Error),
    /// A file of the folder is not what it should be.
    #[error("{file}: {message}", file = .file.display())]
    Form {
        /// The file.
        file: PathBuf,
        /// What is wrong, and what to do about it.
        message: String,
    },
    /// The utterance cannot be described; the message says why.
    #[error("{0}")]
    Utterance(String),
    /// A computation failed.
    #[error(transparent)]
    Candle(#[from] Box<candle_core::Error>),
}

impl From<candle_core::Error> for EncoderError {
    fn from(error: candle_core::Error) -> Self {
        Self::Candle(Box::new(error))
    }
}
