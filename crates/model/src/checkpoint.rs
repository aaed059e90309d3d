//! Checkpoints: a trained network and all that is needed to use it, in one safetensors file.
//!
//! Tensors have PyTorch's names, layouts and gate order (i, f, g, o); `lstm.bias` is the sum of
//! PyTorch's two biases. Metadata, all strings: `format` (the version) and, as JSON, `network` (the
//! section of that name in a pipeline), `classes`, `feature_set` and `normaliser` (`mean` and `sd`, one
//! number per value of a frame). The same contents always give the same bytes.

mod functionals;
mod read;
mod write;

use std::path::Path;

use ambivox_settings::FeatureSetText;
use fs_err as fs;
use serde::{Deserialize, Serialize};

use crate::{ModelError, Network};

pub use functionals::FunctionalsCheckpoint;

/// Version of the file's form.
const FORMAT: &str = "1";

/// Names of the metadata.
mod key {
    pub(super) const FORMAT: &str = "format";
    /// What the file holds where it is not a [`super::Checkpoint`].
    pub(super) const KIND: &str = "kind";
    pub(super) const NETWORK: &str = "network";
    pub(super) const CLASSES: &str = "classes";
    pub(super) const FEATURE_SET: &str = "feature_set";
    pub(super) const NORMALISER: &str = "normaliser";
}

/// How frames were normalised before the network saw them: (x − mean) / sd, column by column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Normalisation {
    /// Mean of each column.
    pub mean: Vec<f32>,
    /// Standard deviation of each column; above 0.
    pub sd: Vec<f32>,
}

/// A network with its classes and the way to its input.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    /// The network.
    pub network: Network,
    /// Names of the classes, in the order of the network's outputs.
    pub classes: Vec<String>,
    /// The feature set that made the frames.
    pub feature_set: FeatureSetText,
    /// The normalisation of the frames.
    pub normalisation: Normalisation,
}

impl Checkpoint {
    /// Writes the file.
    pub fn save(&self, file: &Path) -> Result<(), ModelError> {
        let bytes = write::bytes(self).map_err(|fault| ModelError::checkpoint(file, fault))?;
        Ok(fs::write(file, bytes)?)
    }

    /// Reads a file of any origin. It is an error, which names the file and what was expected,
    /// unless format, metadata, names and shapes of the tensors are those of a checkpoint and all numbers
    /// are finite.
    pub fn load(file: &Path) -> Result<Self, ModelError> {
        Self::parse(file, &fs::read(file)?)
    }

    /// As [`Self::load`], from a file's content; `file` is for messages. What is made of it takes
    /// about as much memory as the content.
    pub fn parse(file: &Path, content: &[u8]) -> Result<Self, ModelError> {
        read::checkpoint(content).map_err(|fault| ModelError::checkpoint(file, fault))
    }
}

#[cfg(test)]
mod tests;
