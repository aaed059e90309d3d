//! Fully connected layers: y = x Wᵀ + b for every frame.

use ambivox_nn::{Matrix, product_into};

use crate::EncoderError;
use crate::rows::{Add, RowWork, for_rows};
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

    /// That of keys, which have no `bias` in some models: it would add the same to all scores of a query.
    pub(crate) fn read_keys(scope: &Scope, width: usize) -> Result<Self, EncoderError> {
        if scope.has("bias") {
            return Self::read(scope, width, width);
        }
        let weight = flat(&scope.tensor("weight", (width, width))?.t()?)?;
        Ok(Self { weight, bias: vec![0.0; width] })
    }

    /// For frames side by side in `frames`, their outputs; `then` is done to each row of them.
    pub(crate) fn apply(&self, frames: &[f32], then: impl RowWork) -> Vec<f32> {
        let inputs = self.weight.len() / self.bias.len();
        self.apply_to(Matrix::new(frames, inputs), frames.len() / inputs, then)
    }

    /// The same for so many frames, which need not lie side by side.
    pub(crate) fn apply_to(
        &self,
        frames: Matrix<'_, f32>,
        count: usize,
        then: impl RowWork,
    ) -> Vec<f32> {
        let outputs = self.bias.len();
        let mut out = vec![0.0; count * outputs];
        let weight = Matrix::new(&self.weight, outputs);
        product_into(&mut out, frames, weight, false, rayon::current_num_threads());
        for_rows(&mut out, outputs, (Add(&self.bias), then));
        out
    }
}
