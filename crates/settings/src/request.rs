//! What a stage is asked: typed parameters, inputs by role, a folder to write into.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{
    Arithmetic, CorrectionSettings, Features, Manifest, MethodParams, NoiseKind, NoiseParams,
    Normalisation, OnBroken, Pipeline, Section, SplitSettings, SynthSettings, TrainingSettings,
};

/// Names of inputs and outputs: the role under which a stage's content digest enters the next key.
pub mod role {
    /// The corpus's root folder.
    pub const CORPUS: &str = "corpus";
    /// `index.parquet`.
    pub const INDEX: &str = "index";
    /// `index.json`: counts, speakers, release check (see the index stage).
    pub const INDEX_SUMMARY: &str = "index_summary";
    /// The file or folder that a front end reads, outside of the store: features that somebody has computed,
    /// or a model.
    pub const TABLE: &str = "table";
    /// The list of parts that somebody has published or written down, outside of the store.
    pub const PARTS: &str = "parts";
    /// `features.parquet`: a row per frame.
    pub const FEATURES: &str = "features";
    /// `vectors.parquet`: a row per utterance.
    pub const VECTORS: &str = "vectors";
    /// `exclusions.json`: utterances left out, with reasons.
    pub const EXCLUSIONS: &str = "exclusions";
    /// `splits.json`.
    pub const SPLITS: &str = "splits";
    /// `truth.parquet` of a synthetic corpus; only evaluation reads it.
    pub const TRUTH: &str = "truth";
    /// `noise.parquet`: labels exchanged on purpose.
    pub const NOISE: &str = "noise";
    /// The reviewer's `corrections.csv`, outside of the store.
    pub const CORRECTIONS: &str = "corrections";
    /// `corrected.parquet`: the labels after a reviewer's corrections.
    pub const CORRECTED: &str = "corrected";
    /// `noise.json`: what label noise of several rates did.
    pub const NOISE_SUMMARY: &str = "noise_summary";
    /// `checkpoint.safetensors`.
    pub const CHECKPOINT: &str = "checkpoint";
    /// `history.json`: the learning curves of one run.
    pub const HISTORY: &str = "history";
    /// `predictions.parquet` of one run.
    pub const PREDICTIONS: &str = "predictions";
    /// `labels.parquet`.
    pub const LABELS: &str = "labels";
    /// `summary.json`.
    pub const SUMMARY: &str = "summary";
    /// `results.csv`: the rates of every run, a row each.
    pub const RESULTS: &str = "results";
    /// `events.out.tfevents.0.ambivox`: a run as TensorBoard shows it.
    pub const EVENTS: &str = "events";
    /// `audit.parquet`: labels ranked by how suspect they are.
    pub const AUDIT: &str = "audit";
    /// `audit.csv`: the same, for a spreadsheet.
    pub const AUDIT_CSV: &str = "audit_csv";
    /// `audit.html`: the same, to listen to and to decide on.
    pub const AUDIT_PAGE: &str = "audit_page";
    /// `consensus.csv`: what the annotators of an utterance and the models say together.
    pub const CONSENSUS: &str = "consensus";
    /// `annotators.csv`: what each annotator's ratings are worth.
    pub const ANNOTATORS: &str = "annotators";
    /// `report.html`.
    pub const REPORT: &str = "report";
}

/// Parameters of the index stage. Inputs: `corpus`. Outputs: `index`, `index_summary`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndexParams {
    /// The corpus's manifest.
    pub manifest: Manifest,
}

/// Parameters of the extract stage. Inputs: `index`, and `corpus` for a front end that hears recordings,
/// `table` for one that reads what somebody has computed, both for one with a model. Outputs: `features`
/// where frames are kept, `vectors` where there are vectors, of the front end or pooled, `exclusions`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExtractParams {
    /// What to compute.
    pub features: Features,
    /// Whether frames are kept; else there is a vector of an utterance alone.
    pub frames: bool,
    /// What to do with broken audio.
    pub on_broken: OnBroken,
    /// Which instructions a neural encoder computes by. Absent where there is none, or they are the
    /// processor's own.
    #[serde(default, skip_serializing_if = "Arithmetic::is_native")]
    pub arithmetic: Arithmetic,
}

