//! The index in parallel to `features.parquet` and `vectors.parquet`, and these tables in rows that are
//! mapped into memory.
//!
//! The crate knows audio files, front ends and Parquet; what the numbers are used for it does not.

mod columns;
mod error;
mod extract;
mod frontend;
mod parquet;
mod pieces;
mod recipe;
mod room;
mod rows;
mod table;
#[cfg(test)]
mod tests;
mod writer;

pub use ambivox_frontends::{Precision, compute_portably};
pub use error::FeatureError;
pub use extract::{Outputs, extract, extract_shard};
pub use frontend::{frontend_kind, parse as parse_table};
pub use recipe::{Recipe, plan};
pub use rows::{FeatureTable, RowWriter};
pub use table::{map_frames, map_vectors};
