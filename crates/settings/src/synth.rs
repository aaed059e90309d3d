//! Settings of the synthetic corpus.

use serde::{Deserialize, Serialize};

/// Size and difficulty of the synthetic corpus; section `[synth]` of a pipeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SynthSettings {
    /// Seed of every random choice; same settings and seed, same bytes.
    pub seed: u64,
    /// Turns of each speaker, resolved and unresolved, in the four classes and outside them; 12 to
    /// 4000.
    pub turns_per_speaker: usize,
    /// Shortest turn, in seconds; at least 0.7.
    pub min_seconds: f64,
    /// Mean length of a turn, in seconds; lengths are log-normal.
    pub mean_seconds: f64,
    /// Longest turn, in seconds; at most 60.
    pub max_seconds: f64,
    /// Outside evaluators who label every turn; 3 to 9.
    pub annotators: usize,
    /// Mean chance that an annotator's label differs from the true emotion, 0 to 0.35; each annotator
    /// and each emotion has its own rate about this mean (happiness the highest).
    pub annotator_error: f64,
    /// How far emotions move the voice: 1 is moderate, 0 not at all, 2 the most.
    pub expressiveness: f64,
}

impl SynthSettings {
    /// What cannot be used in these settings, and what can; `None` if all is well.
    pub fn fault(&self) -> Option<&'static str> {
        let lengths = [self.min_seconds, self.mean_seconds, self.max_seconds];
        let faults = [
            (
                !(12..=4000).contains(&self.turns_per_speaker),
                "turns_per_speaker: from 12, so that every speaker has all classes, to 4000",
            ),
            (
                !lengths.is_sorted() || self.min_seconds < 0.7 || self.max_seconds > 60.0,
                "min_seconds, mean_seconds, max_seconds: in this order, from 0.7 to 60",
            ),
            (!(3..=9).contains(&self.annotators), "annotators: from 3 to 9"),
            (
                !(0.0..=0.35).contains(&self.annotator_error),
                "annotator_error: from 0 to 0.35; above it the weakest turns cannot be told at all",
            ),
            (!(0.0..=3.0).contains(&self.expressiveness), "expressiveness: from 0 to 3"),
        ];
        faults.into_iter().find_map(|(bad, message)| bad.then_some(message))
    }
}