/// Parameters of the stage that lays a table out in rows: which of the two. Inputs: `features` or `vectors`.
/// Outputs: the same, in rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MapParams {
    /// Frames.
    Features,
    /// Vectors.
    Vectors,
}

/// Parameters of the stage that normalises. Inputs: `index`, and in rows `features` where there are frames,
/// `vectors` where there are vectors. Outputs: the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NormaliseParams {
    /// Over whose utterances.
    pub over: Normalisation,
    /// Whether there are frames.
    pub frames: bool,
    /// Whether there are vectors.
    pub vectors: bool,
}

/// Parameters of the split stage. Inputs: `index`, `exclusions`, and `parts` where they are listed. Outputs:
/// `splits`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplitParams {
    /// Classes and how to divide.
    pub split: SplitSettings,
    /// The manifest, for the partners.
    pub manifest: Manifest,
}

/// Parameters of the stage that corrects labels, of which there are none: the reviewer's file is all.
/// Inputs: `index`, or `noise` where labels have been exchanged before; `splits`, `corrections`. Outputs:
/// `corrected`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CorrectParams {}

/// Parameters of one run of the train stage. Inputs: in rows, `features` or, for models that read them,
/// `vectors`; `index`, `splits`; `noise` where labels have been exchanged, `corrected` in
/// its place where they have been corrected. Outputs: `checkpoint`, `history`, `predictions`, `labels`,
/// `events`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainParams {
    /// The fold's name.
    pub fold: String,
    /// The method and its settings.
    pub method: MethodParams,
    /// The run's seed.
    pub seed: u64,
    /// What made the model's input, for the checkpoint.
    pub features: Features,
    /// The model.
    pub model: Section,
    /// Whether the features are of several layers, of which one is to be chosen inside the training groups.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub choose_layer: bool,
    /// Whether the features are of several layers, of which the model learns how much each counts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mix_layers: bool,
    /// The optimiser; `seeds` is empty here, since a run has one seed.
    pub training: TrainingSettings,
    /// Which instructions compute. Absent where they are the processor's own, so that keys are what
    /// they always were.
    #[serde(default, skip_serializing_if = "Arithmetic::is_native")]
    pub arithmetic: Arithmetic,
    /// Whether corrections hold for the speaker tested too. Absent where not, so that the key of a
    /// run without them is what it always was.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub correct_test: bool,
}

/// Parameters of the evaluate stage. Inputs: `splits`, and per run
/// `predictions/<method>/<seed>/<fold>`, `labels/…`, `history/…`; `truth` for a synthetic corpus;
/// `noise` where labels have been exchanged, whose clean labels are the truth then.
/// Outputs: `summary`, `results`, `labels`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvaluateParams {
    /// The pipeline's name.
    pub pipeline: String,
    /// Whether the corpus is synthetic.
    pub synthetic: bool,
}

/// Parameters of the stage that compares runs under label noise of several rates. Inputs: `splits`;
/// for every rate `summary/<rate>` and, above 0, `labels/<rate>`, per seed `noise/<rate>/<seed>` and
/// per run of the baseline `predictions/<rate>/baseline/<seed>/<fold>`. Outputs: `noise_summary`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CompareNoiseParams {
    /// The pipeline's name.
    pub pipeline: String,
    /// How labels were exchanged.
    pub kind: NoiseKind,
    /// The rates.
    pub rates: Vec<f64>,
}

