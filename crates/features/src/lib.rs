//! The index in parallel to `features.parquet` and `functionals.parquet`, and these tables
//! back in memory.
//!
//! The crate knows audio files, descriptors and Parquet; what the numbers are used for it does not.

mod columns;
mod error;
mod extract;
mod parquet;
mod pieces;
mod table;
#[cfg(test)]
mod tests;
mod writer;

pub use error::FeatureError;
pub use extract::{Outputs, extract, extract_shard};
pub use table::FeatureTable;
