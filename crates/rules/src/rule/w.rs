//! BLSTM + ATT + w: weights learned, the target fixed.

use ambivox_nn::{State, Targets};
use serde::{Deserialize, Serialize};

use super::{LABEL_SCALE, WEIGHT_RATE, first_negative, gold};
use crate::fixed::FixedTarget;
use crate::labels::{fixed_targets, starting_weights};
use crate::second_step::{Steps, WeightMoves, WeightStep, is_default};
use crate::{Example, LabelRule, Rule, RuleError, RuleKind};

pub(super) const KIND: RuleKind = RuleKind::new::<WSettings>("w");

/// Section `[methods.w]`: w learned, the target fixed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WSettings {
    /// What stands for the label distribution.
    pub fixed_target: FixedTarget,
    /// K of the softmax target; not used with `one-hot`.
    pub label_scale: f64,
    /// Step size of w, in units of one utterance's gradient.
    pub weight_rate: f64,
    /// Whether initial weights are scaled to mean 1 before the first epoch.
    pub rescale_initial_weights: bool,
    /// How the step is taken and weights come to mean 1 again; by plain descent and scaled where left out.
    #[serde(default, skip_serializing_if = "is_default")]
    pub second_step: WeightStep,
}

impl Rule for WSettings {
    fn fault(&self) -> Option<&'static str> {
        first_negative(&[(self.label_scale, LABEL_SCALE), (self.weight_rate, WEIGHT_RATE)])
            .or_else(|| self.second_step.fault())
    }

    fn start(
        &self,
        training: &[Example<'_>],
        classes: usize,
    ) -> Result<Box<dyn LabelRule>, RuleError> {
        Ok(Box::new(W::new(self, &gold(training), classes)))
    }
}

/// The method `w`.
#[derive(Debug)]
pub(crate) struct W {
    labels: Targets,
    moves: WeightMoves,
}

impl W {
    pub(crate) fn new(settings: &WSettings, gold: &[usize], classes: usize) -> Self {
        let WSettings {
            fixed_target,
            label_scale,
            weight_rate,
            rescale_initial_weights,
            second_step,
        } = *settings;
        let distributions = fixed_targets(fixed_target, label_scale, gold, classes);
        let weights = starting_weights(gold, classes, rescale_initial_weights);
        let moves = WeightMoves::new(second_step, weight_rate, gold.len());
        Self { labels: Targets { distributions, weights }, moves }
    }
}

impl LabelRule for W {
    fn targets(&self) -> &Targets {
        &self.labels
    }

    fn learns_weights(&self) -> bool {
        true
    }

    fn reads_outputs(&self) -> bool {
        true
    }

    fn after_round(&mut self, log_y: &[Vec<f64>]) {
        self.labels.weights = self.moves.stepped(&self.labels, log_y);
    }

    fn state(&self) -> State {
        State::of(&(&self.labels.weights, &self.moves.steps))
    }

    fn restore(&mut self, state: &State) -> bool {
        let learned = state.read::<(Vec<f64>, Steps)>().filter(|(weights, steps)| {
            weights.len() == self.labels.weights.len() && steps.is_like(&self.moves.steps)
        });
        learned
            .map(|(weights, steps)| (self.labels.weights, self.moves.steps) = (weights, steps))
            .is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_move_and_labels_do_not() {
        let settings = WSettings {
            fixed_target: FixedTarget::OneHot,
            label_scale: 1.0,
            weight_rate: 0.1,
            rescale_initial_weights: false,
            second_step: WeightStep::default(),
        };
        let mut w = W::new(&settings, &[0, 0, 1, 1], 2);
        let before = w.labels.clone();
        let sure = |p: f64| vec![p.ln(), (1.0 - p).ln()];
        for _ in 0..10 {
            w.after_round(&[sure(0.9), sure(0.2), sure(0.5), sure(0.1)]);
            let mean = w.labels.weights.iter().sum::<f64>() / 4.0;
            assert!((mean - 1.0).abs() < 1e-12);
        }
        assert_eq!(w.labels.distributions, before.distributions);
        // Harder utterances count less: CE is 0.11, 1.61, 0.69, 0.11.
        let [a, b, c, d] = w.labels.weights[..] else { panic!("four utterances") };
        assert!(a < c && c < b && (a - d).abs() < 1e-12, "{:?}", w.labels.weights);
    }
}
