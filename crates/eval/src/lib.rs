//! Metrics, tables and summaries over folds and seeds.
