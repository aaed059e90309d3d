//! Prediction: what a model says of utterances.

use ambivox_nn::exp;
use candle_core::{DType, Tensor};

use crate::{Batch, ModelError, Network, Rows};

/// What a model says of one utterance.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// `log y_c` of every class (eq. 3), in the model's order.
    pub log_probabilities: Vec<f64>,
    /// Attention weights `α_t` (eq. 1), one per frame, whose sum is 1; `None` of a model that has no
    /// attention.
    pub attention: Option<Vec<f32>>,
}

impl Prediction {
    /// `y_c` of every class; their sum is 1.
    pub fn probabilities(&self) -> Vec<f64> {
        self.log_probabilities.iter().copied().map(libm::exp).collect()
    }
}

impl Network {
    /// Predictions for the utterances of one batch, in its order.
    pub fn predict_batch(&self, batch: &Batch) -> Result<Vec<Prediction>, ModelError> {
        let (logits, attention) = self.inference_logits(batch)?;
        let rows = logits.to_vec2::<f32>()?;
        let prediction = |(row, attention): (&Vec<f32>, _)| Prediction {
            log_probabilities: log_shares(&wide(row)),
            attention: Some(attention),
        };
        Ok(rows.iter().zip(attention).map(prediction).collect())
    }
}

/// What is said of each utterance, which has to be one vector of `width` values.
pub(crate) fn of_vectors(
    utterances: &[&Rows<'_>],
    width: usize,
    log_probabilities: impl Fn(&[f32]) -> Vec<f64>,
) -> Result<Vec<Prediction>, ModelError> {
    if let Some(position) = utterances.iter().position(|x| x.len() != width) {
        let values = utterances[position].len();
        return Err(ModelError::Frames { position, values, width });
    }
    let said = |x: &&Rows<'_>| Prediction {
        log_probabilities: log_probabilities(&x.read()),
        attention: None,
    };
    Ok(utterances.iter().map(said).collect())
}

/// w·x in double precision.
pub(crate) fn product(w: &[f32], x: &[f32]) -> f64 {
    w.iter().zip(x).map(|(w, x)| f64::from(*w) * f64::from(*x)).sum()
}

/// Values in double precision.
pub(crate) fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

/// The softmax over a column `[values, 1]`, with its gradient, in the same bits on every machine.
pub(crate) fn shares(column: &Tensor) -> candle_core::Result<Tensor> {
    let top = column.detach().max_keepdim(0)?;
    let powers = exp(&column.broadcast_sub(&top)?)?;
    let total = powers.to_dtype(DType::F64)?.sum_keepdim(0)?.to_dtype(DType::F32)?;
    powers.broadcast_div(&total)
}

/// The logarithm of the softmax, stable for logits of any size.
pub(crate) fn log_shares(logits: &[f64]) -> Vec<f64> {
    let top = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let total = top + libm::log(logits.iter().map(|v| libm::exp(v - top)).sum());
    logits.iter().map(|v| v - total).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_softmax_keeps_extremes_finite() {
        let values = log_shares(&[1000.0, 0.0, -1000.0]);
        assert_eq!(values, [0.0, -1000.0, -2000.0]);
    }

    #[test]
    fn log_softmax_agrees_with_the_definition() {
        let logits = [0.3_f64, -1.2, 2.5];
        let total: f64 = logits.iter().map(|v| v.exp()).sum();
        for (value, logit) in log_shares(&logits).iter().zip(&logits) {
            assert!((value - (logit.exp() / total).ln()).abs() < 1e-14);
        }
    }
}
