//! Weights by the names of modules: a prefix that all names below it have.

use candle_core::{Shape, Tensor};

use crate::EncoderError;
use crate::weights::Weights;

/// The tensors of one module.
#[derive(Clone)]
pub(crate) struct Scope<'a> {
    weights: &'a Weights,
    prefix: String,
}

impl<'a> Scope<'a> {
    /// All tensors whose names begin with `prefix` (`"wav2vec2."`, or nothing).
    pub(crate) fn new(weights: &'a Weights, prefix: &str) -> Self {
        Self { weights, prefix: prefix.to_owned() }
    }

    /// Those of a module within.
    pub(crate) fn at(&self, module: &str) -> Self {
        Self { weights: self.weights, prefix: format!("{}{module}.", self.prefix) }
    }

    /// Whether there is a tensor of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.weights.has(&format!("{}{name}", self.prefix))
    }

    /// The tensor of this name and shape, in `f32`.
    pub(crate) fn tensor(
        &self,
        name: &str,
        shape: impl Into<Shape>,
    ) -> Result<Tensor, EncoderError> {
        self.weights.take(&format!("{}{name}", self.prefix), shape)
    }

    /// Its values, row by row.
    pub(crate) fn values(
        &self,
        name: &str,
        shape: impl Into<Shape>,
    ) -> Result<Vec<f32>, EncoderError> {
        flat(&self.tensor(name, shape)?)
    }
}

/// The values of a tensor of `f32`, row by row, however it lies.
pub(crate) fn flat(tensor: &Tensor) -> Result<Vec<f32>, EncoderError> {
    Ok(tensor.contiguous()?.flatten_all()?.to_vec1()?)
}
