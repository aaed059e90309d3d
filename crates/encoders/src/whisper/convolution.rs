//! Convolutions over time, whose outputs go through GELU.

use ambivox_nn::Matrix;

use crate::EncoderError;
use crate::activation::Gelu;
use crate::linear::Linear;
use crate::scope::{Scope, flat};

/// A convolution over time with three taps, the middle one at the frame itself; frames before the first and
/// after the last are 0.
pub(crate) struct Convolution {
    /// Its weights are (taps × inputs) × outputs.
    linear: Linear,
    channels: usize,
    stride: usize,
}

/// Taps of a convolution.
const TAPS: usize = 3;

impl Convolution {
    /// The layer of tensors `weight` and `bias`.
    pub(crate) fn read(
        scope: &Scope,
        [outputs, inputs]: [usize; 2],
        stride: usize,
    ) -> Result<Self, EncoderError> {
        let weight = scope.tensor("weight", (outputs, inputs, TAPS))?.permute((2, 1, 0))?;
        let linear = Linear { weight: flat(&weight)?, bias: scope.values("bias", outputs)? };
        Ok(Self { linear, channels: inputs, stride })
    }

    /// The outputs of these frames: one for each `stride` of them, beginning with the first.
    pub(crate) fn of(&self, frames: &[f32]) -> Vec<f32> {
        let count = (frames.len() / self.channels).div_ceil(self.stride);
        let edge = vec![0.0; self.channels];
        let padded = [&edge, frames, &edge].concat();
        // A frame lies beside its neighbours, so the values under the taps are a row as they are.
        let sizes = [count, TAPS * self.channels];
        let rows = Matrix::strided(&padded, sizes, [self.stride * self.channels, 1]);
        self.linear.apply_to(rows, count, Gelu)
    }
}
