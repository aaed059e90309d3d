//! BLSTM + ATT: targets and weights fixed at their initial values.

use ambivox_settings::{BaselineSettings, FixedTarget};

use super::Method;
use crate::labels::{Labels, initial_weights, one_hot, softmax};

/// The method `baseline`.
#[derive(Debug)]
pub(super) struct Baseline {
    labels: Labels,
}

impl Baseline {
    pub(super) fn new(settings: &BaselineSettings, gold: &[usize], classes: usize) -> Self {
        let target = |&gold: &usize| {
            let target = one_hot(gold, classes);
            match settings.fixed_target {
                FixedTarget::OneHot => target,
                FixedTarget::Softmax => {
                    softmax(&target.iter().map(|v| settings.label_scale * v).collect::<Vec<_>>())
                }
            }
        };
        let distributions = gold.iter().map(target).collect();
        Self { labels: Labels { distributions, weights: initial_weights(gold, classes) } }
    }
}

impl Method for Baseline {
    fn labels(&self) -> &Labels {
        &self.labels
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(fixed_target: FixedTarget) -> Labels {
        let settings = BaselineSettings { fixed_target, label_scale: 2.0 };
        Baseline::new(&settings, &[1, 0, 1], 2).labels
    }

    #[test]
    fn one_hot_targets_and_class_weights() {
        let labels = labels(FixedTarget::OneHot);
        assert_eq!(labels.distributions, [[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]);
        assert_eq!(labels.weights, [4.0 / 3.0, 2.0 / 3.0, 4.0 / 3.0]);
    }

    #[test]
    fn softmax_targets_use_the_scale() {
        let gold_share = labels(FixedTarget::Softmax).distributions[0][1];
        assert!((gold_share - 1.0 / (1.0 + (-2.0_f64).exp())).abs() < 1e-15);
    }
}
