//! Early-learning regularisation (Liu et al. 2020, eqs. 6 and 9): the model is held to what it said of each
//! utterance in earlier epochs, before it memorised wrong labels.

use ambivox_nn::{Loss, State, Targets, exp, log, log_softmax};
use candle_core::{Device, Result as Computed, Tensor};
use serde::{Deserialize, Serialize};

use super::{gold, summed};
use crate::fixed::{Fixed, FixedLabelSettings, Weighting};
use crate::second_step::is_default;
use crate::{Example, LabelRule, Rule, RuleError, RuleKind};
use ambivox_settings::is_negative;

pub(super) const KIND: RuleKind = RuleKind::new::<Elr>("elr");

/// Section with `rule = "elr"`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Elr {
    /// λ: weight of the regularisation beside the cross-entropy (3 or 7 as published).
    strength: f64,
    /// β: how much of what was said before an epoch stays in its mean (0.7 or 0.9 as published).
    momentum: f64,
    /// What the weights of the cross-entropy are; by class where left out.
    #[serde(default, skip_serializing_if = "is_default")]
    weights: Weighting,
}

impl Rule for Elr {
    fn fault(&self) -> Option<&'static str> {
        let faults = [
            (is_negative(self.strength), "strength is 0 or above"),
            (!(0.0..1.0).contains(&self.momentum), "momentum is from 0 to below 1"),
        ];
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
        let said = vec![vec![0.0; classes]; training.len()];
        let loss = Held { said, strength: self.strength };
        Ok(Box::new(AtWork { labels, loss, momentum: self.momentum }))
    }
}

#[derive(Debug)]
struct AtWork {
    labels: Fixed,
    loss: Held,
    momentum: f64,
}

impl LabelRule for AtWork {
    fn targets(&self) -> &Targets {
        &self.labels.targets
    }

    fn loss(&self) -> &dyn Loss {
        &self.loss
    }

    fn reads_outputs(&self) -> bool {
        true
    }

    /// Outputs without dropout, once an epoch, where the paper takes those of the training step.
    fn after_round(&mut self, log_y: &[Vec<f64>]) {
        for (said, log_y) in self.loss.said.iter_mut().zip(log_y) {
            for (said, log_y) in said.iter_mut().zip(log_y) {
                let y = libm::exp(*log_y).clamp(UNSURE, 1.0 - UNSURE);
                *said = self.momentum * *said + (1.0 - self.momentum) * y;
            }
        }
    }

    fn state(&self) -> State {
        State::of(&self.loss.said)
    }

    fn restore(&mut self, state: &State) -> bool {
        let lengths = |said: &[Vec<f64>]| said.iter().map(Vec::len).collect::<Vec<_>>();
        let said = state.read::<Vec<Vec<f64>>>();
        let said = said.filter(|said| lengths(said) == lengths(&self.loss.said));
        said.map(|said| self.loss.said = said).is_some()
    }
}

/// What is said is taken for at least so far from 0 and 1, as in the authors' program: of perfect agreement the
/// logarithm would be without end.
const UNSURE: f64 = 1e-4;

/// Cross-entropy, and `λ/B · Σ_n log(1 − ⟨y_n, t_n⟩)`.
#[derive(Debug)]
struct Held {
    /// t: a mean over epochs of what was said of every utterance; 0 before the first.
    said: Vec<Vec<f64>>,
    strength: f64,
}

impl Loss for Held {
    fn of(&self, logits: &Tensor, targets: Vec<f32>, positions: &[usize]) -> Computed<Tensor> {
        let said = positions.iter().flat_map(|&n| self.said[n].iter().map(|&share| share as f32));
        let said = Tensor::from_iter(said, &Device::Cpu)?.reshape(logits.shape())?;
        let targets = Tensor::from_vec(targets, logits.shape(), &Device::Cpu)?;
        let log_y = log_softmax(logits)?;
        let agreement = (exp(&log_y)? * said)?.sum_keepdim(1)?;
        let held = summed(&log(&agreement.affine(-1.0, 1.0)?)?)?;
        (held * (self.strength / positions.len() as f64))? - summed(&(log_y * targets)?)?
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::tests::check_gradient;

    #[test]
    fn loss_and_gradient_are_those_of_the_definition() {
        let said = vec![0.5, 0.1, 0.3];
        let loss = Held { said: vec![said.clone()], strength: 3.0 };
        check_gradient(&loss, |s, log_y| {
            let agreement: f64 =
                said.iter().zip(log_y).map(|(t, log_y)| t * libm::exp(*log_y)).sum();
            let entropy: f64 = s.iter().zip(log_y).map(|(s, log_y)| -s * log_y).sum();
            entropy + 3.0 * libm::log(1.0 - agreement)
        });
    }

    #[test]
    fn what_was_said_is_remembered_and_restored() {
        let rule = Elr { strength: 3.0, momentum: 0.7, weights: Weighting::ByClass };
        let labels = Fixed::new(&FixedLabelSettings::GOLD, rule.weights, &[0, 1], 2);
        let said = vec![vec![0.0; 2]; 2];
        let mut at_work = AtWork { labels, loss: Held { said, strength: 3.0 }, momentum: 0.7 };
        let before = at_work.state();
        let log_y = [0.8_f64, 0.4].map(|y| vec![y.ln(), (1.0 - y).ln()]);
        at_work.after_round(&log_y);
        at_work.after_round(&log_y);
        let expected = 0.8 * (0.3 + 0.7 * 0.3);
        assert!((at_work.loss.said[0][0] - expected).abs() < 1e-15);
        let sure = vec![vec![0.0, f64::NEG_INFINITY]; 2];
        (0..99).for_each(|_| at_work.after_round(&sure));
        assert!(at_work.loss.said[0][0] < 0.999_95, "never as sure as to be 1");
        assert!(at_work.restore(&before) && at_work.loss.said[0][0] == 0.0);
        assert!(!at_work.restore(&State::of(&vec![vec![0.0; 3]; 2])));
    }
}
