//! BLSTM + ATT + L + w, pretrained: some epochs on the gold labels, then as `lw`.

use ambivox_nn::{State, Targets};
use serde::{Deserialize, Serialize};

use super::gold;
use super::lw::{Lw, LwSettings};
use crate::labels::{initial_weights, one_hot};
use crate::second_step::{WeightStep, is_default};
use crate::{Example, LabelRule, Rule, RuleError, RuleKind};

pub(super) const KIND: RuleKind = RuleKind::new::<LwPretrainedSettings>("lw-pretrained");

/// Section `[methods.lw-pretrained]`: as `lw`, after some epochs of θ on the gold labels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LwPretrainedSettings {
    /// Epochs on the gold labels, before and beside `training.max_epochs`.
    pub pretraining_epochs: usize,
    /// K: initial l = K · one-hot(gold).
    pub label_scale: f64,
    /// Step size of l, in units of one utterance's gradient.
    pub label_rate: f64,
    /// Step size of w, in units of one utterance's gradient.
    pub weight_rate: f64,
    /// Whether initial weights are scaled to mean 1 before the first epoch of `lw`.
    pub rescale_initial_weights: bool,
    /// How the step is taken and weights come to mean 1 again; by plain descent and scaled where left out.
    #[serde(default, skip_serializing_if = "is_default")]
    pub second_step: WeightStep,
}

impl LwPretrainedSettings {
    /// What `lw` does after the pretraining.
    fn lw(&self) -> LwSettings {
        LwSettings {
            label_scale: self.label_scale,
            label_rate: self.label_rate,
            weight_rate: self.weight_rate,
            rescale_initial_weights: self.rescale_initial_weights,
            second_step: self.second_step,
        }
    }
}

impl Rule for LwPretrainedSettings {
    fn fault(&self) -> Option<&'static str> {
        let none = (self.pretraining_epochs == 0).then_some("pretraining_epochs is at least 1");
        none.or_else(|| self.lw().fault())
    }

    fn pretraining_epochs(&self) -> usize {
        self.pretraining_epochs
    }

    fn own_targets(&self, examples: &[Example<'_>], classes: usize) -> Result<Targets, RuleError> {
        self.lw().own_targets(examples, classes)
    }

    fn start(
        &self,
        training: &[Example<'_>],
        classes: usize,
    ) -> Result<Box<dyn LabelRule>, RuleError> {
        Ok(Box::new(LwPretrained::new(self, &gold(training), classes)))
    }
}

/// The method `lw-pretrained`.
#[derive(Debug)]
pub(crate) struct LwPretrained {
    /// Labels while the model is pretrained.
    gold: Targets,
    lw: Lw,
    pretraining_epochs: usize,
    epochs_done: usize,
}

impl LwPretrained {
    pub(crate) fn new(settings: &LwPretrainedSettings, gold: &[usize], classes: usize) -> Self {
        let distributions = gold.iter().map(|&gold| one_hot(gold, classes)).collect();
        Self {
            gold: Targets { distributions, weights: initial_weights(gold, classes) },
            lw: Lw::new(&settings.lw(), gold, classes),
            pretraining_epochs: settings.pretraining_epochs,
            epochs_done: 0,
        }
    }
}

impl LabelRule for LwPretrained {
    fn targets(&self) -> &Targets {
        if self.epochs_done < self.pretraining_epochs { &self.gold } else { self.lw.targets() }
    }

    fn learns_labels(&self) -> bool {
        true
    }

    fn learns_weights(&self) -> bool {
        true
    }

    fn reads_outputs(&self) -> bool {
        self.epochs_done >= self.pretraining_epochs
    }

    fn after_round(&mut self, log_y: &[Vec<f64>]) {
        if self.reads_outputs() {
            self.lw.after_round(log_y);
        }
        self.epochs_done += 1;
    }

    fn state(&self) -> State {
        State::of(&(self.epochs_done, self.lw.state()))
    }

    fn restore(&mut self, state: &State) -> bool {
        let Some((epochs_done, lw)) = state.read::<(usize, State)>() else { return false };
        self.epochs_done = epochs_done;
        self.lw.restore(&lw)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gold_labels_come_first_and_then_those_of_lw() {
        let settings = LwPretrainedSettings {
            pretraining_epochs: 2,
            label_scale: 1.0,
            label_rate: 0.2,
            weight_rate: 0.1,
            rescale_initial_weights: false,
            second_step: WeightStep::default(),
        };
        let gold = [0, 1, 1];
        let mut rule = LwPretrained::new(&settings, &gold, 2);
        let mut lw = Lw::new(&settings.lw(), &gold, 2);
        let outputs = vec![vec![0.3_f64.ln(), 0.7_f64.ln()]; 3];
        assert_eq!(rule.targets().distributions[0], [1.0, 0.0]);
        assert!(!rule.reads_outputs());
        rule.after_round(&[]);
        assert_eq!(rule.targets(), &rule.gold);
        assert!(!rule.reads_outputs());
        rule.after_round(&[]);
        assert_eq!(rule.targets(), lw.targets());
        assert!(rule.reads_outputs());
        rule.after_round(&outputs);
        lw.after_round(&outputs);
        assert_eq!(rule.targets(), lw.targets());
        assert_ne!(rule.targets().weights, initial_weights(&gold, 2));
    }
}
