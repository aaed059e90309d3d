//! Pipeline files, `pipelines/*.toml`: one experiment, with every setting in it.

mod change;
mod faults;
mod own;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize};

use crate::error::parse_toml;
use crate::{
    Features, LabelNoiseSettings, Methods, NormalisationSettings, Section, SettingsError,
    SplitSettings, SynthSettings,
};

pub use faults::{MOST_UNITS, is_negative};

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
    /// Stop after so many epochs in which the criterion was no better.
    pub patience: usize,
    /// What of the validation part says which epoch is the best. Absent where it is the loss, so that keys
    /// are what they always were.
    #[serde(default, skip_serializing_if = "Criterion::is_loss")]
    pub criterion: Criterion,
    /// Which epochs make the model; the best where left out.
    #[serde(default, skip_serializing_if = "Keep::is_best")]
    pub keep: Keep,
    /// Whether the loss of a mini-batch is divided by the sum of its 1/w, and not by its size, so that a limit
    /// of the gradient is the same for learned weights, whose mean of 1/w grows, as for others.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub normalise_weights: bool,
    /// Whether runs keep the course of every training utterance over the epochs, margin and confidence of its
    /// label, which some detectors of wrong labels read.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dynamics: bool,
}

/// Which epochs make the model that predicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// The best by the criterion, which also says when to stop; the last where nothing validates.
    #[default]
    Best,
    /// The last of all epochs, of which none is left out.
    Last,
    /// So many of the last, all epochs run: the mean of their probabilities.
    MeanOfLast(usize),
    /// So many of the last, all epochs run: the mean of their parameters (Izmailov et al. 2018).
    AverageOfLast(usize),
}

impl Keep {
    /// Whether it is what it always was.
    pub fn is_best(&self) -> bool {
        *self == Self::Best
    }

    /// How many of the last epochs are kept; nothing where the best is.
    pub fn last(self) -> Option<usize> {
        match self {
            Self::Best => None,
            Self::Last => Some(1),
            Self::MeanOfLast(count) | Self::AverageOfLast(count) => Some(count),
        }
    }
}

/// What of the validation part is looked at after every epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Criterion {
    /// The lowest cross-entropy of the gold labels, which charges a model for being as unsure as softened
    /// targets teach it to be.
    #[default]
    Loss,
    /// The lowest cross-entropy of the targets that the method gives such utterances before it has learned
    /// anything.
    SoftLoss,
    /// The highest unweighted accuracy.
    Ua,
    /// The highest macro F1.
    MacroF1,
}

impl Criterion {
    /// Whether it is what it always was.
    pub fn is_loss(&self) -> bool {
        *self == Self::Loss
    }
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

/// Section `[audit]`: how labels are audited.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditSettings {
    /// How the audit divides utterances into folds; the classes and what is cut stay those of `[split]`.
    /// Folds that mix speakers tell more of labels than whole speakers do: a new speaker is often simply hard.
    pub split: Section,
}

/// A pipeline: one corpus, one front end, one model, some methods.
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
    /// What is computed of the sound of an utterance, or read from a table.
    #[serde(alias = "features", deserialize_with = "frontend")]
    pub frontend: Section,
    /// What makes one vector of an utterance's frames; nothing where left out.
    #[serde(default = "no_pooling")]
    pub pooling: Section,
    /// Over whose utterances values are normalised before the folds; over none where left out.
    #[serde(default, skip_serializing_if = "NormalisationSettings::is_left_out")]
    pub normalisation: NormalisationSettings,
    /// Classes and folds.
    pub split: SplitSettings,
    /// Label noise to add, for pipelines that measure what it does.
    pub label_noise: Option<LabelNoiseSettings>,
    /// How labels are audited, where that is not by the folds of the split.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audit: Option<AuditSettings>,
    /// A reviewer's corrections of the labels, where there are any.
    pub corrections: Option<CorrectionSettings>,
    /// The model, which every method but `cyclegan` trains.
    #[serde(alias = "network", deserialize_with = "model")]
    pub model: Section,
    /// The optimiser and when it stops.
    pub training: TrainingSettings,
    /// The methods to compare.
    pub methods: Methods,
}

impl Pipeline {
    /// The kind of the paper's network; also of a section without a kind, which was called `[network]`
    /// while there was no other.
    pub const PAPERS_MODEL: &'static str = "blstm-attention";

    /// Reads and checks a pipeline file.
    pub fn read(file: &Path) -> Result<Self, SettingsError> {
        Self::parse(file, &fs_err::read_to_string(file)?)
    }

    /// Parses and checks a pipeline's text; `file` is for messages.
    pub fn parse(file: &Path, text: &str) -> Result<Self, SettingsError> {
        parse_toml::<Self>(file, text, HINT)?.checked(file)
    }

    fn checked(mut self, file: &Path) -> Result<Self, SettingsError> {
        let fault = self.pool_functionals().err().or_else(|| self.fault());
        match fault {
            None => Ok(self),
            Some(message) => Err(SettingsError::Invalid { file: file.to_path_buf(), message }),
        }
    }

    /// `functionals = true` of the older section `[features]` is a pooling today.
    fn pool_functionals(&mut self) -> Result<(), String> {
        let Some(asked) = self.frontend.settings.remove("functionals") else { return Ok(()) };
        match asked.as_bool() {
            None => Err(format!("features.functionals: {asked}; true or false")),
            Some(true) if self.pooling.kind != Features::NO_POOLING => {
                Err("features.functionals and [pooling] say the same; leave the former out"
                    .to_owned())
            }
            Some(true) => {
                self.pooling = Section::bare("functionals");
                Ok(())
            }
            Some(false) => Ok(()),
        }
    }
}

fn frontend<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Section, D::Error> {
    Section::or_kind(deserializer, Features::FIRST)
}

fn model<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Section, D::Error> {
    Section::or_kind(deserializer, Pipeline::PAPERS_MODEL)
}

fn no_pooling() -> Section {
    Section::bare(Features::NO_POOLING)
}
