//! The loss of a mini-batch (METHOD, eq. 4).

use ambivox_model::log_softmax;
use candle_core::{Device, Result, Tensor};

use crate::labels::Labels;

/// `Σ −target · log y` over a batch, with y = softmax of `logits` `[utterances, classes]` and
/// `targets` of that shape, row-major; a scalar.
pub(crate) fn cross_entropy(logits: &Tensor, targets: Vec<f32>) -> Result<Tensor> {
    let targets = Tensor::from_vec(targets, logits.shape(), &Device::Cpu)?;
    // Over the utterances first: candle adds a few values one after the other on every processor, and
    // rows too, but many values of one row in an order of the processor's.
    log_softmax(logits)?.mul(&targets)?.sum(0)?.sum_all()?.neg()
}

/// Targets that make [`cross_entropy`] the mean over the utterances at `positions` of
/// `(1/w_n) · Σ_c −s_nc log y_nc`: `s_nc / (w_n · B)`, row by row, for a batch of B utterances.
pub(crate) fn scaled_targets(labels: &Labels, positions: &[usize]) -> Vec<f32> {
    let count = positions.len() as f64;
    let row = |&n: &usize| {
        let scale = 1.0 / (labels.weights[n] * count);
        labels.distributions[n].iter().map(move |s| (s * scale) as f32)
    };
    positions.iter().flat_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_definition() {
        let labels = Labels {
            distributions: vec![vec![0.9, 0.1], vec![0.0, 1.0], vec![0.3, 0.7]],
            weights: vec![0.5, 1.0, 2.0],
        };
        let logits = Tensor::new(&[[0.0_f32, 1.5], [2.0, -1.0]], &Device::Cpu).unwrap();
        let loss = cross_entropy(&logits, scaled_targets(&labels, &[2, 0])).unwrap();
        let log_y = |z: [f64; 2], c: usize| z[c] - (z[0].exp() + z[1].exp()).ln();
        let first = -(0.3 * log_y([0.0, 1.5], 0) + 0.7 * log_y([0.0, 1.5], 1)) / 2.0;
        let second = -(0.9 * log_y([2.0, -1.0], 0) + 0.1 * log_y([2.0, -1.0], 1)) / 0.5;
        let expected = f64::midpoint(first, second);
        assert!((f64::from(loss.to_scalar::<f32>().unwrap()) - expected).abs() < 1e-6);
    }

    #[test]
    fn stays_finite_at_extreme_logits() {
        let labels = Labels { distributions: vec![vec![1.0, 0.0]], weights: vec![1.0] };
        let logits = Tensor::new(&[[-1e4_f32, 1e4]], &Device::Cpu).unwrap();
        let loss = cross_entropy(&logits, scaled_targets(&labels, &[0])).unwrap();
        assert_eq!(loss.to_scalar::<f32>().unwrap(), 2e4);
    }
}
