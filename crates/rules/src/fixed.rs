//! Labels that are not learned: what rules of such have in common.

use ambivox_nn::{Loss, Targets};
use serde::{Deserialize, Serialize};

use crate::LabelRule;
use crate::labels::{fixed_targets, initial_weights};

/// What stands for the label distribution where it is not learned (METHOD, "Loss and alternation").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FixedTarget {
    /// 1 for the gold label.
    OneHot,
    /// softmax(K · one-hot).
    Softmax,
}

/// Settings of a rule whose labels are not learned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FixedLabelSettings {
    /// What stands for the label distribution.
    pub fixed_target: FixedTarget,
    /// K of the softmax target; not used with `one-hot`.
    pub label_scale: f64,
}

impl FixedLabelSettings {
    /// The gold labels to the letter.
    pub const GOLD: Self = Self { fixed_target: FixedTarget::OneHot, label_scale: 1.0 };
}

/// What the weights are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Weighting {
    /// Those of METHOD's eq. 4 before they are learned, so that every class counts as much.
    #[default]
    ByClass,
    /// 1.
    Equal,
}

/// Targets and weights that stay what they are.
#[derive(Debug)]
pub(crate) struct Fixed {
    pub(crate) targets: Targets,
}

impl Fixed {
    pub(crate) fn new(
        settings: &FixedLabelSettings,
        weighting: Weighting,
        gold: &[usize],
        classes: usize,
    ) -> Self {
        let FixedLabelSettings { fixed_target, label_scale } = *settings;
        let distributions = fixed_targets(fixed_target, label_scale, gold, classes);
        let weights = match weighting {
            Weighting::ByClass => initial_weights(gold, classes),
            Weighting::Equal => vec![1.0; gold.len()],
        };
        Self { targets: Targets { distributions, weights } }
    }
}

impl LabelRule for Fixed {
    fn targets(&self) -> &Targets {
        &self.targets
    }
}

/// Such labels under a loss that is not the cross-entropy.
#[derive(Debug)]
pub(crate) struct UnderLoss<L> {
    pub(crate) labels: Fixed,
    pub(crate) loss: L,
}

impl<L: Loss> LabelRule for UnderLoss<L> {
    fn targets(&self) -> &Targets {
        &self.labels.targets
    }

    fn loss(&self) -> &dyn Loss {
        &self.loss
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets(fixed_target: FixedTarget, weighting: Weighting) -> Targets {
        let settings = FixedLabelSettings { fixed_target, label_scale: 2.0 };
        Fixed::new(&settings, weighting, &[1, 0, 1], 2).targets
    }

    #[test]
    fn one_hot_targets_and_class_weights() {
        let targets = targets(FixedTarget::OneHot, Weighting::ByClass);
        assert_eq!(targets.distributions, [[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]);
        assert_eq!(targets.weights, [4.0 / 3.0, 2.0 / 3.0, 4.0 / 3.0]);
    }

    #[test]
    fn softmax_targets_use_the_scale_and_weights_may_be_equal() {
        let targets = targets(FixedTarget::Softmax, Weighting::Equal);
        let gold_share = targets.distributions[0][1];
        assert!((gold_share - 1.0 / (1.0 + (-2.0_f64).exp())).abs() < 1e-15);
        assert_eq!(targets.weights, [1.0; 3]);
    }
}
