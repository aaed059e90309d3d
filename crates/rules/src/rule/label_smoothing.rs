//! Label smoothing (Szegedy et al. 2016, "Rethinking the Inception Architecture", section 7): every class has the
//! same part of a share that is taken off the gold one. No learning of labels.

use ambivox_nn::Targets;
use serde::{Deserialize, Serialize};

use super::gold;
use crate::fixed::{Fixed, FixedLabelSettings, Weighting};
use crate::second_step::is_default;
use crate::{Example, LabelRule, Rule, RuleError, RuleKind};

pub(super) const KIND: RuleKind = RuleKind::new::<LabelSmoothing>("label-smoothing");

/// Section with `rule = "label-smoothing"`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LabelSmoothing {
    /// ε: the share that is spread over all C classes, the gold one among them: s = (1 − ε) · one-hot + ε/C.
    share: f64,
    /// What the weights are; by class where left out.
    #[serde(default, skip_serializing_if = "is_default")]
    weights: Weighting,
}

impl Rule for LabelSmoothing {
    fn fault(&self) -> Option<&'static str> {
        (!(0.0..1.0).contains(&self.share)).then_some("share is from 0 to below 1")
    }

    fn start(
        &self,
        training: &[Example<'_>],
        classes: usize,
    ) -> Result<Box<dyn LabelRule>, RuleError> {
        Ok(Box::new(self.smoothed(&gold(training), classes)))
    }
}

impl LabelSmoothing {
    fn smoothed(&self, gold: &[usize], classes: usize) -> Fixed {
        let Targets { mut distributions, weights } =
            Fixed::new(&FixedLabelSettings::GOLD, self.weights, gold, classes).targets;
        let even = self.share / classes as f64;
        distributions.iter_mut().flatten().for_each(|s| *s = (1.0 - self.share) * *s + even);
        Fixed { targets: Targets { distributions, weights } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_spread_over_all_classes() {
        let rule = LabelSmoothing { share: 0.2, weights: Weighting::Equal };
        let targets = rule.smoothed(&[1, 0], 4).targets;
        for (s, expected) in targets.distributions.concat().iter().zip([0.05, 0.85, 0.05, 0.05]) {
            assert!((s - expected).abs() < 1e-15, "{targets:?}");
        }
        assert_eq!(targets.weights, [1.0; 2]);
    }
}