/// Parameters of the stage that ranks labels by how suspect they are. Inputs: `corpus`, `index`,
/// `exclusions`, `splits`, and per run of the method `predictions/<method>/<seed>/<fold>` and `labels/…`; for
/// models that attend to frames `features` and `checkpoint/…`; `noise` where labels have been
/// exchanged; `noise_summary` where its rates are compared. Outputs: `audit`, `audit_csv`, `audit_page`, `consensus`, `annotators`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditParams {
    /// Id of the method whose runs tell.
    pub method: String,
    /// The detector that ranks; learned label and loss where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detector: Option<String>,
    /// How many sounds the page has, of the most suspect labels.
    pub sounds: usize,
    /// The corpus's manifest, for name, licence and the synthetic mark.
    pub manifest: Manifest,
    /// From the start of one frame to that of the next, and the length of one, in seconds; none where
    /// the front end gives vectors alone.
    pub frame_times_s: Option<[f64; 2]>,
    /// Which instructions compute attention. Absent where they are the processor's own.
    #[serde(default, skip_serializing_if = "Arithmetic::is_native")]
    pub arithmetic: Arithmetic,
    /// The pipeline's section `[corrections]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrections: Option<CorrectionSettings>,
}

/// Parameters of the report stage. Inputs: `summary`, `index_summary`, `exclusions`, `splits`, and per run
/// `history/<method>/<seed>/<fold>`; `noise_summary` where labels have been exchanged, `corrections`
/// where a reviewer has corrected them. Outputs: `report`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportParams {
    /// Headline.
    pub title: String,
    /// The corpus's manifest, for name, licence, citation and the synthetic mark.
    pub manifest: Manifest,
    /// The pipeline file's text, shown as the settings.
    pub pipeline_toml: String,
    /// The kind of model that the methods train.
    pub model: String,
    /// The kinds of those that methods have in its place.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub own_models: BTreeMap<String, String>,
    /// Whether every class of a speaker was cut to that speaker's smallest.
    pub balanced: bool,
    /// The pipeline's section `[corrections]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrections: Option<CorrectionSettings>,
}

/// A stage's name and parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "stage", content = "params", rename_all = "snake_case")]
pub enum StageParams {
    /// Make the synthetic corpus. No inputs. Outputs: `corpus` (a folder) and `truth`.
    Synth(SynthSettings),
    /// List the corpus's utterances.
    Index(Box<IndexParams>),
    /// Compute the descriptors.
    Extract(ExtractParams),
    /// Lay a table out in rows, for models to read it where it lies.
    Map(MapParams),
    /// Normalise the values of all utterances.
    Normalise(NormaliseParams),
    /// Divide the utterances into folds.
    Split(Box<SplitParams>),
    /// Exchange labels at a known rate. Inputs: `index`, `splits`. Outputs: `noise`.
    Noise(NoiseParams),
    /// Correct labels by a reviewer's file.
    Correct(CorrectParams),
    /// Train one fold by one method from one seed.
    Train(Box<TrainParams>),
    /// Turn runs into metrics.
    Evaluate(EvaluateParams),
    /// Set metrics of several noise rates side by side.
    CompareNoise(CompareNoiseParams),
    /// Rank labels by how suspect they are.
    Audit(Box<AuditParams>),
    /// Turn metrics into a page.
    Report(Box<ReportParams>),
}

