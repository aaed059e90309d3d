//! Checkpoints of a classifier of functionals.
//!
//! The form is that of a network's checkpoint with other contents. Metadata: `format`, `kind`, and,
//! as JSON, `layers` (hidden units and the slope of the leaky ReLU), `classes`, `feature_set` and
//! `scaling` (`lowest` and `range`, one number per functional). Tensors: `N.weight` and `N.bias` of
//! every layer, from 0.

use std::collections::BTreeMap;
use std::path::Path;

use ambivox_settings::FeatureSetText;
use fs_err as fs;
use serde::{Deserialize, Serialize};

use super::read::{Fault, LARGEST, Tensors, parts};
use super::write::{self, Named};
use super::{FORMAT, key};
use crate::dense::Layer;
use crate::{Dense, MinMax, ModelError};

/// What the metadata say that the file holds.
const KIND: &str = "classifier of functionals";

/// Names of the metadata that no other kind has.
const LAYERS: &str = "layers";
const SCALING: &str = "scaling";

/// A classifier of functionals with its classes and the way to its input.
#[derive(Debug, Clone)]
pub struct FunctionalsCheckpoint {
    /// From scaled functionals to a logit of every class.
    pub classifier: Dense,
    /// Names of the classes, in the order of the classifier's outputs.
    pub classes: Vec<String>,
    /// The feature set whose functionals are read.
    pub feature_set: FeatureSetText,
    /// The scaling of the functionals.
    pub scaling: MinMax,
}

/// What the layers are beside their tensors.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Layers {
    hidden: Vec<usize>,
    leak: f64,
}

impl FunctionalsCheckpoint {
    /// Writes the file; equal checkpoints give equal bytes.
    pub fn save(&self, file: &Path) -> Result<(), ModelError> {
        let bytes = self.bytes().map_err(|fault| ModelError::checkpoint(file, fault))?;
        Ok(fs::write(file, bytes)?)
    }

    /// Reads a file of any origin. It is an error, which names the file and what was expected,
    /// unless kind, format, metadata, names and shapes of the tensors are those of such a checkpoint and
    /// all numbers are finite.
    pub fn load(file: &Path) -> Result<Self, ModelError> {
        Self::parse(file, &fs::read(file)?)
    }

    /// As [`Self::load`], from a file's content; `file` is for messages.
    pub fn parse(file: &Path, content: &[u8]) -> Result<Self, ModelError> {
        Self::read(content).map_err(|fault| ModelError::checkpoint(file, fault))
    }

    fn bytes(&self) -> Result<Vec<u8>, Fault> {
        let metadata = self.metadata().map_err(|error| error.to_string())?;
        write::file(metadata, self.tensors().map_err(|error| error.to_string())?)
    }

    fn metadata(&self) -> serde_json::Result<BTreeMap<&'static str, String>> {
        let layers = self.classifier.layers.iter().map(|layer| layer.bias.elem_count());
        let mut hidden: Vec<usize> = layers.collect();
        hidden.pop();
        Ok(BTreeMap::from([
            (key::FORMAT, FORMAT.to_owned()),
            (key::KIND, KIND.to_owned()),
            (LAYERS, serde_json::to_string(&Layers { hidden, leak: self.classifier.leak })?),
            (key::CLASSES, serde_json::to_string(&self.classes)?),
            (key::FEATURE_SET, serde_json::to_string(&self.feature_set)?),
            (SCALING, serde_json::to_string(&self.scaling)?),
        ]))
    }

    fn tensors(&self) -> candle_core::Result<Vec<Named>> {
        let mut named = Vec::new();
        for (number, Layer { weight, bias }) in self.classifier.layers.iter().enumerate() {
            let [weight_name, bias_name] = names(number);
            named.push((weight_name, weight.dims().to_vec(), write::values(weight)?));
            named.push((bias_name, bias.dims().to_vec(), write::values(bias)?));
        }
        Ok(named)
    }

    fn read(bytes: &[u8]) -> Result<Self, Fault> {
        let (metadata, tensors) = parts(bytes, Some(KIND))?;
        let Layers { hidden, leak } = metadata.json(LAYERS)?;
        let classes: Vec<String> = metadata.json(key::CLASSES)?;
        let scaling: MinMax = metadata.json(SCALING)?;
        check_scaling(&scaling)?;
        if !(0.0..1.0).contains(&leak) {
            return Err(format!("leak: {leak}; expected from 0 to below 1"));
        }
        let widths = [&[scaling.lowest.len()], hidden.as_slice(), &[classes.len()]].concat();
        check_widths(&widths)?;
        Ok(Self {
            classifier: Dense { layers: layers(&tensors, &widths)?, leak },
            classes,
            feature_set: metadata.json(key::FEATURE_SET)?,
            scaling,
        })
    }
}

fn names(layer: usize) -> [String; 2] {
    ["weight", "bias"].map(|name| format!("{layer}.{name}"))
}

