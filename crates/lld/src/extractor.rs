//! From the samples of an utterance to its table of descriptors.

use std::sync::Arc;

use crate::contour::{smooth, with_deltas};
use crate::energy::RmsEnergy;
use crate::framing::{frame_count, rescale, samples};
use crate::lags::Lags;
use crate::layout::{Layout, Others};
use crate::loudness::Loudness;
use crate::mfcc::Mfcc;
use crate::pitch::{FramePitch, PitchContour, PitchFinder};
use crate::set::{ContourSettings, FeatureSet};
use crate::spectrum::{Spectrum, transform_points};
use crate::zcr::zero_crossing_rate;
use crate::{Frames, LldError};

/// Computes a feature set. Tables and buffers are made once and used for every utterance; nothing
/// of one utterance is left in the next. Clone one for every thread.
#[derive(Clone)]
pub struct Extractor {
    columns: Arc<[String]>,
    frame_length: usize,
    step: usize,
    spectrum: Spectrum,
    mfcc: Mfcc,
    energy: Energy,
    pitch: Pitch,
    layout: Layout,
    contour: ContourSettings,
    /// The utterance in openSMILE's scale, between as many zeros on both sides as pitch frames
    /// reach beyond it.
    signal: Vec<f32>,
}

/// The set's measure of energy.
#[derive(Clone)]
enum Energy {
    Loudness(Loudness),
    Rms(RmsEnergy),
}

impl Energy {
    fn new(set: &FeatureSet) -> Self {
        match &set.loudness {
            Some(settings) => {
                Self::Loudness(Loudness::new(settings.samples, samples(set.frame.length_ms)))
            }
            None => Self::Rms(RmsEnergy::new(&set.frame)),
        }
    }

    /// Of a raw frame.
    fn of(&mut self, frame: &[f32]) -> f32 {
        match self {
            Self::Loudness(loudness) => loudness.of(frame),
            Self::Rms(energy) => energy.of(frame),
        }
    }
}

/// F0 and voicing of one frame, from a spectrum of its own or from that of the other descriptors.
#[derive(Clone)]
struct Pitch {
    /// `None` where the frames are those of the other descriptors.
    spectrum: Option<Spectrum>,
    frame_length: usize,
    lags: Lags,
    finder: PitchFinder,
}

impl Pitch {
    fn new(set: &FeatureSet) -> Self {
        let points = transform_points(&set.pitch.frame);
        Self {
            spectrum: (set.pitch.frame != set.frame).then(|| Spectrum::new(&set.pitch.frame)),
            frame_length: samples(set.pitch.frame.length_ms),
            lags: Lags::new(points),
            finder: PitchFinder::new(&set.pitch, points),
        }
    }

    /// `frame` is the pitch frame, `shared` the spectrum of the other descriptors' frame.
    fn find(&mut self, frame: &[f32], shared: &Spectrum) -> FramePitch {
        let power = match &mut self.spectrum {
            Some(own) => {
                own.take(frame);
                own.power()
            }
            None => shared.power(),
        };
        self.lags.take(power);
        self.finder.find(&self.lags)
    }
}

impl Extractor {
    /// Prepares everything that does not depend on the samples. Fails on settings that no
    /// descriptor can be computed with.
    pub fn new(set: &FeatureSet) -> Result<Self, LldError> {
        set.check()?;
        Ok(Self {
            columns: set.columns().into(),
            frame_length: samples(set.frame.length_ms),
            step: samples(set.step_ms),
            spectrum: Spectrum::new(&set.frame),
            mfcc: Mfcc::new(&set.mfcc, transform_points(&set.frame)),
            energy: Energy::new(set),
            pitch: Pitch::new(set),
            layout: set.layout,
            contour: set.contour.clone(),
            signal: Vec::new(),
        })
    }

    /// The descriptors of an utterance: mono, 16 kHz, full scale ±1, 16-bit samples as s / 32768.
    ///
    /// N samples give ⌊(N - frame) / step⌋ + 1 rows, none where N is less than one frame; smoothing
    /// over w frames adds ⌊w / 2⌋ rows. Samples must be finite.
    pub fn process(&mut self, samples: &[f32]) -> Frames {
        let width = self.mfcc.width() + Others::COUNT;
        let statics = self.statics(samples, width);
        let ContourSettings { smoothing, delta_half_width } = self.contour;
        let smoothed = smooth(statics, width, smoothing);
        let data = with_deltas(&smoothed, width, delta_half_width, smoothing / 2);
        Frames::new(Arc::clone(&self.columns), data)
    }

    /// Frames × `width` values, before smoothing.
    fn statics(&mut self, samples: &[f32], width: usize) -> Vec<f32> {
        self.load(samples);
        let mut statics =
            vec![0.0; width * frame_count(samples.len(), self.frame_length, self.step)];
        let mut contour = PitchContour::default();
        for (index, row) in statics.chunks_exact_mut(width).enumerate() {
            self.describe(index * self.step, &mut contour, row);
        }
        statics
    }

    /// Zeros before and after the utterance where pitch frames are the longer ones.
    fn margin(&self) -> usize {
        self.pitch.frame_length.saturating_sub(self.frame_length) / 2
    }

    fn load(&mut self, samples: &[f32]) {
        let margin = self.margin();
        self.signal.clear();
        self.signal.resize(margin, 0.0);
        self.signal.extend(samples.iter().copied().map(rescale));
        self.signal.resize(samples.len() + 2 * margin, 0.0);
    }

    /// Fills the row of the frame that begins at sample `start`.
    fn describe(&mut self, start: usize, contour: &mut PitchContour, row: &mut [f32]) {
        let begin = start + self.margin();
        let frame = &self.signal[begin..][..self.frame_length];
        let centred = begin + self.frame_length / 2 - self.pitch.frame_length / 2;
        let pitch_frame = &self.signal[centred..][..self.pitch.frame_length];

        self.spectrum.take(frame);
        let pitch = self.pitch.find(pitch_frame, &self.spectrum);
        let others = Others {
            energy: self.energy.of(frame),
            f0: contour.next(pitch.hz),
            voicing: pitch.voicing,
            zcr: zero_crossing_rate(frame),
        };
        self.mfcc.apply(&self.spectrum, self.layout.place(row, &others));
    }
}

#[cfg(test)]
#[path = "extractor_tests.rs"]
mod tests;
