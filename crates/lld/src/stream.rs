//! Descriptors of an utterance as its samples come.

use std::sync::Arc;

use pulp::Arch;

use crate::contour::Contour;
use crate::describe::{Describe, Descriptors, margin, span};
use crate::framing::{frame_count, samples};
use crate::lanes::BLOCK;
use crate::pitch::PitchContour;
use crate::signal::Signal;
use crate::{FeatureSet, LldError};

/// Computes a feature set while the samples come, in constant memory.
///
/// Rows come in bursts of 16 frames and trail the samples by what smoothing and deltas look ahead:
/// for `ser32`, a row is there at most 17 steps and a frame (195 ms) after the frame's first sample.
/// [`Stream::rows_due`] and [`Stream::rows_left`] say how many the next call gives. Rows are the same
/// bytes however the samples are cut into pieces, on every instruction set.
///
/// ```
/// use ambivox_lld::{FeatureSet, Stream};
///
/// let mut stream = Stream::new(&FeatureSet::builtin("ser32")?)?;
/// let mut rows = Vec::new();
/// for piece in vec![0.25; 16_000].chunks(1000) {
///     stream.push(piece, &mut rows);
/// }
/// stream.finish(&mut rows);
/// assert_eq!(rows.len(), 98 * stream.width());
/// # Ok::<(), ambivox_lld::LldError>(())
/// ```
#[derive(Clone)]
pub struct Stream {
    columns: Arc<[String]>,
    arch: Arch,
    frame_length: usize,
    step: usize,
    signal: Signal,
    descriptors: Descriptors,
    pitch_contour: PitchContour,
    contour: Contour,
    /// Samples of the utterance and frames described so far.
    samples: usize,
    frames: usize,
}

impl Stream {
    /// Prepares everything that does not depend on the samples. Fails on settings that no
    /// descriptor can be computed with.
    pub fn new(set: &FeatureSet) -> Result<Self, LldError> {
        set.check()?;
        let step = samples(set.step_ms);
        let signal = Signal::new(step, span(set), margin(set));
        let descriptors = Descriptors::new(set, &signal);
        Ok(Self {
            columns: set.columns().into(),
            arch: Arch::new(),
            frame_length: samples(set.frame.length_ms),
            step,
            contour: Contour::new(&set.contour, descriptors.width()),
            signal,
            descriptors,
            pitch_contour: PitchContour::default(),
            samples: 0,
            frames: 0,
        })
    }

    /// Names of the descriptors, in column order.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Number of descriptors per row.
    pub fn width(&self) -> usize {
        self.columns.len()
    }

    /// Number of rows that [`Stream::push`] would append for that many samples.
    pub fn rows_due(&self, samples: usize) -> usize {
        let frames = self.frames + BLOCK * self.signal.blocks(samples);
        self.contour.rows_before_end(frames) - self.contour.rows_before_end(self.frames)
    }

    /// Number of rows that [`Stream::finish`] would append.
    pub fn rows_left(&self) -> usize {
        self.rows_of(self.samples) - self.contour.rows_before_end(self.frames)
    }

    /// Number of rows that an utterance of that many samples has.
    pub fn rows_of(&self, samples: usize) -> usize {
        self.contour.rows(frame_count(samples, self.frame_length, self.step))
    }

    /// Takes the next samples (mono, 16 kHz, full scale ±1, finite; 16-bit samples as s / 32768) and
    /// appends the rows that are complete by them to `out`, row after row. Allocates only where
    /// `out` has no room.
    pub fn push(&mut self, mut samples: &[f32], out: &mut Vec<f32>) {
        self.samples += samples.len();
        while !samples.is_empty() {
            samples = self.signal.fill(self.arch, samples);
            if self.signal.is_full() {
                self.block(BLOCK, out);
            }
        }
    }

    /// Appends the rows that are left to `out`; the next sample begins another utterance.
    pub fn finish(&mut self, out: &mut Vec<f32>) {
        let mut left = frame_count(self.samples, self.frame_length, self.step) - self.frames;
        while left > 0 {
            let count = left.min(BLOCK);
            self.signal.pad();
            self.block(count, out);
            left -= count;
        }
        self.contour.finish(out);
        self.signal.clear();
        self.pitch_contour = PitchContour::default();
        (self.samples, self.frames) = (0, 0);
    }

    /// Describes the first `count` frames of the block.
    fn block(&mut self, count: usize, out: &mut Vec<f32>) {
        let (descriptors, signal) = (&mut self.descriptors, &self.signal);
        self.arch.dispatch(Describe { descriptors, signal, count });
        self.signal.advance();
        self.frames += count;
        self.contour.push(self.descriptors.rows(count, &mut self.pitch_contour), out);
    }
}

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;
