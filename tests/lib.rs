//! End-to-end tests of the real commands; see `end_to_end.rs`.
