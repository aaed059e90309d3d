//! Settings of the synthetic corpus.

use serde::{Deserialize, Serialize};

/// Size and difficulty of the synthetic corpus; section `[synth]` of a pipeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SynthSettings {
    /// Seed of every random choice; same settings and seed, same bytes.
    pub seed: u64,
    /// Turns of each speaker, resolved and unresolved, in the four classes and outside them.
    pub turns_per_speaker: usize,
    /// Shortest turn, in seconds.
    pub min_seconds: f64,
    /// Mean length of a turn, in seconds; lengths are log-normal.
    pub mean_seconds: f64,
    /// Longest turn, in seconds.
    pub max_seconds: f64,
    /// Outside evaluators who label every turn; at least three.
    pub annotators: usize,
    /// Mean chance that an annotator's label differs from the true emotion, 0 to 1; each annotator
    /// and each emotion has its own rate about this mean (happiness the highest).
    pub annotator_error: f64,
    /// How far emotions move the prosody, in units of the defaults; 1 is moderate, 0 none.
    pub expressiveness: f64,
}
