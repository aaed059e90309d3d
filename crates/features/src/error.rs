//! What can go wrong between an index and a feature table.

use std::fmt::Write as _;
use std::path::PathBuf;

use ambivox_audio::AudioError;
use ambivox_frontends::FrontendError;
use ambivox_settings::{Exclusion, counted, exit};
use polars::prelude::PolarsError;

/// Features could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum FeatureError {
    /// There was no utterance to extract.
    #[error("the index has no utterance, so there is nothing to extract")]
    NoUtterances,
    /// Some utterances' audio cannot be used, and the pipeline says to stop.
    #[error(
        "{} of {} cannot be used:{}\nhint: fix what is named, or \
         set corpus.on_broken = \"skip\" to leave the utterances out by name",
        broken.len(),
        counted(*total, "utterance"),
        listing(broken)
    )]
    Broken {
        /// The utterances at fault, sorted.
        broken: Vec<Exclusion>,
        /// Utterances in the index.
        total: usize,
    },
    /// No utterance's audio can be used.
    #[error(
        "none of {} has audio that can be used:{}\nhint: check that the corpus's \
         root and the manifest's layout fit each other",
        counted(broken.len(), "utterance"),
        listing(broken)
    )]
    AllBroken {
        /// All utterances, sorted.
        broken: Vec<Exclusion>,
    },
    /// A recording of the corpus could not be read, which says nothing of the recording.
    #[error(
        "{0}\nhint: this file is, or was, in the corpus; nothing was concluded from its absence: run \
         this again when the file can be read"
    )]
    Unreadable(AudioError),
    /// The index could not be read.
    #[error(transparent)]
    Index(#[from] ambivox_corpus::CorpusError),
    /// The index is not in the order of the tables to write.
    #[error("the index has {after} after {before}; make it again, sorted by utterance_id")]
    Unsorted {
        /// An utterance's id.
        before: String,
        /// The next one's.
        after: String,
    },
    /// There is no such front end, or its table cannot be used.
    #[error(transparent)]
    Frontend(#[from] FrontendError),
    /// A file could not be opened or created; the message names it.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// Parquet could not be read or written.
    #[error("{}: {source}", file.display())]
    Parquet {
        /// The file at fault.
        file: PathBuf,
        /// What polars says.
        source: PolarsError,
    },
    /// A file of rows does not have the form this version reads, or what it is made of has another.
    #[error("{}: {message}; delete it, and extract the features again", file.display())]
    Rows {
        /// The file at fault.
        file: PathBuf,
        /// What was expected and what was found.
        message: String,
    },
    /// The disk has less room than a table takes.
    #[error(
        "a table takes {:.1} GB, and {} has {:.1} GB left\nhint: make room; of frames, set [pooling], whose \
         vectors are all that is kept of an encoder's states, or, of an encoder, frontend.precision = \
         \"f16\", which halves them",
        *bytes as f64 / 1e9,
        folder.display(),
        *free as f64 / 1e9
    )]
    NoRoom {
        /// Bytes of the table.
        bytes: u64,
        /// Bytes that are free.
        free: u64,
        /// Where the table was to be.
        folder: PathBuf,
    },
    /// A feature table does not have the form this version reads.
    #[error("{}: column {column}: {message}; extract the features again", file.display())]
    Schema {
        /// The file at fault.
        file: PathBuf,
        /// The column at fault.
        column: String,
        /// What was expected and what was found.
        message: String,
    },
}

impl FeatureError {
    /// The exit code of a command that ends with this error.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::NoUtterances
            | Self::Broken { .. }
            | Self::AllBroken { .. }
            | Self::Frontend(FrontendError::Table { .. } | FrontendError::Encoder(_)) => exit::DATA,
            Self::Frontend(FrontendError::Setting(_)) => exit::USAGE,
            Self::Index(error) => error.exit_code(),
            Self::Frontend(FrontendError::File(_))
            | Self::Unreadable(_)
            | Self::Unsorted { .. }
            | Self::Io(_)
            | Self::NoRoom { .. }
            | Self::Parquet { .. }
            | Self::Rows { .. }
            | Self::Schema { .. } => exit::FAILED,
        }
    }
}

fn listing(broken: &[Exclusion]) -> String {
    broken.iter().fold(String::new(), |mut text, Exclusion { utterance_id, path, reason }| {
        // Writing into a string cannot fail.
        let _ = write!(text, "\n  {utterance_id} ({path}): {reason}");
        text
    })
}