fn layers(tensors: &Tensors<'_>, widths: &[usize]) -> Result<Vec<Layer>, Fault> {
    let pairs = widths.windows(2);
    tensors.check_count(2 * pairs.len())?;
    let layer = |(number, pair): (usize, &[usize])| {
        let [weight, bias] = names(number);
        Ok(Layer {
            weight: tensors.var(&weight, &[pair[1], pair[0]])?,
            bias: tensors.var(&bias, &pair[1..])?,
        })
    };
    pairs.enumerate().map(layer).collect()
}

fn check_scaling(MinMax { lowest, range }: &MinMax) -> Result<(), Fault> {
    if lowest.len() != range.len() {
        return Err(format!("scaling: {} lowest values but {} ranges", lowest.len(), range.len()));
    }
    let usable =
        |(lowest, range): (&f32, &f32)| lowest.is_finite() && range.is_finite() && *range > 0.0;
    match lowest.iter().zip(range).position(|pair| !usable(pair)) {
        Some(column) => Err(format!(
            "scaling: column {column} has lowest value {} and range {}; expected finite numbers and a \
             range above 0",
            lowest[column], range[column]
        )),
        None => Ok(()),
    }
}

fn check_widths(widths: &[usize]) -> Result<(), Fault> {
    match widths.iter().find(|width| !(1..=LARGEST).contains(*width)) {
        Some(width) => Err(format!("a layer has {width} values; expected from 1 to {LARGEST}")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Checkpoint;
    use crate::checkpoint::tests::with_header;

    fn checkpoint() -> FunctionalsCheckpoint {
        FunctionalsCheckpoint {
            classifier: Dense::new("classifier", &[2, 4, 3], 0.2, 5).unwrap(),
            classes: ["happiness", "sadness", "anger"].map(str::to_owned).to_vec(),
            feature_set: FeatureSetText::Builtin("is09".to_owned()),
            scaling: MinMax { lowest: vec![0.1, -1234.5678], range: vec![1e-7, 3.3] },
        }
    }

    /// The message for a checkpoint whose header has `from` replaced by `to`.
    fn fault(from: &str, to: &str) -> String {
        let bytes = checkpoint().bytes().unwrap();
        FunctionalsCheckpoint::read(&with_header(&bytes, from, to)).unwrap_err()
    }

    #[test]
    fn reads_back_what_it_wrote() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("checkpoint.safetensors");
        let saved = checkpoint();
        saved.save(&file).unwrap();
        let loaded = FunctionalsCheckpoint::load(&file).unwrap();
        assert_eq!(
            (&loaded.classes, &loaded.feature_set, &loaded.scaling),
            (&saved.classes, &saved.feature_set, &saved.scaling)
        );
        let say = |checkpoint: &FunctionalsCheckpoint| {
            checkpoint.classifier.log_probabilities(&[&[0.3, -0.8], &[-1.0, 1.0]]).unwrap()
        };
        assert_eq!(say(&loaded), say(&saved));
        assert_eq!(loaded.bytes().unwrap(), saved.bytes().unwrap());
    }

    #[test]
    fn either_kind_refuses_the_other() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("checkpoint.safetensors");
        checkpoint().save(&file).unwrap();
        let message = Checkpoint::load(&file).unwrap_err().to_string();
        let expected = "it holds a classifier of functionals; expected a network of frames";
        assert!(message.contains(expected), "{message}");
        let message = fault("\"kind\":", "\"king\":");
        let expected = "it holds a network of frames; expected a classifier of functionals";
        assert_eq!(message, expected);
    }

    #[test]
    fn what_does_not_fit_is_said() {
        for (from, to, expected) in [
            (r#""format":"1""#, r#""format":"2""#, r#"its format is "2""#),
            (r#""classes":"#, r#""glasses":"#, r#"its metadata has no "classes""#),
            (r#"\"hidden\":[4]"#, r#"\"hidden\":[5]"#, "expected F32 of shape [5, 2]"),
            (r#"\"hidden\":[4]"#, r#"\"hidden\":[0]"#, "a layer has 0 values"),
            (r#"\"leak\":0.2"#, r#"\"leak\":1e300"#, "leak: 1"),
            (r#"\"hidden\":[4]"#, r#"\"hidden\":[]"#, "it has 4 tensors; expected 2"),
            (r#"\"lowest\":[0.1"#, r#"\"lowest\":[0.1,0.2"#, "3 lowest values but 2 ranges"),
            ("1e-7", "0", "column 0 has lowest value 0.1 and range 0"),
            (r#""1.bias":"#, r#""1.bios":"#, r#"no tensor "1.bias""#),
        ] {
            let message = fault(from, to);
            assert!(message.contains(expected), "{from} → {to}: {message}");
        }
    }

    proptest! {
        #[test]
        fn spoiled_bytes_never_panic(position in 0_usize..900, value: u8, cut in 0_usize..900) {
            let mut bytes = checkpoint().bytes().unwrap();
            let length = bytes.len();
            bytes[position % length] = value;
            drop(FunctionalsCheckpoint::read(&bytes));
            drop(FunctionalsCheckpoint::read(&bytes[..cut.min(length)]));
        }
    }
}
