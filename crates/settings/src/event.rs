//! What a stage says on its standard output while it works: one JSON document a line.

use serde::{Deserialize, Serialize};

/// One line of a stage's standard output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case", deny_unknown_fields)]
pub enum Event {
    /// So much of the work is done.
    Progress {
        /// Units done so far.
        done: u64,
        /// Units in all, as far as known.
        total: u64,
        /// What is counted: `utterances`, `epochs`, …
        unit: String,
        /// A short state to show beside the bar, such as the last losses.
        message: String,
    },
    /// Something the user should read although the stage goes on, such as an utterance left out.
    Warning {
        /// One line of text.
        message: String,
    },
    /// The stage has ended well, and this is the most memory that it had at any time.
    Memory {
        /// In bytes.
        peak_bytes: u64,
    },
}
