//! BLSTM + ATT + L: label distributions learned, weights fixed at their initial values.

use ambivox_nn::{State, Targets};
use serde::{Deserialize, Serialize};

use super::{LABEL_RATE, LABEL_SCALE, first_negative, gold};
use crate::labels::initial_weights;
use crate::second_step::{LabelLogits, LabelStep, is_default};
use crate::{Example, LabelRule, Rule, RuleError, RuleKind};

pub(super) const KIND: RuleKind = RuleKind::new::<LSettings>("l");

/// Section `[methods.l]`: l learned, w fixed at its initial value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LSettings {
    /// K: initial l = K · one-hot(gold).
    pub label_scale: f64,
    /// Step size of l, in units of one utterance's gradient.
    pub label_rate: f64,
    /// How l takes its step; by plain descent where left out.
    #[serde(default, skip_serializing_if = "is_default")]
    pub second_step: LabelStep,
}

impl Rule for LSettings {
    fn fault(&self) -> Option<&'static str> {
        first_negative(&[(self.label_scale, LABEL_SCALE), (self.label_rate, LABEL_RATE)])
    }

    fn start(
        &self,
        training: &[Example<'_>],
        classes: usize,
    ) -> Result<Box<dyn LabelRule>, RuleError> {
        Ok(Box::new(L::new(self, &gold(training), classes)))
    }
}

/// The method `l`.
#[derive(Debug)]
pub(crate) struct L {
    logits: LabelLogits,
    labels: Targets,
    rate: f64,
}

impl L {
    pub(crate) fn new(settings: &LSettings, gold: &[usize], classes: usize) -> Self {
        let logits = LabelLogits::new(gold, classes, settings.label_scale, settings.second_step.by);
        let weights = initial_weights(gold, classes);
        let labels = Targets { distributions: logits.distributions(), weights };
        Self { logits, labels, rate: settings.label_rate }
    }
}

impl LabelRule for L {
    fn targets(&self) -> &Targets {
        &self.labels
    }

    fn learns_labels(&self) -> bool {
        true
    }

    fn reads_outputs(&self) -> bool {
        true
    }

    fn after_round(&mut self, log_y: &[Vec<f64>]) {
        self.logits.step(&mut self.labels, log_y, self.rate);
    }

    fn state(&self) -> State {
        State::of(&self.logits)
    }

    fn restore(&mut self, state: &State) -> bool {
        let logits = state.read().filter(|logits| self.logits.is_like(logits));
        logits.is_some_and(|logits| {
            self.labels.distributions = logits.distributions();
            self.logits = logits;
            true
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::share_moved;

    #[test]
    fn labels_move_and_weights_do_not() {
        let settings =
            LSettings { label_scale: 1.0, label_rate: 0.5, second_step: LabelStep::default() };
        let mut l = L::new(&settings, &[0, 1, 1], 2);
        let before = l.labels.clone();
        let sure = |p: f64| vec![p.ln(), (1.0 - p).ln()];
        for _ in 0..100 {
            l.after_round(&[sure(0.9), sure(0.9), sure(0.2)]);
        }
        assert_eq!(l.labels.weights, before.weights);
        assert_eq!(share_moved(&l.labels, &[Some(0), Some(1), Some(1)]), 1.0 / 3.0);
        assert!(l.labels.distributions[1][0] > 0.9);
    }
}
