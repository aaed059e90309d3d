//! What can be wrong with predictions, histories and summaries.

/// An evaluation could not be made from what was given.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EvalError {
    /// A class index is beyond the list of classes.
    #[error("class index {index} is out of range: there are {classes} classes")]
    ClassOutOfRange {
        /// The index at fault.
        index: usize,
        /// How many classes there are.
        classes: usize,
    },
    /// A confusion matrix has as many rows as columns, and one of each per class.
    #[error("a confusion matrix of {classes} classes needs {classes} rows of {classes} counts")]
    NotSquare {
        /// How many classes there are.
        classes: usize,
    },
    /// A prediction has not one probability per class.
    #[error("a prediction has {found} probabilities where there are {expected} classes")]
    ProbabilityCount {
        /// Probabilities found.
        found: usize,
        /// Probabilities expected.
        expected: usize,
    },
    /// A prediction holds NaN or infinity, so that no class is the most probable one.
    #[error("a prediction holds a value that is not finite: {value}")]
    NotFinite {
        /// The value at fault.
        value: f64,
    },
    /// A prediction holds a value below 0 or above 1.
    #[error("a prediction holds {value}, which is no probability; those are between 0 and 1")]
    NotAProbability {
        /// The value at fault.
        value: f64,
    },
    /// No utterance of a run was tested.
    #[error("{run}: no utterance was tested; are the fold's groups among the utterances?")]
    EmptyFold {
        /// Method, seed and fold.
        run: String,
    },
    /// The same run was given twice.
    #[error("{run}: given twice")]
    RepeatedRun {
        /// Method, seed and fold.
        run: String,
    },
    /// Labels were given for a method and seed of which no fold was evaluated.
    #[error("{run}: labels without a run")]
    UnknownRun {
        /// Method and seed.
        run: String,
    },
    /// A run's classes are not the summary's, or come in another order.
    #[error("{run}: its classes are {found:?}, those of the pipeline {expected:?}")]
    ClassesDiffer {
        /// Method, seed and fold.
        run: String,
        /// The run's classes.
        found: Vec<String>,
        /// The summary's classes.
        expected: Vec<String>,
    },
    /// A history says something that cannot be.
    #[error("history of {run}: {message}")]
    History {
        /// Method, seed and fold.
        run: String,
        /// What cannot be.
        message: String,
    },
    /// A JSON document is not what its schema says.
    #[error("not a valid {document}: {message}")]
    Json {
        /// `history.json` or `summary.json`.
        document: &'static str,
        /// What is wrong, with line and column.
        message: String,
    },
}
