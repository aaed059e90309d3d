//! A bundle's networks, and what they say of a recording.

use std::path::Path;

use ambivox_lld::{FeatureSet, SAMPLE_RATE};
use ambivox_settings::Bundle;
use serde::Serialize;

use crate::networks::{Networks, Said};
use crate::reader::{Part, Reader};
use crate::{Encoders, PredictError};

/// Networks that predict together: their probabilities and their attention are averaged.
pub struct Ensemble {
    bundle: Bundle,
    networks: Networks,
    reader: Reader,
    /// Values of a row.
    width: usize,
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
    /// was bundled, by its digest, and all know the same classes and descriptors; and unless the encoder
    /// whose hidden states they read, where they do, is found among `encoders`.
    pub fn load(folder: &Path, encoders: Encoders<'_>) -> Result<Self, PredictError> {
        if !folder.is_dir() {
            return Err(PredictError::NoFolder(folder.to_owned()));
        }
        let bundle = Bundle::read(folder)?;
        let (networks, reader) = Networks::load(folder, &bundle, encoders)?;
        Ok(Self { bundle, networks, width: reader.columns().len(), reader })
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

    /// The descriptors that the networks read; none where they read an encoder's hidden states.
    pub fn feature_set(&self) -> Option<&FeatureSet> {
        match &self.reader {
            Reader::Descriptors(lld) => Some(&lld.0),
            Reader::Whole(_) => None,
        }
    }

    /// From the start of one frame to that of the next, in seconds.
    pub fn step_s(&self) -> f64 {
        self.reader.step_s()
    }

    /// Analyses a recording (mono, 16 kHz, full scale ±1, finite) in windows of at most `longest_s`
    /// seconds. It is an error if the recording is shorter than one frame.
    pub fn analyse(&self, samples: &[f32], longest_s: f64) -> Result<Analysis, PredictError> {
        let duration_s = samples.len() as f64 / f64::from(SAMPLE_RATE);
        let longest = (longest_s / self.step_s()).round().max(1.0) as usize;
        let parts = self.reader.parts(samples, longest)?;
        if parts.is_empty() {
            return Err(PredictError::Short { duration_s, frame_s: self.frame_s() });
        }
        let (starts, rows): (Vec<usize>, Vec<&[f32]>) =
            parts.iter().map(|Part { start, rows }| (*start, rows.as_slice())).unzip();
        let windows = self.windows(&rows, &starts)?;
        let frames = windows.iter().map(|window| window.frames as f64).sum::<f64>();
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
        let frames = parts.iter().map(|part| part.len() / self.width);
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
        self.reader.frame_s()
    }
}
