//! What can go wrong with a network or a checkpoint.

use std::path::{Path, PathBuf};

use ambivox_nn::NnError;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// An utterance's values do not divide into frames.
    #[error(
        "utterance {position} of a batch has {values} values; expected one or more frames of \
         {width} each"
    )]
    Frames {
        /// Place in the batch, from 0.
        position: usize,
        /// Values it has.
        values: usize,
        /// Values per frame.
        width: usize,
    },
    /// A mini-batch's loss is no number to go on with.
    #[error("the loss of batch {batch} is not finite")]
    NotFinite {
        /// Which of its round, from 1.
        batch: usize,
    },
    /// There is no such kind of model, or its settings cannot be.
    #[error("{0}")]
    Settings(String),
    /// A label rule's loss is none that this kind of model can be solved for.
    #[error("a {kind} model is solved for the cross-entropy alone; choose another model or method")]
    Loss {
        /// The kind of model.
        kind: &'static str,
    },
    /// A model of this kind cannot learn from so much.
    #[error("a {kind} model cannot learn from this: {message}; choose another model")]
    Unfit {
        /// The kind of model.
        kind: &'static str,
        /// What is too much.
        message: String,
    },
    /// The optimum was not found.
    #[error("{model} was not solved: {message}; lower model.c")]
    Solver {
        /// What was to be solved.
        model: &'static str,
        /// What the solver says.
        message: String,
    },
    /// The operator refused its input.
    #[error(transparent)]
    Nn(#[from] NnError),
    /// A tensor operation failed.
    #[error("tensor operation: {0}")]
    Tensor(#[from] candle_core::Error),
    /// The checkpoint could not be read or written.
    #[error("checkpoint: {0}")]
    Io(#[from] std::io::Error),
    /// The checkpoint's contents are not what this version writes.
    #[error("{}: not a usable checkpoint: {message}", file.display())]
    Checkpoint {
        /// The file.
        file: PathBuf,
        /// What was found and what was expected.
        message: String,
    },
}

impl ModelError {
    pub(crate) fn checkpoint(file: &Path, message: impl Into<String>) -> Self {
        Self::Checkpoint { file: file.to_path_buf(), message: message.into() }
    }
}
