//! The splits file: who is tested, who validates, who trains, fold by fold.

use serde::{Deserialize, Serialize};

/// One fold of the cross-validation. Speakers, never single utterances, are divided, so that no
/// speaker is in two parts of a fold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fold {
    /// The fold's name: the test speaker's.
    pub name: String,
    /// The speaker tested.
    pub test: String,
    /// The speaker whose loss stops training.
    pub validation: String,
    /// All other speakers, sorted.
    pub training: Vec<String>,
}

/// Contents of `splits.json`, written by the split stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Splits {
    /// Version of this file's form; 2.
    pub schema: u32,
    /// The classes, in the pipeline's order; every matrix and distribution keeps this order.
    pub classes: Vec<String>,
    /// The folds, sorted by name.
    pub folds: Vec<Fold>,
    /// Utterances that take part, sorted by id: those whose gold label is one of the classes and
    /// whose audio gave frames.
    pub utterances: Vec<String>,
    /// Ambiguous utterances, sorted by id: of the folds' speakers, without a gold label among the
    /// classes but with votes for some of them. Methods that use votes train on them; nothing is
    /// validated or tested on them.
    pub ambiguous: Vec<String>,
    /// Utterances that take part and have no vote for any class, sorted by id, where others have: methods
    /// that learn from votes cannot train on them. Absent where there are none, or no votes at all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without_votes: Vec<String>,
}
