//! Sound, and the descriptions of what is computed from it.

use std::path::Path;

use ambivox_audio::{Cut, decode};
use ambivox_lld::{Extractor, FeatureSet};

/// Samples of the sound that a feature set is tried on.
const SAMPLES: usize = 8000;

/// Audio files of all formats: what is decoded is sound.
pub fn audio(bytes: &[u8]) {
    if let Ok(samples) = decode(bytes, Path::new("fuzzed"), Cut::default()) {
        assert!(!samples.is_empty());
        assert!(samples.iter().all(|sample| sample.is_finite()));
    }
}

/// Feature sets, which a checkpoint brings along: one that is accepted can be computed.
pub fn feature_set(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let Ok(set) = FeatureSet::from_toml(text) else { return };
    let Ok(mut extractor) = Extractor::new(&set) else { return };
    let sound: Vec<f32> = (0..SAMPLES).map(|n| 0.5 * (0.1 * n as f32).sin()).collect();
    let frames = extractor.process(&sound);
    assert_eq!(frames.width(), set.columns().len());
    assert_eq!(frames.data().len(), frames.len() * frames.width());
}
