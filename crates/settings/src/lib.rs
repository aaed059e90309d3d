//! What people write and what stages are asked, typed: pipeline TOML, search spaces, corpus
//! manifests, stage requests, the splits file and the events a stage reports while it works.
//!
//! Everything here is plain data. The crate links no numeric library, so that `cargo xtask` can plan
//! a pipeline without compiling one. Unknown keys are errors everywhere, and no hyper-parameter has a
//! default in code: a pipeline file says all of them.

mod arithmetic;
mod bundle;
mod choice;
mod error;
mod event;
pub mod exit;
mod fetch;
mod files;
mod kinds;
mod manifest;
mod methods;
mod noise;
mod normalisation;
mod pipeline;
mod request;
mod section;
mod space;
mod split;
mod summary;
mod synth;
mod threads;
mod untrusted;
mod words;

pub use arithmetic::{Arithmetic, UnknownArithmetic};
pub use bundle::{Bundle, BundledEncoder, BundledNetwork};
pub use choice::Choice;
pub use error::SettingsError;
pub use event::Event;
pub use fetch::{Archive, ArchiveKind, Checksum, Download, DownloadList, is_below};
pub use files::{CorpusFiles, FilesError, Patterns, matching_files};
pub use kinds::{Kind, Kinds};
pub use manifest::{Adapter, CsvColumns, CsvLayout, CsvRatings, Manifest, Release, Sex, Speaker};
pub use methods::{Method, MethodParams, MethodSettings, Methods};
pub use noise::{LabelNoiseSettings, NoiseKind, NoiseParams};
pub use normalisation::{Normalisation, NormalisationSettings};
pub use pipeline::{
    AuditSettings, CorpusSettings, CorrectionSettings, Criterion, Keep, MOST_UNITS, OnBroken,
    Pipeline, TrainingSettings, is_negative,
};
pub use request::{
    AuditParams, CompareNoiseParams, CorrectParams, EvaluateParams, ExtractParams, IndexParams,
    MapParams, NormaliseParams, ReportParams, Request, Shard, SplitParams, StageParams,
    TrainParams, role,
};
pub use section::{Features, Section};
pub use space::{Range, Search, Space};
pub use split::{BalanceSettings, Fold, Grouping, SplitSettings, Splits};
pub use summary::{
    AnnotatorSummary, AnnotatorsSummary, CorrectionCounts, Exclusion, Exclusions, IndexSummary,
    SpeakerSummary,
};
pub use synth::SynthSettings;
pub use threads::{MOST_THREADS, parse_threads};
pub use untrusted::{guard, one_line, printable, read_bounded, unguard};
pub use words::{agreeing, causes, counted, counted_is, some_listed};

#[cfg(test)]
mod tests;
