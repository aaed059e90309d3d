//! Symmetric cross-entropy (Wang et al. 2019, eq. 7): beside the cross-entropy of the labels that of the labels as
//! the model's outputs have it, in which a label of probability 0 costs so much and no more.

use ambivox_nn::{Loss, exp, log_softmax};
use candle_core::{Device, Result as Computed, Tensor};
use serde::{Deserialize, Serialize};

use super::{gold, summed};
use crate::fixed::{Fixed, FixedLabelSettings, UnderLoss, Weighting};
use crate::second_step::is_default;
use crate::{Example, LabelRule, Rule, RuleError, RuleKind};
use ambivox_settings::is_negative;

pub(super) const KIND: RuleKind = RuleKind::new::<Sce>("sce");

/// Section with `rule = "sce"`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sce {
    /// α: weight of the cross-entropy of the labels (0.1 to 6 as published).
    alpha: f64,
    /// β: weight of the reverse cross-entropy (0.1 or 1 as published).
    beta: f64,
    /// A: what stands for log 0 in the latter, below 0 (−4 as published).
    log_of_zero: f64,
    /// What the weights are; by class where left out.
    #[serde(default, skip_serializing_if = "is_default")]
    weights: Weighting,
}

impl Rule for Sce {
    fn fault(&self) -> Option<&'static str> {
        let shares = is_negative(self.alpha) || is_negative(self.beta);
        let zero = !(self.log_of_zero.is_finite() && self.log_of_zero < 0.0);
        let faults = [(shares, "alpha and beta are 0 or above"), (zero, "log_of_zero is below 0")];
        faults.into_iter().find_map(|(bad, message)| bad.then_some(message))
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
        let Self { alpha, beta, log_of_zero, .. } = *self;
        Ok(Box::new(UnderLoss { labels, loss: Symmetric { alpha, beta, log_of_zero } }))
    }
}

/// `Σ_n (α · Σ_c −s log y + β · Σ_c −y log s) / (w_n · B)`.
#[derive(Debug)]
struct Symmetric {
    alpha: f64,
    beta: f64,
    log_of_zero: f64,
}

impl Symmetric {
    /// −log s of every class, with the utterance's weight multiplied in.
    fn costs(&self, targets: &[f32], classes: usize) -> Vec<f32> {
        let row = |row: &[f32]| {
            let weight: f64 = row.iter().map(|&share| f64::from(share)).sum();
            let cost =
                |share: &f32| weight * -libm::log(f64::from(*share) / weight).max(self.log_of_zero);
            row.iter().map(|share| cost(share) as f32).collect::<Vec<_>>()
        };
        targets.chunks_exact(classes).flat_map(row).collect()
    }
}

impl Loss for Symmetric {
    fn of(&self, logits: &Tensor, targets: Vec<f32>, _positions: &[usize]) -> Computed<Tensor> {
        let costs = self.costs(&targets, logits.dims2()?.1);
        let [targets, costs] =
            [targets, costs].map(|values| Tensor::from_vec(values, logits.shape(), &Device::Cpu));
        let log_y = log_softmax(logits)?;
        let (forward, reverse) = ((&log_y * targets?)?, (exp(&log_y)? * costs?)?);
        summed(&(reverse * self.beta)?)? - (summed(&forward)? * self.alpha)?
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::tests::check_gradient;

    #[test]
    fn loss_and_gradient_are_those_of_the_definition() {
        for (alpha, beta) in [(0.5, 1.0), (1.0, 0.0), (0.0, 2.0)] {
            check_gradient(&Symmetric { alpha, beta, log_of_zero: -4.0 }, |s, log_y| {
                let of_class = |(s, log_y): (&f64, &f64)| {
                    -alpha * s * log_y - beta * libm::exp(*log_y) * libm::log(*s).max(-4.0)
                };
                s.iter().zip(log_y).map(of_class).sum()
            });
        }
    }
}
