//! A bundle's networks, and what they say of a recording.

use std::path::Path;

use ambivox_lld::{Extractor, FeatureSet, SAMPLE_RATE};
use ambivox_settings::Bundle;
use serde::Serialize;

use crate::networks::{Networks, Said};
use crate::{PredictError, windows};

/// Networks that predict together: their probabilities and their attention are averaged.
pub struct Ensemble {
    bundle: Bundle,
    networks: Networks,
    set: FeatureSet,
    /// Made once, cloned for every recording.
    extractor: Extractor,
}

/// What an ensemble says of a recording.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Analysis {
    /// Length of the recording.
    pub duration_s: f64,
    /// Probability of every class: the mean of the windows', each counting by its length.
    pub probabilities: Vec<f64>,
    /// The windows, one after the other.
    pub windows: Vec<Window>,
}

/// What an ensemble says of a part of a recording.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Window {
    /// Where it starts.
    pub start_s: f64,
    /// Where its last frame ends.
    pub end_s: f64,
    /// Frames in it.
    pub frames: usize,
    /// Probability of every class.
    pub probabilities: Vec<f64>,
    /// Where the networks attended to; none where they read functionals, which have no time.
    pub attention: Option<Attention>,
}

/// Where the networks attended to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Attention {
    /// Middle of the frame that they attended to most.
    pub peak_s: f64,
    /// Attention weights αₜ (eq. 1), one per frame, which begin `step_s` apart; their sum is 1.
    pub weights: Vec<f32>,
}

impl Ensemble {
    /// Reads a bundle. It is an error, which names the file, unless every network is the one that
    /// was bundled, by its digest, and all know the same classes and descriptors.
    pub fn load(folder: &Path) -> Result<Self, PredictError> {
        if !folder.is_dir() {
            return Err(PredictError::NoFolder(folder.to_owned()));
        }
        let bundle = Bundle::read(folder)?;
        let (networks, set) = Networks::load(folder, &bundle)?;
        Ok(Self { bundle, networks, extractor: Extractor::new(&set)?, set })
    }

    /// What the bundle says of itself.
    pub fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    /// Names of the classes, in the order of all probabilities.
    pub fn classes(&self) -> &[String] {
        self.networks.classes()
    }

    /// Whether the networks attend to frames; those that read functionals do not.
    pub fn attends(&self) -> bool {
        self.networks.have_attention()
    }

    /// The descriptors that the networks read.
    pub fn feature_set(&self) -> &FeatureSet {
        &self.set
    }

    /// From the start of one frame to that of the next, in seconds.
    pub fn step_s(&self) -> f64 {
        f64::from(self.set.step_ms) / 1000.0
    }

    /// Analyses a recording (mono, 16 kHz, full scale ±1, finite) in windows of at most `longest_s`
    /// seconds. It is an error if the recording is shorter than one frame.
    pub fn analyse(&self, samples: &[f32], longest_s: f64) -> Result<Analysis, PredictError> {
        let duration_s = samples.len() as f64 / f64::from(SAMPLE_RATE);
        let rows = self.extractor.clone().process(samples);
        if rows.is_empty() {
            return Err(PredictError::Short { duration_s, frame_s: self.frame_s() });
        }
        let longest = (longest_s / self.step_s()).round().max(1.0) as usize;
        let cut = windows(rows.len(), longest);
        let starts: Vec<usize> = cut.iter().map(|window| window.start).collect();
        let width = rows.width();
        let values = rows.data();
        let parts: Vec<&[f32]> =
            cut.iter().map(|part| &values[part.start * width..part.end * width]).collect();
        let windows = self.windows(&parts, &starts)?;
        let frames = rows.len() as f64;
        let mean = |c: usize| {
            let share = |w: &Window| w.frames as f64 / frames * w.probabilities[c];
            windows.iter().map(share).sum()
        };
        let probabilities = (0..self.classes().len()).map(mean).collect();
        Ok(Analysis { duration_s, probabilities, windows })
    }

    /// What the networks say of rows of descriptors, each part row-major frames × width; `starts`
    /// are the numbers of their first frames.
    pub(crate) fn windows(
        &self,
        parts: &[&[f32]],
        starts: &[usize],
    ) -> Result<Vec<Window>, PredictError> {
        let said = self.networks.say(parts)?;
        let frames = parts.iter().map(|part| part.len() / self.set.columns().len());
        let windows = starts.iter().zip(frames).zip(said);
        Ok(windows.map(|((&start, frames), said)| self.window(start, frames, said)).collect())
    }

    fn window(&self, start: usize, frames: usize, said: Said) -> Window {
        let time = |frame: usize| frame as f64 * self.step_s();
        let attention = said.attention.map(|weights| {
            let peak = (0..weights.len())
                .fold(0, |peak, t| if weights[t] > weights[peak] { t } else { peak });
            Attention { peak_s: time(start + peak) + self.frame_s() / 2.0, weights }
        });
        Window {
            start_s: time(start),
            end_s: time(start + frames - 1) + self.frame_s(),
            frames,
            probabilities: said.probabilities,
            attention,
        }
    }

    /// Length of a frame, in seconds.
    pub fn frame_s(&self) -> f64 {
        f64::from(self.set.frame.length_ms) / 1000.0
    }
}