impl StageParams {
    /// The stage's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Synth(_) => "synth",
            Self::Index(_) => "index",
            Self::Extract(_) => "extract",
            Self::Map(_) => "map",
            Self::Normalise(_) => "normalise",
            Self::Split(_) => "split",
            Self::Noise(_) => "noise",
            Self::Correct(_) => "correct",
            Self::Train(_) => "train",
            Self::Evaluate(_) => "evaluate",
            Self::CompareNoise(_) => "compare_noise",
            Self::Audit(_) => "audit",
            Self::Report(_) => "report",
        }
    }

    /// The kinds on which the outputs depend, each with its axis.
    pub fn kinds(&self) -> Vec<(&'static str, &str)> {
        match self {
            Self::Extract(params) => vec![
                ("frontend", &params.features.frontend.kind),
                ("pooling", &params.features.pooling.kind),
            ],
            Self::Split(params) => vec![("split", &params.split.section.kind)],
            Self::Train(params) => {
                vec![("model", &params.model.kind), ("rule", &params.method.rule.kind)]
            }
            // Nothing else attends to frames.
            Self::Audit(_) => vec![("model", Pipeline::PAPERS_MODEL)],
            _ => Vec::new(),
        }
    }

    /// Whether the stage goes on where it was killed.
    pub fn can_resume(&self) -> bool {
        matches!(self, Self::Train(_))
    }

    /// File or folder name of every output, by role.
    pub fn outputs(&self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Synth(_) => &[(role::CORPUS, "corpus"), (role::TRUTH, "truth.parquet")],
            Self::Index(_) => {
                &[(role::INDEX, "index.parquet"), (role::INDEX_SUMMARY, "index.json")]
            }
            Self::Extract(ExtractParams { frames: false, .. }) => {
                &[(role::VECTORS, "vectors.parquet"), (role::EXCLUSIONS, "exclusions.json")]
            }
            Self::Extract(ExtractParams { features, .. }) if !features.pools() => {
                &[(role::FEATURES, "features.parquet"), (role::EXCLUSIONS, "exclusions.json")]
            }
            Self::Extract(_) => &[
                (role::FEATURES, "features.parquet"),
                (role::VECTORS, "vectors.parquet"),
                (role::EXCLUSIONS, "exclusions.json"),
            ],
            Self::Map(MapParams::Features)
            | Self::Normalise(NormaliseParams { vectors: false, .. }) => {
                &[(role::FEATURES, "features.safetensors")]
            }
            Self::Map(MapParams::Vectors)
            | Self::Normalise(NormaliseParams { frames: false, .. }) => {
                &[(role::VECTORS, "vectors.safetensors")]
            }
            Self::Normalise(_) => {
                &[(role::FEATURES, "features.safetensors"), (role::VECTORS, "vectors.safetensors")]
            }
            Self::Split(_) => &[(role::SPLITS, "splits.json")],
            Self::Noise(_) => &[(role::NOISE, "noise.parquet")],
            Self::Correct(_) => &[(role::CORRECTED, "corrected.parquet")],
            Self::CompareNoise(_) => &[(role::NOISE_SUMMARY, "noise.json")],
            Self::Train(_) => &[
                (role::CHECKPOINT, "checkpoint.safetensors"),
                (role::HISTORY, "history.json"),
                (role::PREDICTIONS, "predictions.parquet"),
                (role::LABELS, "labels.parquet"),
                (role::EVENTS, "events.out.tfevents.0.ambivox"),
            ],
            Self::Evaluate(_) => &[
                (role::SUMMARY, "summary.json"),
                (role::RESULTS, "results.csv"),
                (role::LABELS, "labels.parquet"),
            ],
            Self::Audit(_) => &[
                (role::AUDIT, "audit.parquet"),
                (role::AUDIT_CSV, "audit.csv"),
                (role::AUDIT_PAGE, "audit.html"),
                (role::CONSENSUS, "consensus.csv"),
                (role::ANNOTATORS, "annotators.csv"),
            ],
            Self::Report(_) => &[(role::REPORT, "report.html")],
        }
    }
}

/// Everything that reaches a stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Stage and parameters; with the inputs' contents, all that the outputs depend on.
    pub work: StageParams,
    /// Inputs by role.
    pub inputs: BTreeMap<String, PathBuf>,
    /// An existing, empty folder for the outputs.
    pub out: PathBuf,
    /// Threads to use; changes the speed alone.
    pub threads: usize,
    /// Where a stage keeps how far it has come, or finds what was made of it before: a file in a folder
    /// that exists, for one that [can be resumed](StageParams::can_resume), written beside `out` and moved
    /// here; a folder, for an extraction. It changes alone what has to be done again after a kill.
    pub interim: Option<PathBuf>,
    /// File where the train stage shows its events after every epoch, so that people can watch; its
    /// folders are made where they are not there. Nothing reads it back.
    pub live: Option<PathBuf>,
    /// The part of the stage that is asked for, where it is not all: it goes into `interim`, and there are
    /// no outputs.
    pub shard: Option<Shard>,
}

/// A part of an extraction: of its row groups, counted from 0, those whose number leaves `number` when
/// it is divided by `of`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shard {
    /// Number of the part, below `of`.
    pub number: usize,
    /// Number of parts.
    pub of: NonZeroUsize,
}

impl Shard {
    /// Whether a row group is in this part.
    pub fn has(self, group: usize) -> bool {
        group % self.of == self.number
    }
}
