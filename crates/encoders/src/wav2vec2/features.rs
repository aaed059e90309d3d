//! Samples to frames: the feature extractor's convolutions over time, each with GELU.

use ambivox_nn::{Matrix, product_into};

use super::config::Config;
use crate::EncoderError;
use crate::activation::Gelu;
use crate::norm::{ChannelNorm, LayerNorm};
use crate::rows::{Add, for_rows};
use crate::scope::{Scope, flat};

/// What stands between a convolution and its GELU.
#[derive(Debug)]
enum Norm {
    None,
    /// Each channel over all frames.
    Channels(ChannelNorm),
    /// Each frame over its channels.
    Frames(LayerNorm),
}

/// A convolution over time, with its norm and GELU.
///
/// Values lie frame by frame; so the window of an output frame is one run of memory, the windows are a
/// matrix whose rows overlap, and the convolution is one product with nothing copied.
#[derive(Debug)]
struct Convolution {
    /// Kernel × inputs, by outputs.
    weight: Vec<f32>,
    bias: Option<Vec<f32>>,
    norm: Norm,
    inputs: usize,
    outputs: usize,
    kernel: usize,
    stride: usize,
}

impl Convolution {
    fn read(scope: &Scope, config: &Config, layer: usize) -> Result<Self, EncoderError> {
        let outputs = config.conv_dim[layer];
        let inputs = if layer == 0 { 1 } else { config.conv_dim[layer - 1] };
        let (kernel, stride) = (config.conv_kernel[layer], config.conv_stride[layer]);
        let conv = scope.at("conv");
        let weight = conv.tensor("weight", (outputs, inputs, kernel))?.permute((2, 1, 0))?;
        let bias = config.conv_bias.then(|| conv.values("bias", outputs)).transpose()?;
        let norm = norm(&scope.at("layer_norm"), &config.feat_extract_norm, layer, outputs)?;
        Ok(Self { weight: flat(&weight)?, bias, norm, inputs, outputs, kernel, stride })
    }

    fn apply(&self, values: &[f32]) -> Vec<f32> {
        let frames = (values.len() / self.inputs - self.kernel) / self.stride + 1;
        let sizes = [frames, self.kernel * self.inputs];
        let windows = Matrix::strided(values, sizes, [self.stride * self.inputs, 1]);
        let mut out = vec![0.0; frames * self.outputs];
        let weight = Matrix::new(&self.weight, self.outputs);
        product_into(&mut out, windows, weight, false, rayon::current_num_threads());
        self.activate(&mut out);
        out
    }

    fn activate(&self, values: &mut [f32]) {
        let bias = Add(self.bias.as_deref().unwrap_or_default());
        match &self.norm {
            // The norm takes away what is added to a channel throughout.
            Norm::Channels(norm) => norm.apply(values, Gelu),
            Norm::Frames(norm) => for_rows(values, self.outputs, (bias, (norm, Gelu))),
            Norm::None => for_rows(values, self.outputs, (bias, Gelu)),
        }
    }
}

/// The norms of the feature extractor have 10⁻⁵ in `transformers`, whatever `layer_norm_eps` is.
fn norm(scope: &Scope, name: &str, layer: usize, width: usize) -> Result<Norm, EncoderError> {
    match (name, layer) {
        ("layer", _) => LayerNorm::read(scope, width, 1e-5).map(Norm::Frames),
        (_, 0) => ChannelNorm::read(scope, width, 1e-5).map(Norm::Channels),
        _ => Ok(Norm::None),
    }
}

/// The feature extractor.
#[derive(Debug)]
pub(super) struct Features(Vec<Convolution>);

impl Features {
    pub(super) fn read(scope: &Scope, config: &Config) -> Result<Self, EncoderError> {
        let scope = scope.at("conv_layers");
        let layer = |layer| Convolution::read(&scope.at(&format!("{layer}")), config, layer);
        (0..config.conv_dim.len()).map(layer).collect::<Result<_, _>>().map(Self)
    }

    /// Frames × channels of the samples, which are enough for one frame.
    pub(super) fn apply(&self, samples: &[f32]) -> Vec<f32> {
        let first = self.0[0].apply(samples);
        self.0[1..].iter().fold(first, |values, layer| layer.apply(&values))
    }
}
