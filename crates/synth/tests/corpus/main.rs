//! The corpus as a whole: its files, its bytes, its labels, and how hard it is.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod difficulty;
mod files;
mod labels;
mod support;
