//! Utterances, speakers, sessions and annotators' votes, read from each corpus layout.
//!
//! [`read_corpus`] turns a folder and its manifest into a sorted list of [`Utterance`]s, whatever
//! the layout; `write_index` and `read_index` keep that list as Parquet; [`summarise`] counts
//! it as the paper's Table 1 does; [`splits`] divides its speakers into folds; [`exchange_labels`]
//! adds noise that is known; [`Corrections`] are a reviewer's. The crate knows paths and labels. It never opens a sound file.

mod adapters;
mod corrections;
mod duration;
mod error;
mod files;
#[cfg(feature = "parquet")]
mod index;
mod labels;
#[cfg(test)]
mod manifests;
mod name;
mod names;
mod noise;
mod read;
mod split;
mod splitter;
mod summary;
mod table;
#[cfg(test)]
mod testing;
mod tree;
mod utterance;
#[cfg(feature = "parquet")]
mod version;

pub use adapters::evaluation::{EvaluationFault, Turn, parse_evaluation};
pub use corrections::{Corrections, Decision};
pub use error::{CorpusError, Place};
#[cfg(feature = "parquet")]
pub use index::{Index, read_index, read_rated_index, write_index};
pub use labels::{LabelColumns, LabelTable, LabelTableError, Recordings, literal};
pub use names::Names;
pub use noise::{Confusions, NoisyLabel, clean_labels, confusions, exchange_labels};
pub use read::{Corpus, read_corpus};
pub use split::{Division, Found, Groups, Included, Share, splits};
pub use splitter::{PlannedSplit, SPLITS, SplitKind, Splitter, plan_split};
pub use summary::summarise;
pub use utterance::{Utterance, consensus};
#[cfg(feature = "parquet")]
pub use version::{check_version, version_metadata};
