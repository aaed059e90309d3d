//! The encoder of Whisper (Radford et al., 2022), from samples over a log-mel spectrogram to hidden states,
//! fifty a second.

mod config;
mod convolution;
mod mel;

use std::path::Path;

use candle_core::{Device, Tensor};

use crate::layer::Layer;
use crate::norm::LayerNorm;
use crate::scope::Scope;
use crate::weights::Weights;
use crate::{Encoder, EncoderError};
use config::{Config, EPSILON};
use convolution::Convolution;
use mel::{HOP, Mel};

/// Frames of the spectrogram of which one state is made.
const STRIDE: usize = 2;

/// What the encoder is given behind a recording. Whatever that is, states of the recording alone are
/// returned: one for every 320 samples that have begun. A recording that is longer than a window, 30 s, is
/// cut into windows, each worked as a recording of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// Silence up to the end of the window, as Whisper was trained. Attention reaches into it, so that it
    /// changes the states of the recording; and it takes as long as 30 s do.
    Window,
    /// Nothing: the spectrogram ends with the recording's last state.
    Nothing,
}

/// The encoder of a Whisper model.
pub struct Whisper {
    padding: Padding,
    width: usize,
    /// One for each state of a window.
    positions: Vec<f32>,
    mel: Mel,
    first: Convolution,
    second: Convolution,
    layers: Vec<Layer>,
    last: LayerNorm,
}

impl std::fmt::Debug for Whisper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Whisper({} layers of {}, {:?})", self.layers.len(), self.width, self.padding)
    }
}

impl Whisper {
    /// Reads a folder in Hugging Face's form, of `WhisperModel` or `WhisperForConditionalGeneration`:
    /// `config.json` and `model.safetensors`, of any floating-point type. Of the decoder nothing is used.
    ///
    /// # Errors
    /// A file cannot be read, is of another model, or lacks a tensor.
    pub fn open(folder: &Path, padding: Padding) -> Result<Self, EncoderError> {
        let config = Config::read(folder)?;
        let weights = Weights::of(folder)?;
        let prefix =
            if weights.has("encoder.conv1.weight") { "encoder." } else { "model.encoder." };
        let scope = Scope::new(&weights, prefix);
        let (width, bands) = (config.d_model, config.num_mel_bins);
        let form = config.form();
        let layer = |layer| Layer::read(&scope.at(&format!("layers.{layer}")), &form);
        let places = (config.max_source_positions, width);
        Ok(Self {
            padding,
            width,
            positions: scope.values("embed_positions.weight", places)?,
            mel: Mel::new(bands),
            first: Convolution::read(&scope.at("conv1"), [width, bands], 1)?,
            second: Convolution::read(&scope.at("conv2"), [width, width], STRIDE)?,
            layers: (0..config.encoder_layers).map(layer).collect::<Result<_, _>>()?,
            last: LayerNorm::read(&scope.at("layer_norm"), width, EPSILON)?,
        })
    }

    /// Frames of a window's spectrogram.
    fn window(&self) -> usize {
        self.positions.len() / self.width * STRIDE
    }

    /// Appends the hidden states of a window, which has a sample at least, to those of every layer.
    fn append(&self, samples: &[f32], states: &mut [Vec<f32>]) {
        let own = samples.len().div_ceil(STRIDE * HOP);
        let mut mel = self.mel.of(samples, self.window());
        if self.padding == Padding::Nothing {
            mel.truncate(own * STRIDE * mel.len() / self.window());
        }
        let (mut rows, counted) = (self.enter(&mel), own * self.width);
        for (layer, states) in self.layers.iter().zip(&mut *states) {
            states.extend(&rows[..counted]);
            rows = layer.apply(&rows, |_, _, _| ());
        }
        states[self.layers.len()].extend(self.last.of(&rows[..counted]));
    }

    /// What enters the first layer.
    fn enter(&self, mel: &[f32]) -> Vec<f32> {
        let mut rows = self.second.of(&self.first.of(mel));
        rows.iter_mut().zip(&self.positions).for_each(|(value, position)| *value += position);
        rows
    }
}

impl Encoder for Whisper {
    fn layers(&self) -> usize {
        self.layers.len() + 1
    }

    fn width(&self) -> usize {
        self.width
    }

    fn states(&self, samples: &[f32]) -> Result<Vec<Tensor>, EncoderError> {
        if samples.is_empty() {
            return Err(EncoderError::Utterance("there is no sample".to_owned()));
        }
        if let Some(at) = samples.iter().position(|sample| !sample.is_finite()) {
            return Err(EncoderError::Utterance(format!("sample {at} is {}", samples[at])));
        }
        let mut states = vec![Vec::new(); self.layers()];
        for window in samples.chunks(self.window() * HOP) {
            self.append(window, &mut states);
        }
        let tensor = |values: Vec<f32>| {
            let shape = (values.len() / self.width, self.width);
            Ok(Tensor::from_vec(values, shape, &Device::Cpu)?)
        };
        states.into_iter().map(tensor).collect()
    }
}

#[cfg(test)]
mod tests;
