//! A bundle's networks, and what they say of a recording.

use std::path::{Path, PathBuf};

use ambivox_artifacts::StatMemo;
use ambivox_lld::{Extractor, FeatureSet, SAMPLE_RATE};
use ambivox_model::{Checkpoint, Prediction};
use ambivox_settings::{Bundle, BundledNetwork, FeatureSetText};
use serde::Serialize;

use crate::{PredictError, windows};

/// Networks that predict together: their probabilities and their attention are averaged.
pub struct Ensemble {
    bundle: Bundle,
    members: Vec<Checkpoint>,
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
    /// Probability of every class.
    pub probabilities: Vec<f64>,
    /// Middle of the frame that the networks attended to most.
    pub peak_s: f64,
    /// Attention weights αₜ (eq. 1), one per frame, which begin `step_s` apart; their sum is 1.
    pub attention: Vec<f32>,
}

impl Ensemble {
    /// Reads a bundle. It is an error, which names the file, unless every network is the one that
    /// was bundled, by its digest, and all know the same classes and descriptors.
    pub fn load(folder: &Path) -> Result<Self, PredictError> {
        let bundle = Bundle::read(folder)?;
        let file = |network: &BundledNetwork| folder.join(&network.file);
        let load = |network| load(file(network), network);
        let members = bundle.networks.iter().map(load).collect::<Result<Vec<_>, _>>()?;
        let set = feature_set(&members[0].feature_set)?;
        for (network, member) in bundle.networks.iter().zip(&members) {
            alike(&members[0], member, &set)
                .map_err(|message| PredictError::Unlike { file: file(network), message })?;
        }
        Ok(Self { bundle, members, extractor: Extractor::new(&set)?, set })
    }

    /// What the bundle says of itself.
    pub fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    /// Names of the classes, in the order of all probabilities.
    pub fn classes(&self) -> &[String] {
        &self.members[0].classes
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
            let share = |w: &Window| w.attention.len() as f64 / frames * w.probabilities[c];
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
        let said = self.members.iter().map(|member| predict(member, parts));
        let said = said.collect::<Result<Vec<_>, _>>()?;
        let window = |(i, &start): (usize, &usize)| {
            let of_window: Vec<&Prediction> = said.iter().map(|of_member| &of_member[i]).collect();
            self.window(start, &of_window)
        };
        Ok(starts.iter().enumerate().map(window).collect())
    }

    fn window(&self, start: usize, said: &[&Prediction]) -> Window {
        let probabilities = mean(said.iter().map(|p| p.probabilities()));
        let attention = said.iter().map(|p| p.attention.iter().copied().map(f64::from).collect());
        let attention: Vec<f32> = mean(attention).into_iter().map(|a| a as f32).collect();
        let time = |frame: usize| frame as f64 * self.step_s();
        let peak = (0..attention.len())
            .fold(0, |peak, t| if attention[t] > attention[peak] { t } else { peak });
        Window {
            start_s: time(start),
            end_s: time(start + attention.len() - 1) + self.frame_s(),
            peak_s: time(start + peak) + self.frame_s() / 2.0,
            probabilities,
            attention,
        }
    }

    fn frame_s(&self) -> f64 {
        f64::from(self.set.frame.length_ms) / 1000.0
    }
}

fn load(file: PathBuf, network: &BundledNetwork) -> Result<Checkpoint, PredictError> {
    let found = StatMemo::in_memory().file(&file)?.digest.to_string();
    if found != network.digest {
        return Err(PredictError::Changed { file, found, expected: network.digest.clone() });
    }
    Ok(Checkpoint::load(&file)?)
}

fn feature_set(text: &FeatureSetText) -> Result<FeatureSet, PredictError> {
    Ok(match text {
        FeatureSetText::Builtin(name) => FeatureSet::builtin(name)?,
        FeatureSetText::Toml(text) => FeatureSet::from_toml(text)?,
    })
}

/// What keeps a network from predicting together with the first, if anything does.
fn alike(first: &Checkpoint, other: &Checkpoint, set: &FeatureSet) -> Result<(), String> {
    if other.classes != first.classes {
        return Err(format!("its classes are {:?}, not {:?}", other.classes, first.classes));
    }
    if other.feature_set != first.feature_set {
        return Err("it reads another feature set than the first network".to_owned());
    }
    let (inputs, columns) = (other.network.inputs(), set.columns().len());
    if inputs != columns {
        return Err(format!("it reads {inputs} values a frame; the feature set has {columns}"));
    }
    Ok(())
}

/// What one network says of rows of descriptors.
fn predict(member: &Checkpoint, parts: &[&[f32]]) -> Result<Vec<Prediction>, PredictError> {
    let normalised: Vec<Vec<f32>> = parts.iter().map(|rows| normalise(member, rows)).collect();
    let parts: Vec<&[f32]> = normalised.iter().map(Vec::as_slice).collect();
    Ok(member.network.predict(&parts)?)
}

fn normalise(member: &Checkpoint, rows: &[f32]) -> Vec<f32> {
    let columns = member.normalisation.mean.iter().zip(&member.normalisation.sd).cycle();
    rows.iter().zip(columns).map(|(value, (mean, sd))| (value - mean) / sd).collect()
}

/// The mean of vectors of one length, of which there is at least one.
fn mean(mut vectors: impl ExactSizeIterator<Item = Vec<f64>>) -> Vec<f64> {
    let count = vectors.len() as f64;
    let mut sum = vectors.next().unwrap_or_default();
    for vector in vectors {
        sum.iter_mut().zip(vector).for_each(|(sum, value)| *sum += value);
    }
    sum.into_iter().map(|sum| sum / count).collect()
}
