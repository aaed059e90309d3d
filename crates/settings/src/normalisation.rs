//! Normalisation of what is made of utterances: section `[normalisation]` of a pipeline.

use serde::{Deserialize, Serialize};

/// Section `[normalisation]`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NormalisationSettings {
    /// Over whose utterances.
    pub over: Normalisation,
}

impl NormalisationSettings {
    /// Whether the section says no more than a pipeline without it.
    pub fn is_left_out(&self) -> bool {
        self.over.is_training()
    }
}

/// Over whose utterances every value has mean 0 and standard deviation 1. No label is looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Normalisation {
    /// Those that train in a fold, as every model scales its input itself: nobody else is known then.
    #[default]
    Training,
    /// All of the one speaker, so that what is left is how they differ from their own mean.
    Speaker,
    /// All of the corpus.
    Corpus,
}

impl Normalisation {
    /// Whether nothing is done before the folds.
    pub fn is_training(&self) -> bool {
        *self == Self::Training
    }

    /// The word of the setting.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Training => "training",
            Self::Speaker => "speaker",
            Self::Corpus => "corpus",
        }
    }
}
