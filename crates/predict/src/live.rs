//! Predictions while the sound is still coming.

use ambivox_lld::{SAMPLE_RATE, Stream};

use crate::{Ensemble, PredictError, Window};

/// Takes samples as they come and says every `hop` seconds what the last `span` seconds sound like.
///
/// What is kept of the past is `span` seconds of descriptors, however long the sound lasts. A window
/// is said as soon as its last frame is complete: descriptors are computed sixteen frames at a time
/// and look a few frames ahead (§9, §12), so it ends less than 0.3 s before the newest sample.
pub struct Live<'a> {
    ensemble: &'a Ensemble,
    stream: Stream,
    /// Rows of the last `span` frames, and of those that are still to be said.
    pub(crate) rows: Vec<f32>,
    /// Number of the first frame of `rows`.
    first: usize,
    /// Frames at whose number the next window ends.
    due: usize,
    hop: usize,
    span: usize,
}

impl<'a> Live<'a> {
    /// Begins with no sound. A window of less than one frame counts as one frame.
    pub fn new(ensemble: &'a Ensemble, span_s: f64, hop_s: f64) -> Result<Self, PredictError> {
        let frames = |seconds: f64| (seconds / ensemble.step_s()).round().max(1.0) as usize;
        let hop = frames(hop_s);
        Ok(Self {
            ensemble,
            stream: Stream::new(ensemble.feature_set().ok_or(PredictError::NoStream)?)?,
            rows: Vec::new(),
            first: 0,
            due: hop,
            hop,
            span: frames(span_s),
        })
    }

    /// Samples of one hop: as many as are worth waiting for before [`Live::push`].
    pub fn samples_per_hop(&self) -> usize {
        (self.hop as f64 * self.ensemble.step_s() * f64::from(SAMPLE_RATE)) as usize
    }

    /// Takes the next samples (mono, 16 kHz, full scale ±1, finite) and returns the windows that are
    /// complete by them.
    pub fn push(&mut self, samples: &[f32]) -> Result<Vec<Window>, PredictError> {
        self.stream.push(samples, &mut self.rows);
        let mut said = Vec::new();
        while self.end() >= self.due {
            said.push(self.say(self.due)?);
            self.due += self.hop;
            self.forget();
        }
        Ok(said)
    }

    /// The sound has ended: returns what is left of it, if a frame has come since the last window.
    pub fn finish(mut self) -> Result<Vec<Window>, PredictError> {
        let mut rows = std::mem::take(&mut self.rows);
        self.stream.finish(&mut rows);
        self.rows = rows;
        let mut said = self.push(&[])?;
        if self.end() > self.due - self.hop {
            said.push(self.say(self.end())?);
        }
        Ok(said)
    }

    /// Number of the frame after the last that is complete.
    fn end(&self) -> usize {
        self.first + self.rows.len() / self.stream.width()
    }

    /// The window that ends before the frame of this number.
    fn say(&self, end: usize) -> Result<Window, PredictError> {
        let width = self.stream.width();
        let start = end.saturating_sub(self.span).max(self.first);
        let rows = &self.rows[(start - self.first) * width..(end - self.first) * width];
        Ok(self.ensemble.windows(&[rows], &[start])?.swap_remove(0))
    }

    /// Drops the rows that no later window has.
    fn forget(&mut self) {
        let keep = self.due.saturating_sub(self.span).clamp(self.first, self.end());
        self.rows.drain(..(keep - self.first) * self.stream.width());
        self.first = keep;
    }
}
