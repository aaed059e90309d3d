//! Pipeline files, `pipelines/*.toml`: one experiment, with every setting in it.

mod change;
mod faults;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{parse_toml, read_toml};
use crate::{
    LabelNoiseSettings, MethodParams, Methods, ModelSettings, SettingsError, SplitSettings,
    SynthSettings,
};

pub(crate) use faults::{MOST_UNITS, negative};

const HINT: &str =
    "pipelines/README.md lists every key of a pipeline; pipelines/demo.toml shows most of them";

/// What to do with an utterance whose audio cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnBroken {
    /// Stop and list all of them.
    Stop,
    /// Leave them out by name; the report lists them.
    Skip,
}

/// Section `[corpus]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CorpusSettings {
    /// The manifest, relative to the pipeline file.
    pub manifest: PathBuf,
    /// The corpus's root folder, relative to the pipeline file. Where left out, the environment
    /// variable that the manifest names; for a pipeline with `[synth]`, neither.
    pub root: Option<PathBuf>,
    /// What to do with broken audio.
    pub on_broken: OnBroken,
}

/// Section `[features]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureSettings {
    /// A built-in set (`ser32`, `ser32-sma3`, `ser32-prosody`, `is09`) or a TOML file, relative to the
    /// pipeline file, whose name ends in `.toml`.
    pub set: String,
    /// Whether to write the functionals of every utterance too; not where left out.
    #[serde(default)]
    pub functionals: bool,
}

/// Section `[training]`: Adam and early stopping.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingSettings {
    /// One whole cross-validation per seed.
    pub seeds: Vec<u64>,
    /// Utterances per mini-batch.
    pub batch_size: usize,
    /// Adam's step size.
    pub learning_rate: f64,
    /// Largest Euclidean norm of a step's gradient; longer ones are scaled down. 0: never.
    pub gradient_clip: f64,
    /// Epochs of θ at most.
    pub max_epochs: usize,
    /// Stop after so many epochs without a lower validation loss.
    pub patience: usize,
}

/// Section `[corrections]`: labels that a reviewer has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CorrectionSettings {
    /// The reviewer's file, relative to the pipeline file.
    pub file: PathBuf,
    /// Whether those tested are corrected too. Not where left out, so that rates before and after
    /// are of the same labels.
    #[serde(default)]
    pub test: bool,
}

/// A pipeline: one corpus, one feature set, one model, some methods.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pipeline {
    /// Version of the file's form; 1.
    pub schema: u32,
    /// Name of the results' folder: at most 64 letters, digits, `-` and `_`.
    pub name: String,
    /// Headline of the report.
    pub title: String,
    /// The corpus.
    pub corpus: CorpusSettings,
    /// The synthetic corpus to make, for pipelines that use it.
    pub synth: Option<SynthSettings>,
    /// The feature set.
    pub features: FeatureSettings,
    /// Classes and folds.
    pub split: SplitSettings,
    /// Label noise to add, for pipelines that measure what it does.
    pub label_noise: Option<LabelNoiseSettings>,
    /// A reviewer's corrections of the labels, where there are any.
    pub corrections: Option<CorrectionSettings>,
    /// The model, which every method but `cyclegan` trains.
    #[serde(alias = "network")]
    pub model: ModelSettings,
    /// The optimiser and when it stops.
    pub training: TrainingSettings,
    /// The methods to compare.
    pub methods: Methods,
}

impl Pipeline {
    /// Reads and checks a pipeline file.
    pub fn read(file: &Path) -> Result<Self, SettingsError> {
        read_toml::<Self>(file, HINT)?.checked(file)
    }

    /// Parses and checks a pipeline's text; `file` is for messages.
    pub fn parse(file: &Path, text: &str) -> Result<Self, SettingsError> {
        parse_toml::<Self>(file, text, HINT)?.checked(file)
    }

    /// The model that a method trains: its own, where it has one.
    pub fn model_of(&self, method: &MethodParams) -> ModelSettings {
        method.model().unwrap_or_else(|| self.model.clone())
    }

    fn checked(self, file: &Path) -> Result<Self, SettingsError> {
        match self.fault() {
            None => Ok(self),
            Some(message) => Err(SettingsError::Invalid { file: file.to_path_buf(), message }),
        }
    }
}
