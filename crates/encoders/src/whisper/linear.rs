//! Layers of weights over rows of values, by this thread alone: affine maps, convolutions over time.

use ambivox_nn::{Matrix, product_into};

use crate::EncoderError;
use crate::scope::Scope;

/// `rows · weightᵀ + bias`.
pub(crate) struct Linear {
    /// Outputs × inputs.
    weight: Vec<f32>,
    bias: Vec<f32>,
    inputs: usize,
}

impl Linear {
    /// The layer of tensors `weight` and `bias`; where it has no bias, that is 0.
    pub(crate) fn read(scope: &Scope, [outputs, inputs]: [usize; 2]) -> Result<Self, EncoderError> {
        let bias =
            if scope.has("bias") { scope.values("bias", outputs)? } else { vec![0.0; outputs] };
        Ok(Self { weight: scope.values("weight", (outputs, inputs))?, bias, inputs })
    }

    /// The outputs of all, one after the other. The inputs have to agree.
    pub(crate) fn beside(layers: impl IntoIterator<Item = Self>) -> Self {
        let mut all = Self { weight: Vec::new(), bias: Vec::new(), inputs: 0 };
        for layer in layers {
            all.weight.extend(layer.weight);
            all.bias.extend(layer.bias);
            all.inputs = layer.inputs;
        }
        all
    }

    /// The same with all its outputs multiplied.
    pub(crate) fn times(mut self, factor: f32) -> Self {
        self.weight.iter_mut().chain(&mut self.bias).for_each(|value| *value *= factor);
        self
    }

    /// The outputs of these rows.
    pub(crate) fn of(&self, rows: &[f32]) -> Vec<f32> {
        let mut out = vec![0.0; rows.len() / self.inputs * self.bias.len()];
        self.add(rows, &mut out);
        out
    }

    /// Adds the outputs of these rows to `out`.
    pub(crate) fn add(&self, rows: &[f32], out: &mut [f32]) {
        self.add_view(Matrix::new(rows, self.inputs), out);
    }

    fn add_view(&self, rows: Matrix<'_, f32>, out: &mut [f32]) {
        for row in out.chunks_exact_mut(self.bias.len()) {
            row.iter_mut().zip(&self.bias).for_each(|(value, bias)| *value += bias);
        }
        product_into(out, rows, Matrix::new(&self.weight, self.inputs).transposed(), true, 1);
    }
}

/// A convolution over time with three taps, the middle one at the frame itself; frames before the first and
/// after the last are 0.
pub(crate) struct Convolution {
    /// Its weights are outputs × (taps × inputs).
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
        let found = scope.values("weight", (outputs, inputs, TAPS))?;
        let places = (0..outputs).flat_map(|out| {
            (0..TAPS).flat_map(move |tap| {
                (0..inputs).map(move |input| (out * inputs + input) * TAPS + tap)
            })
        });
        let weight = places.map(|place| found[place]).collect();
        let bias = scope.values("bias", outputs)?;
        let linear = Linear { weight, bias, inputs: TAPS * inputs };
        Ok(Self { linear, channels: inputs, stride })
    }

    /// The outputs of these frames: one for each `stride` of them, beginning with the first.
    pub(crate) fn of(&self, frames: &[f32]) -> Vec<f32> {
        let count = (frames.len() / self.channels).div_ceil(self.stride);
        let edge = vec![0.0; self.channels];
        let padded = [&edge, frames, &edge].concat();
        // A frame lies beside its neighbours, so the values under the taps are a row as they are.
        let sizes = [count, self.linear.inputs];
        let rows = Matrix::strided(&padded, sizes, [self.stride * self.channels, 1]);
        let mut out = vec![0.0; count * self.linear.bias.len()];
        self.linear.add_view(rows, &mut out);
        out
    }
}
