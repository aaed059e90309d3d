//! Names of the key columns of the tables, and the type of the values' columns, which follow them.

use ambivox_frontends::Precision;
use polars::prelude::DataType;

/// Utterance a row belongs to.
pub(crate) const UTTERANCE: &str = "utterance_id";
/// Number of the frame within its utterance, from 0.
pub(crate) const FRAME: &str = "frame";

/// The type of values of this precision.
pub(crate) fn dtype(precision: Precision) -> DataType {
    match precision {
        Precision::F32 => DataType::Float32,
        Precision::F16 => DataType::Float16,
    }
}
