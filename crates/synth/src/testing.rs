//! What several tests need.

use ambivox_settings::SynthSettings;

/// Settings of a small corpus.
pub(crate) fn settings() -> SynthSettings {
    SynthSettings {
        seed: 20,
        turns_per_speaker: 30,
        min_seconds: 0.8,
        mean_seconds: 1.5,
        max_seconds: 4.0,
        annotators: 3,
        annotator_error: 0.25,
        expressiveness: 1.0,
    }
}
