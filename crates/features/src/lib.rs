//! The index in parallel to features.parquet, and the fold normaliser.
