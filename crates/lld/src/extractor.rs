//! From the samples of an utterance to its table of descriptors.

use std::sync::Arc;

use crate::{FeatureSet, Frames, LldError, Stream};

/// Computes a feature set of whole utterances. Tables and buffers are made once and used for every
/// utterance; nothing of one utterance is left in the next. Clone one for every thread.
#[derive(Clone)]
pub struct Extractor {
    columns: Arc<[String]>,
    stream: Stream,
}

impl Extractor {
    /// Prepares everything that does not depend on the samples. Fails on settings that no
    /// descriptor can be computed with.
    pub fn new(set: &FeatureSet) -> Result<Self, LldError> {
        Ok(Self { columns: set.columns().into(), stream: Stream::new(set)? })
    }

    /// The descriptors of an utterance: mono, 16 kHz, full scale ±1, 16-bit samples as s / 32768.
    ///
    /// N samples give ⌊(N - frame) / step⌋ + 1 rows, none where N is less than one frame; smoothing
    /// over w frames adds ⌊w / 2⌋ rows. Samples must be finite.
    pub fn process(&mut self, samples: &[f32]) -> Frames {
        let rows = self.stream.rows_of(samples.len());
        let mut data = Vec::with_capacity(rows * self.columns.len());
        self.stream.push(samples, &mut data);
        self.stream.finish(&mut data);
        Frames::new(Arc::clone(&self.columns), data)
    }
}

#[cfg(test)]
#[path = "extractor_tests.rs"]
mod tests;
