//! BLSTM + ATT: targets and weights fixed at their initial values.

use ambivox_settings::FixedLabelSettings;

use super::Method;
use crate::labels::{Labels, fixed_targets, initial_weights};

/// The method `baseline`.
#[derive(Debug)]
pub(super) struct Baseline {
    labels: Labels,
}

impl Baseline {
    pub(super) fn new(settings: &FixedLabelSettings, gold: &[usize], classes: usize) -> Self {
        let FixedLabelSettings { fixed_target, label_scale } = *settings;
        let distributions = fixed_targets(fixed_target, label_scale, gold, classes);
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
    use ambivox_settings::FixedTarget;

    use super::*;

    fn labels(fixed_target: FixedTarget) -> Labels {
        let settings = FixedLabelSettings { fixed_target, label_scale: 2.0 };
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
