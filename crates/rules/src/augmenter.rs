//! What makes further training utterances.

use ambivox_nn::State;

use crate::{Example, RuleError};

/// What an augmenter may look at: never who is tested or validates.
#[derive(Debug, Clone, Copy)]
pub struct Fold<'a> {
    /// Utterances to train on, all with a gold label.
    pub training: &'a [Example<'a>],
    /// Utterances whose labels are not looked at.
    pub pool: &'a [Example<'a>],
    /// Names of the classes, in the order of every table.
    pub classes: &'a [String],
    /// Values per row.
    pub width: usize,
    /// The run's seed.
    pub seed: u64,
}

/// A way of making utterances, which is trained first.
pub trait Augmenter {
    /// What is in training, in a word.
    fn name(&self) -> &'static str;

    /// Epochs so far.
    fn epochs(&self) -> usize;

    /// The next epoch of its training.
    fn epoch(&mut self) -> Result<(), RuleError>;

    /// All that the rest of its training depends on.
    fn state(&self) -> Result<State, RuleError>;

    /// Goes on from the state of another; whether that was of an equal one.
    fn restore(&mut self, state: &State) -> Result<bool, RuleError>;

    /// The utterances that it has learned to make, each with a gold label.
    fn examples(&self) -> Result<Vec<Example<'static>>, RuleError>;
}
