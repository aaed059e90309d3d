//! Fully connected layers: y = x Wᵀ + b for every frame.

use ambivox_nn::{Matrix, product_into};

use crate::EncoderError;
use crate::rows::{add_row, for_rows};
use crate::scope::{Scope, flat};

/// A fully connected layer.
#[derive(Debug)]
pub(crate) struct Linear {
    /// Inputs × outputs, the transpose of what files have: the product need not turn it each time.
    pub(crate) weight: Vec<f32>,
    /// Outputs.
    pub(crate) bias: Vec<f32>,
}

impl Linear {
    /// The layer of tensors `weight` (outputs × inputs) and `bias`.
    pub(crate) fn read(scope: &Scope, inputs: usize, outputs: usize) -> Result<Self, EncoderError> {
        let weight = flat(&scope.tensor("weight", (outputs, inputs))?.t()?)?;
        Ok(Self { weight, bias: scope.values("bias", outputs)? })
    }

    /// For frames side by side in `frames`, their outputs; `then` is done to each row of them.
    pub(crate) fn apply(&self, frames: &[f32], then: impl Fn(&mut [f32]) + Sync) -> Vec<f32> {
        let outputs = self.bias.len();
        let inputs = self.weight.len() / outputs;
        let mut out = vec![0.0; frames.len() / inputs * outputs];
        let weight = Matrix::new(&self.weight, outputs);
        let threads = rayon::current_num_threads();
        product_into(&mut out, Matrix::new(frames, inputs), weight, false, threads);
        for_rows(&mut out, outputs, |row| {
            add_row(row, &self.bias);
            then(row);
        });
        out
    }
}
