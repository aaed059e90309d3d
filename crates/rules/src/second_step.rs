//! The alternation's second step: plain gradient descent on l and w (METHOD, "Loss and
//! alternation", 2).
//!
//! For one utterance the loss is `CE/w` with `CE = Σ_c −s_c log y_c` and `s = softmax(l)`, so that
//! `∂/∂l_c = s_c(−log y_c − CE)/w` and `∂/∂w = −CE/w²`.

use ambivox_nn::Targets;
use serde::{Deserialize, Serialize};

use crate::labels::{one_hot, scale_to_mean_one, softmax};

/// The logits l of every training utterance.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LabelLogits {
    logits: Vec<Vec<f64>>,
}

impl LabelLogits {
    /// l = K · one-hot(gold).
    pub(crate) fn new(gold: &[usize], classes: usize, scale: f64) -> Self {
        let logits = |&gold: &usize| one_hot(gold, classes).iter().map(|v| scale * v).collect();
        Self { logits: gold.iter().map(logits).collect() }
    }

    /// s = softmax(l) of every utterance.
    pub(crate) fn distributions(&self) -> Vec<Vec<f64>> {
        self.logits.iter().map(|l| softmax(l)).collect()
    }

    /// Whether both are of as many utterances and classes.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        self.logits.iter().map(Vec::len).eq(other.logits.iter().map(Vec::len))
    }

    /// One step of every utterance's l, and s after it, with the weights as they are.
    pub(crate) fn step(&mut self, labels: &mut Targets, log_y: &[Vec<f64>], rate: f64) {
        let Targets { distributions, weights } = labels;
        let utterances = self.logits.iter_mut().zip(distributions).zip(weights).zip(log_y);
        for (((l, s), w), log_y) in utterances {
            for (l, gradient) in l.iter_mut().zip(label_gradient(s, log_y, *w)) {
                *l -= rate * gradient;
            }
            *s = softmax(l);
        }
    }
}

/// The weights after one step of every utterance's w, scaled to mean 1 (eq. 6).
pub(crate) fn stepped_weights(labels: &Targets, log_y: &[Vec<f64>], rate: f64) -> Vec<f64> {
    let utterances = labels.distributions.iter().zip(&labels.weights).zip(log_y);
    let stepped =
        |((s, w), log_y): ((&Vec<f64>, &f64), &Vec<f64>)| w - rate * weight_gradient(s, log_y, *w);
    let mut weights: Vec<f64> = utterances.map(stepped).collect();
    scale_to_mean_one(&mut weights);
    weights
}

/// `CE = Σ_c −s_c log y_c`.
pub(crate) fn cross_entropy(s: &[f64], log_y: &[f64]) -> f64 {
    -s.iter().zip(log_y).map(|(s, log_y)| s * log_y).sum::<f64>()
}

/// ∂/∂l of one utterance's loss.
fn label_gradient(s: &[f64], log_y: &[f64], weight: f64) -> Vec<f64> {
    let ce = cross_entropy(s, log_y);
    s.iter().zip(log_y).map(|(s, log_y)| s * (-log_y - ce) / weight).collect()
}

/// ∂/∂w of one utterance's loss.
fn weight_gradient(s: &[f64], log_y: &[f64], weight: f64) -> f64 {
    -cross_entropy(s, log_y) / (weight * weight)
}

#[cfg(test)]
mod tests {
    use candle_core::{D, Device, Tensor, Var};
    use candle_nn::ops::{log_softmax, softmax};

    use super::*;
    use crate::labels;

    const L: [f64; 4] = [0.3, -1.2, 2.0, 0.1];
    const Z: [f64; 4] = [1.5, 0.2, -0.7, 0.9];
    const W: f64 = 0.7;

    fn log_y() -> Vec<f64> {
        labels::softmax(&Z).iter().map(|y| y.ln()).collect()
    }

    #[test]
    fn agree_with_automatic_differentiation() {
        let l = Var::new(&L, &Device::Cpu).unwrap();
        let w = Var::new(&[W], &Device::Cpu).unwrap();
        let log_y_tensor = log_softmax(&Tensor::new(&Z, &Device::Cpu).unwrap(), D::Minus1).unwrap();
        let s = softmax(&l, D::Minus1).unwrap();
        let ce = s.mul(&log_y_tensor).unwrap().sum_keepdim(0).unwrap().neg().unwrap();
        let gradients = ce.div(&w).unwrap().backward().unwrap();

        let s = labels::softmax(&L);
        let expected = gradients.get(&l).unwrap().to_vec1::<f64>().unwrap();
        for (ours, theirs) in label_gradient(&s, &log_y(), W).iter().zip(expected) {
            assert!((ours - theirs).abs() < 1e-14);
        }
        let expected = gradients.get(&w).unwrap().to_vec1::<f64>().unwrap()[0];
        assert!((weight_gradient(&s, &log_y(), W) - expected).abs() < 1e-13);
    }

    /// Adding a constant to l changes nothing, so its gradient has no component that way.
    #[test]
    fn label_gradient_sums_to_zero() {
        let gradient = label_gradient(&labels::softmax(&L), &log_y(), W);
        assert!(gradient.iter().sum::<f64>().abs() < 1e-15);
    }

    /// Under eq. 6 the loss is least where all `∂/∂w_n` are equal: at `w_n ∝ √CE_n`.
    #[test]
    fn the_optimum_under_a_fixed_mean_is_the_root_of_the_cross_entropy() {
        let s = [labels::one_hot(0, 4), labels::one_hot(2, 4), labels::softmax(&L)];
        let log_y = log_y();
        let gradient =
            |s: &Vec<f64>| weight_gradient(s, &log_y, 1.3 * cross_entropy(s, &log_y).sqrt());
        let gradients: Vec<f64> = s.iter().map(gradient).collect();
        assert!(gradients.iter().all(|g| (g - gradients[0]).abs() < 1e-14), "{gradients:?}");
    }
}
