//! Checkpoints: a trained model and all that is needed to use it, in one safetensors file.
//!
//! Metadata, all strings: `format` (the version), `kind` (absent for `blstm-attention`, the first there
//! was) and, as JSON, `classes`, `features` (front end and pooling, with all their settings) and what the kind has beside its tensors: `network`
//! and `normaliser` (`mean` and `sd`, one number per value of a frame) of a `blstm-attention`, `layers`
//! (hidden units and the slope of the leaky ReLU) and `scaling` (`lowest` and `range`, one number per
//! value of a vector) of an `mlp`, `layers` and `normaliser` of an `attention-pooling`, `normaliser` of a `linear`, of a `linear-svm` and, of a `probabilities`, one that changes nothing. The same contents always give the same bytes.

pub(crate) mod dense;
mod read;
mod write;

use std::path::Path;

use ambivox_settings::{Features, Section};
use fs_err as fs;
use serde::Deserialize;

use crate::{MODELS, ModelError, Predictor, Reader, Scaling, together};

pub(crate) use read::LARGEST;
pub use read::{Fault, Metadata, Tensors};
pub use write::NamedTensor;
pub(crate) use write::values;

/// Version of the file's form.
const FORMAT: &str = "2";
/// That of files from while there was one front end.
const EARLIER: &str = "1";

/// Names of the metadata.
pub mod key {
    pub(super) const FORMAT: &str = "format";
    /// The kind of model, where it is not `blstm-attention`.
    pub const KIND: &str = "kind";
    pub(super) const CLASSES: &str = "classes";
    pub(super) const FEATURES: &str = "features";
    /// What a file has in its place that was made while there was one front end: name or text of a
    /// feature set.
    pub(super) const FEATURE_SET: &str = "feature_set";
    /// How many models of the kind are asked together, where they are several.
    pub(crate) const MEMBERS: &str = "members";
    /// A [`crate::MeanVariance`].
    pub const NORMALISER: &str = "normaliser";
    /// A [`crate::MinMax`].
    pub const SCALING: &str = "scaling";
}

/// A trained model with its classes and the way to its input.
#[derive(Debug)]
pub struct Checkpoint {
    /// The model.
    pub predictor: Box<dyn Predictor>,
    /// Names of the classes, in the order of the model's outputs.
    pub classes: Vec<String>,
    /// What made its input.
    pub features: Features,
    /// The scaling of its input.
    pub scaling: Scaling,
}

impl Checkpoint {
    /// Writes the file.
    pub fn save(&self, file: &Path) -> Result<(), ModelError> {
        let bytes = self.bytes().map_err(|fault| ModelError::checkpoint(file, fault))?;
        Ok(fs::write(file, bytes)?)
    }

    /// Reads a file of any origin. It is an error, which names the file and what was expected,
    /// unless kind, format, metadata, names and shapes of the tensors are those of a checkpoint and
    /// all numbers are finite.
    pub fn load(file: &Path) -> Result<Self, ModelError> {
        Self::parse(file, &fs::read(file)?)
    }

    /// As [`Self::load`], from a file's content; `file` is for messages. What is made of it takes
    /// about as much memory as the content.
    pub fn parse(file: &Path, content: &[u8]) -> Result<Self, ModelError> {
        Self::read(content).map_err(|fault| ModelError::checkpoint(file, fault))
    }

    pub(crate) fn bytes(&self) -> Result<Vec<u8>, Fault> {
        let metadata = write::metadata(self).map_err(|error| error.to_string())?;
        write::file(metadata, self.predictor.tensors().map_err(|error| error.to_string())?)
    }

    fn read(bytes: &[u8]) -> Result<Self, Fault> {
        let (metadata, tensors) = read::parts(bytes)?;
        let kind = metadata.kind();
        let known = MODELS.all().find(|known| known.in_checkpoints == kind);
        let known = known.ok_or_else(|| read::unknown(kind))?;
        let classes: Vec<String> = metadata.json(key::CLASSES)?;
        let (predictor, scaling) = members(&metadata, &tensors, classes.len(), known.read)?;
        let features = features(&metadata, predictor.reads_vectors())?;
        Ok(Self { predictor, classes, features, scaling })
    }
}

/// Names of the tensors of one of several models begin so.
pub(crate) fn member(number: usize) -> String {
    format!("{number}.")
}

/// The model, or several that are asked together.
fn members(
    metadata: &Metadata,
    tensors: &Tensors<'_>,
    classes: usize,
    read: Reader,
) -> Result<(Box<dyn Predictor>, Scaling), Fault> {
    if !metadata.has(key::MEMBERS) {
        return read(metadata, tensors, classes);
    }
    let count: usize = metadata.json(key::MEMBERS)?;
    let (parts, all) = (tensors.members(count), tensors.count());
    if count < 2 || parts.iter().map(Tensors::count).sum::<usize>() != all {
        return Err(format!("its {all} tensors are not those of {count} models"));
    }
    let read = parts.iter().map(|part| read(metadata, part, classes));
    let (predictors, mut scalings): (Vec<_>, Vec<_>) =
        read.collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
    Ok((together(predictors), scalings.swap_remove(0)))
}

/// What made the input, of a file of this or of the earlier form.
fn features(metadata: &Metadata, reads_vectors: bool) -> Result<Features, Fault> {
    if metadata.has(key::FEATURES) || !metadata.has(key::FEATURE_SET) {
        return metadata.json(key::FEATURES);
    }
    let set: FeatureSetText = metadata.json(key::FEATURE_SET)?;
    let set = match set {
        FeatureSetText::Builtin(name) => toml::Value::String(name),
        FeatureSetText::Toml(text) => {
            toml::Value::Table(text.parse().map_err(|e| format!("metadata feature_set: {e}"))?)
        }
    };
    let settings = toml::Table::from_iter([("set".to_owned(), set)]);
    let pooling = if reads_vectors { "functionals" } else { Features::NO_POOLING };
    Ok(Features::of(Section::new(Features::FIRST, &settings)?, Section::bare(pooling)))
}

/// A feature set in the earlier form.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum FeatureSetText {
    Builtin(String),
    Toml(String),
}

#[cfg(test)]
pub(crate) mod tests;
