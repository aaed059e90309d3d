//! The loss of a mini-batch (METHOD, eq. 4).

use candle_core::{Device, Result, Tensor};

use crate::log_softmax;

/// What training makes small.
pub trait Loss {
    /// A scalar of `logits` `[utterances, classes]` and of `targets` of that shape, row-major, which
    /// have weights and the mean over the batch multiplied in ([`crate::Targets::scaled`]); `positions` are those
    /// of the utterances in the run, for a loss that remembers something of each.
    fn of(&self, logits: &Tensor, targets: Vec<f32>, positions: &[usize]) -> Result<Tensor>;

    /// Whether it is [`CrossEntropy`], for models that are solved for it.
    fn is_cross_entropy(&self) -> bool {
        false
    }
}

/// `Σ −target · log y` over a batch, with y = softmax of the logits.
#[derive(Debug, Clone, Copy)]
pub struct CrossEntropy;

impl Loss for CrossEntropy {
    fn of(&self, logits: &Tensor, targets: Vec<f32>, _positions: &[usize]) -> Result<Tensor> {
        let targets = Tensor::from_vec(targets, logits.shape(), &Device::Cpu)?;
        // Over the utterances first: candle adds a few values one after the other on every
        // processor, and rows too, but many values of one row in an order of the processor's.
        log_softmax(logits)?.mul(&targets)?.sum(0)?.sum_all()?.neg()
    }

    fn is_cross_entropy(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Targets;

    #[test]
    fn agrees_with_the_definition() {
        let labels = Targets {
            distributions: vec![vec![0.9, 0.1], vec![0.0, 1.0], vec![0.3, 0.7]],
            weights: vec![0.5, 1.0, 2.0],
        };
        let logits = Tensor::new(&[[0.0_f32, 1.5], [2.0, -1.0]], &Device::Cpu).unwrap();
        let loss = CrossEntropy.of(&logits, labels.scaled(&[2, 0]), &[2, 0]).unwrap();
        let log_y = |z: [f64; 2], c: usize| z[c] - (z[0].exp() + z[1].exp()).ln();
        let first = -(0.3 * log_y([0.0, 1.5], 0) + 0.7 * log_y([0.0, 1.5], 1)) / 2.0;
        let second = -(0.9 * log_y([2.0, -1.0], 0) + 0.1 * log_y([2.0, -1.0], 1)) / 0.5;
        let expected = f64::midpoint(first, second);
        assert!((f64::from(loss.to_scalar::<f32>().unwrap()) - expected).abs() < 1e-6);
    }

    #[test]
    fn stays_finite_at_extreme_logits() {
        let labels = Targets { distributions: vec![vec![1.0, 0.0]], weights: vec![1.0] };
        let logits = Tensor::new(&[[-1e4_f32, 1e4]], &Device::Cpu).unwrap();
        let loss = CrossEntropy.of(&logits, labels.scaled(&[0]), &[0]).unwrap();
        assert_eq!(loss.to_scalar::<f32>().unwrap(), 2e4);
    }
}
