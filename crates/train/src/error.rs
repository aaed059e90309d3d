//! What can go wrong in training.

use std::fmt;

use ambivox_eval::EvalError;
use ambivox_models::ModelError;
use ambivox_rules::RuleError;

/// Where in an epoch something was computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EpochPhase {
    /// The update of the network from this mini-batch, counted from 1.
    Batch(usize),
    /// The network's outputs for all training utterances.
    TrainingOutputs,
    /// The loss on the utterances to validate on.
    Validation,
}

impl fmt::Display for EpochPhase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Batch(batch) => write!(f, "batch {batch}"),
            Self::TrainingOutputs => f.write_str("the outputs for the training utterances"),
            Self::Validation => f.write_str("validation"),
        }
    }
}

/// An error of training.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// No utterance to train on, or none to validate on.
    #[error("no utterance for {purpose}; the fold's groups have none with a label and audio")]
    NoExamples {
        /// What they are for.
        purpose: &'static str,
    },
    /// An utterance that does not fit the run.
    #[error("utterance {utterance_id}: {fault}")]
    Example {
        /// The utterance.
        utterance_id: String,
        /// What was found and what was expected.
        fault: String,
    },
    /// A class that no training utterance has.
    #[error(
        "class {class:?} has no training utterance in this fold; drop it from split.classes or \
         check the manifest's label mapping"
    )]
    ClassWithoutExamples {
        /// The class.
        class: String,
    },
    /// The loss is no longer a number.
    #[error(
        "training diverged: the loss is not finite in epoch {epoch}, {phase}; lower \
         training.learning_rate or set training.gradient_clip"
    )]
    Diverged {
        /// The epoch, from 1.
        epoch: usize,
        /// Where in the epoch.
        phase: EpochPhase,
    },
    /// The mean of the parameters of a model that has none.
    #[error(
        "the parameters of this model have no mean; choose training.keep = {{ mean_of_last = … }}, the mean \
         of probabilities"
    )]
    NoAverage,
    /// A run was to go on from the state of another.
    #[error("the state to go on from is of another run")]
    OtherRun,
    /// The model failed.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The label rule or the augmenter failed.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// The validation rates could not be computed.
    #[error(transparent)]
    Eval(#[from] EvalError),
}
