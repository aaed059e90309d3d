//! The losses of a CycleGAN, each a scalar that is a mean over a mini-batch.

use ambivox_nn::{log_softmax, mean, softplus};
use candle_core::{Result, Tensor};

/// Cross-entropy between `label` and the logistic function of logits z:
/// mean of −label·log σ(z) − (1 − label)·log(1 − σ(z)), which is ln(1 + eᶻ) − label·z.
pub(super) fn sigmoid_cross_entropy(logits: &Tensor, label: f64) -> Result<Tensor> {
    mean(&(softplus(logits)? - (logits * label)?)?)
}

/// Mean squared error of what has been there and back.
pub(super) fn cycle(back: &Tensor, original: &Tensor) -> Result<Tensor> {
    mean(&(back - original)?.sqr()?)
}

/// Mean of −log y of one class, with y = softmax of `logits` `[utterances, classes]`.
pub(super) fn classification(logits: &Tensor, class: usize) -> Result<Tensor> {
    mean(&log_softmax(logits)?.narrow(1, class, 1)?)?.neg()
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    fn value(loss: &Tensor) -> Result<f64> {
        loss.to_scalar()
    }

    fn column(values: &[f64]) -> Tensor {
        Tensor::new(values, &Device::Cpu).unwrap().unsqueeze(1).unwrap()
    }

    #[test]
    fn sigmoid_cross_entropy_agrees_with_the_definition() {
        let logits = [-2.0_f64, 0.0, 0.3, 5.0];
        for label in [0.0, 0.9, 1.0] {
            let sigmoid = |z: f64| 1.0 / (1.0 + (-z).exp());
            let term = |z: f64| -label * sigmoid(z).ln() - (1.0 - label) * sigmoid(-z).ln();
            let expected = logits.iter().map(|&z| term(z)).sum::<f64>() / 4.0;
            let found = value(&sigmoid_cross_entropy(&column(&logits), label).unwrap()).unwrap();
            assert!((found - expected).abs() < 1e-14, "{label}: {found} {expected}");
        }
    }

    #[test]
    fn sigmoid_cross_entropy_stays_finite_at_extreme_logits() {
        let logits = column(&[-1e30, 1e30]);
        assert_eq!(value(&sigmoid_cross_entropy(&logits, 0.0).unwrap()).unwrap(), 0.5e30);
    }

    #[test]
    fn the_others_by_hand() {
        let (a, b) = (column(&[1.0, 2.0]), column(&[0.0, 4.0]));
        assert_eq!(value(&cycle(&a, &b).unwrap()).unwrap(), 2.5);
        let logits = Tensor::new(&[[0.0_f64, 1.0], [2.0, -1.0]], &Device::Cpu).unwrap();
        let log_y = |z: [f64; 2], c: usize| z[c] - (z[0].exp() + z[1].exp()).ln();
        let expected = -(log_y([0.0, 1.0], 1) + log_y([2.0, -1.0], 1)) / 2.0;
        let found = value(&classification(&logits, 1).unwrap()).unwrap();
        assert!((found - expected).abs() < 1e-14);
    }
}
