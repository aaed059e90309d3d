//! Encoders of the wav2vec2 family: wav2vec 2.0 (Baevski et al. 2020), HuBERT (Hsu et al. 2021), which
//! is the same network trained otherwise, and WavLM (Chen et al. 2022), whose attention has a bias by
//! distance.
//!
//! ```text
//! samples ─ convolutions ─ norm, linear ─ + positional convolution ─ (norm) ─ layers ─ (norm)
//! ```
//!
//! The first norm in brackets is of the models with norms after attention, the second of those with
//! norms before it (`do_stable_layer_norm`). The last hidden state is what the network gives, with that
//! second norm: `last_hidden_state` of `transformers`, and `hidden_states[-1]` of it up to version 4;
//! since version 5 that one lacks the norm.

mod config;
mod features;
mod positions;
mod relative;
#[cfg(test)]
mod tests;

use std::path::Path;

use candle_core::{Device, Tensor};

use self::config::{Config, normalises};
use self::features::Features;
use self::positions::Positions;
use self::relative::{Distances, Gates};
use crate::layer::Layer;
use crate::linear::Linear;
use crate::norm::LayerNorm;
use crate::open::{ConfigFile, Description};
use crate::rows::sum;
use crate::scope::Scope;
use crate::weights::Weights;
use crate::{Encoder, EncoderError};

/// What names of tensors may begin with: a model with a head for some task keeps this one as a part.
const PREFIXES: [&str; 4] = ["", "wav2vec2.", "hubert.", "wavlm."];

/// What a `config.json` says.
pub(crate) fn describe(file: &ConfigFile) -> Result<Description, EncoderError> {
    let config = Config::of(file)?;
    Ok(Description {
        model_type: file.model_type()?,
        layers: config.num_hidden_layers + 1,
        width: config.hidden_size,
        step: config.step(),
        length: config.length(),
    })
}

/// The encoder of a folder.
pub(crate) fn open(folder: &Path, file: &ConfigFile) -> Result<Box<dyn Encoder>, EncoderError> {
    let config = Config::of(file)?;
    let is_normalised = normalises(folder, file.model_type()?)?;
    let weights = Weights::of(folder)?;
    let has =
        |prefix: &&&str| weights.has(&format!("{prefix}feature_projection.projection.weight"));
    let prefix = PREFIXES.iter().find(has).unwrap_or(&"");
    let scope = Scope::new(&weights, prefix);
    let network = Network::read(&scope, config, file.model_type()? == "wavlm", is_normalised)?;
    Ok(Box::new(network))
}

#[derive(Debug)]
struct Network {
    config: Config,
    is_normalised: bool,
    features: Features,
    norm_of_features: LayerNorm,
    projection: Linear,
    positions: Positions,
    distances: Option<Distances>,
    norm: LayerNorm,
    layers: Vec<Layer>,
    /// Of each layer, where there are distances.
    gates: Vec<Gates>,
}

impl Network {
    fn read(
        scope: &Scope,
        config: Config,
        is_gated: bool,
        is_normalised: bool,
    ) -> Result<Self, EncoderError> {
        let (width, eps) = (config.hidden_size, config.layer_norm_eps);
        let channels = config.conv_dim[config.conv_dim.len() - 1];
        let (projection, encoder) = (scope.at("feature_projection"), scope.at("encoder"));
        let layer = |i: usize| encoder.at("layers").at(&i.to_string());
        let distances = || Distances::read(&layer(0).at("attention"), &config);
        let form = config.form();
        let numbers = 0..config.num_hidden_layers;
        let layers = numbers.clone().map(|i| Layer::read(&layer(i), &form));
        let gates =
            numbers.filter(|_| is_gated).map(|i| Gates::read(&layer(i).at("attention"), &config));
        Ok(Self {
            is_normalised,
            features: Features::read(&scope.at("feature_extractor"), &config)?,
            norm_of_features: LayerNorm::read(&projection.at("layer_norm"), channels, eps)?,
            projection: Linear::read(&projection.at("projection"), channels, width)?,
            positions: Positions::read(&encoder.at("pos_conv_embed").at("conv"), &config)?,
            distances: is_gated.then(distances).transpose()?,
            norm: LayerNorm::read(&encoder.at("layer_norm"), width, eps)?,
            layers: layers.collect::<Result<_, _>>()?,
            gates: gates.collect::<Result<_, _>>()?,
            config,
        })
    }

    /// What enters the first layer.
    fn entry(&self, samples: &[f32]) -> Vec<f32> {
        let mut features = if self.is_normalised {
            self.features.apply(&normalised(samples))
        } else {
            self.features.apply(samples)
        };
        self.norm_of_features.apply(&mut features);
        let mut frames = self.projection.apply(&features, ());
        self.positions.add_to(&mut frames);
        if !self.config.do_stable_layer_norm {
            self.norm.apply(&mut frames);
        }
        frames
    }

    /// All hidden states, each frames × width.
    fn hidden(&self, samples: &[f32]) -> Vec<Vec<f32>> {
        let mut states = vec![self.entry(samples)];
        let width = self.config.hidden_size;
        let frames = states[0].len() / width;
        let biases = self.distances.as_ref().map_or(vec![], |distances| distances.biases(frames));
        for (i, layer) in self.layers.iter().enumerate() {
            let gates = self.gates.get(i);
            let next = layer.apply(&states[i], |scores, place @ [head, query], x| {
                if let Some(gates) = gates {
                    gates.add_to(scores, place, &x[query * width..][..width], &biases[head]);
                }
            });
            states.push(next);
        }
        if self.config.do_stable_layer_norm {
            self.norm.apply(&mut states[self.layers.len()]);
        }
        states
    }
}

/// Samples of a recording at most, five minutes: the first convolution takes ten megabytes a second.
const LONGEST: usize = 300 * 16_000;

impl Encoder for Network {
    fn layers(&self) -> usize {
        self.layers.len() + 1
    }

    fn width(&self) -> usize {
        self.config.hidden_size
    }

    fn states(&self, samples: &[f32]) -> Result<Vec<Tensor>, EncoderError> {
        let (given, least) = (samples.len(), self.config.length());
        if given < least {
            let message = format!("{given} samples are too few: one frame takes {least} at 16 kHz");
            return Err(EncoderError::Utterance(message));
        }
        if given > LONGEST {
            let message = format!(
                "{given} samples are more than the {LONGEST} that fit in memory; cut the recording"
            );
            return Err(EncoderError::Utterance(message));
        }
        all_finite(samples, "a sample of the audio")?;
        let width = self.config.hidden_size;
        let tensor = |values: Vec<f32>| {
            all_finite(&values, "a value of a hidden state")?;
            let frames = values.len() / width;
            Ok(Tensor::from_vec(values, (frames, width), &Device::Cpu)?)
        };
        self.hidden(samples).into_iter().map(tensor).collect()
    }
}

fn all_finite(values: &[f32], what: &str) -> Result<(), EncoderError> {
    if values.iter().all(|value| value.is_finite()) {
        return Ok(());
    }
    Err(EncoderError::Utterance(format!("{what} is not a finite number")))
}

/// Samples to mean 0 and variance 1, as `Wav2Vec2FeatureExtractor` has it.
fn normalised(samples: &[f32]) -> Vec<f32> {
    let count = samples.len() as f64;
    let mean = sum(samples, |x| x) / count;
    let variance = sum(samples, |x| (x - mean) * (x - mean)) / count;
    let scale = (variance + 1e-7).sqrt().recip();
    samples.iter().map(|&x| ((f64::from(x) - mean) * scale) as f32).collect()
}
