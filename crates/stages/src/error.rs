//! Why a stage failed, and with which exit code.

use std::path::{Path, PathBuf};

use ambivox_artifacts::ArtifactError;
use ambivox_audio::AudioError;
use ambivox_corpus::CorpusError;
use ambivox_eval::EvalError;
use ambivox_features::FeatureError;
use ambivox_models::ModelError;
use ambivox_rules::RuleError;
use ambivox_settings::exit;
use ambivox_synth::SynthError;
use ambivox_train::TrainError;
use polars::error::PolarsError;

/// A stage failed.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// The request cannot be worked on; the message says what it lacks.
    #[error("request: {0}")]
    Request(String),
    /// The pipeline asks for something that is not there, such as a fold.
    #[error("{0}")]
    Usage(String),
    /// The input data cannot be used; the message names file and row.
    #[error("{0}")]
    Data(String),
    /// The synthetic corpus.
    #[error(transparent)]
    Synth(#[from] SynthError),
    /// The digest of the corpus's files.
    #[error(transparent)]
    Listing(#[from] ArtifactError),
    /// The corpus, its index or its folds.
    #[error(transparent)]
    Corpus(#[from] CorpusError),
    /// Extraction, or the table of features.
    #[error(transparent)]
    Features(#[from] FeatureError),
    /// A method's label rule.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// Training.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The network or its checkpoint.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Predictions, histories or their summary.
    #[error(transparent)]
    Eval(#[from] EvalError),
    /// A file could not be read or written; the message names it.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// A JSON file of another stage does not have the form this version reads.
    #[error("{}: {source}", file.display())]
    Json {
        /// The file.
        file: PathBuf,
        /// What is wrong, with line and column.
        source: serde_json::Error,
    },
    /// A Parquet file of another stage cannot be read, or an own one not written.
    #[error("{}: {source}", file.display())]
    Parquet {
        /// The file.
        file: PathBuf,
        /// What polars says.
        source: PolarsError,
    },
}

impl StageError {
    /// The exit code of a command that ends with this error.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Request(_) | Self::Usage(_) | Self::Synth(SynthError::Settings(_)) => exit::USAGE,
            Self::Data(_)
            | Self::Listing(_)
            | Self::Train(
                TrainError::NoExamples { .. } | TrainError::ClassWithoutExamples { .. },
            )
            | Self::Eval(EvalError::EmptyFold { .. }) => exit::DATA,
            Self::Corpus(error) => error.exit_code(),
            Self::Features(error) => error.exit_code(),
            Self::Synth(_)
            | Self::Rule(_)
            | Self::Train(_)
            | Self::Model(_)
            | Self::Eval(_)
            | Self::Io(_)
            | Self::Json { .. }
            | Self::Parquet { .. } => exit::FAILED,
        }
    }

    /// What is wrong with a recording of the corpus; that it could not be read says nothing of it. Here,
    /// so that stages without features do not link them for one error.
    pub(crate) fn recording(error: AudioError) -> Self {
        if error.is_unreadable() {
            return FeatureError::Unreadable(error).into();
        }
        Self::Data(error.to_string())
    }

    /// For `map_err` on what polars does with `file`.
    pub(crate) fn parquet(file: &Path) -> impl Fn(PolarsError) -> Self + '_ {
        |source| Self::Parquet { file: file.to_path_buf(), source }
    }
}
