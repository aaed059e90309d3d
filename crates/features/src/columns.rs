//! Names of the key columns of the tables; the values' columns follow them.

/// Utterance a row belongs to.
pub(crate) const UTTERANCE: &str = "utterance_id";
/// Number of the frame within its utterance, from 0.
pub(crate) const FRAME: &str = "frame";
