//! Generalised cross-entropy (Zhang and Sabuncu 2018, eq. 6): between cross-entropy and mean absolute error, so
//! that a label which the model thinks impossible pulls less.

use ambivox_nn::{Loss, exp, log_softmax};
use candle_core::{Device, Result as Computed, Tensor};
use serde::{Deserialize, Serialize};

use super::{gold, summed};
use crate::fixed::{Fixed, FixedLabelSettings, UnderLoss, Weighting};
use crate::second_step::is_default;
use crate::{Example, LabelRule, Rule, RuleError, RuleKind};

pub(super) const KIND: RuleKind = RuleKind::new::<Gce>("gce");

/// Section with `rule = "gce"`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Gce {
    /// q of `(1 − y_g^q) / q`: towards 0 it is cross-entropy, at 1 mean absolute error (0.7 as published).
    q: f64,
    /// What the weights are; by class where left out.
    #[serde(default, skip_serializing_if = "is_default")]
    weights: Weighting,
}

impl Rule for Gce {
    fn fault(&self) -> Option<&'static str> {
        (!(self.q > 0.0 && self.q <= 1.0)).then_some("q is above 0 and at most 1")
    }

    fn is_cross_entropy(&self) -> bool {
        false
    }

    fn start(
        &self,
        training: &[Example<'_>],
        classes: usize,
    ) -> Result<Box<dyn LabelRule>, RuleError> {
        let labels = Fixed::new(&FixedLabelSettings::GOLD, self.weights, &gold(training), classes);
        Ok(Box::new(UnderLoss { labels, loss: Generalised { q: self.q } }))
    }
}

/// `Σ target · (1 − y^q) / q`.
#[derive(Debug)]
struct Generalised {
    q: f64,
}

impl Loss for Generalised {
    fn of(&self, logits: &Tensor, targets: Vec<f32>, _positions: &[usize]) -> Computed<Tensor> {
        let targets = Tensor::from_vec(targets, logits.shape(), &Device::Cpu)?;
        let powers = exp(&(log_softmax(logits)? * self.q)?)?;
        summed(&(powers.affine(-1.0 / self.q, 1.0 / self.q)? * targets)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::tests::check_gradient;

    #[test]
    fn loss_and_gradient_are_those_of_the_definition() {
        for q in [0.01, 0.7, 1.0] {
            check_gradient(&Generalised { q }, |s, log_y| {
                let cost = |log_y: &f64| (1.0 - libm::exp(q * log_y)) / q;
                s.iter().zip(log_y).map(|(s, log_y)| s * cost(log_y)).sum()
            });
        }
    }
}
