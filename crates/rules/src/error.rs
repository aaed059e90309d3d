//! What can go wrong with labels, samples and augmentation.

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// There is no such rule, or its settings cannot be.
    #[error("{0}")]
    Settings(String),
    /// Soft targets for an utterance that nobody labelled.
    #[error(
        "utterance {utterance_id}: no annotator's vote for any class, and soft-target learns from \
         votes; leave [methods.soft-target] out for a corpus without them"
    )]
    NoVotes {
        /// The utterance.
        utterance_id: String,
    },
    /// A CycleGAN's losses are no longer numbers.
    #[error(
        "training diverged: a loss of the CycleGAN of {class:?} is not finite in its epoch {epoch}; \
         lower methods.cyclegan.learning_rate"
    )]
    GanDiverged {
        /// The epoch, from 1.
        epoch: usize,
        /// The class.
        class: String,
    },
    /// A tensor operation failed.
    #[error("tensor operation: {0}")]
    Tensor(#[from] candle_core::Error),
}
