//! BLSTM + ATT + L + w: label distributions and weights learned in alternation with the network.

use ambivox_nn::{State, Targets};
use serde::{Deserialize, Serialize};

use super::{LABEL_RATE, LABEL_SCALE, WEIGHT_RATE, first_negative, gold};
use crate::labels::starting_weights;
use crate::second_step::{LabelLogits, Steps, WeightMoves, WeightStep, is_default};
use crate::{Example, LabelRule, Rule, RuleError, RuleKind};

pub(super) const KIND: RuleKind = RuleKind::new::<LwSettings>("lw");

/// Section `[methods.lw]`: l and w learned in alternation with θ.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LwSettings {
    /// K: initial l = K · one-hot(gold).
    pub label_scale: f64,
    /// Step size of l, in units of one utterance's gradient.
    pub label_rate: f64,
    /// Step size of w, in units of one utterance's gradient.
    pub weight_rate: f64,
    /// Whether initial weights are scaled to mean 1 before the first epoch.
    pub rescale_initial_weights: bool,
    /// How the step is taken and weights come to mean 1 again; by plain descent and scaled where left out.
    #[serde(default, skip_serializing_if = "is_default")]
    pub second_step: WeightStep,
}

impl Rule for LwSettings {
    fn fault(&self) -> Option<&'static str> {
        let Self { label_scale, label_rate, weight_rate, .. } = *self;
        first_negative(&[
            (label_scale, LABEL_SCALE),
            (label_rate, LABEL_RATE),
            (weight_rate, WEIGHT_RATE),
        ])
        .or_else(|| self.second_step.fault())
    }

    fn start(
        &self,
        training: &[Example<'_>],
        classes: usize,
    ) -> Result<Box<dyn LabelRule>, RuleError> {
        Ok(Box::new(Lw::new(self, &gold(training), classes)))
    }
}

/// The method `lw`.
#[derive(Debug)]
pub(crate) struct Lw {
    logits: LabelLogits,
    labels: Targets,
    label_rate: f64,
    moves: WeightMoves,
}

impl Lw {
    pub(crate) fn new(settings: &LwSettings, gold: &[usize], classes: usize) -> Self {
        let logits = LabelLogits::new(gold, classes, settings.label_scale, settings.second_step.by);
        let weights = starting_weights(gold, classes, settings.rescale_initial_weights);
        Self {
            labels: Targets { distributions: logits.distributions(), weights },
            logits,
            label_rate: settings.label_rate,
            moves: WeightMoves::new(settings.second_step, settings.weight_rate, gold.len()),
        }
    }
}

impl LabelRule for Lw {
    fn targets(&self) -> &Targets {
        &self.labels
    }

    fn learns_labels(&self) -> bool {
        true
    }

    fn learns_weights(&self) -> bool {
        true
    }

    fn reads_outputs(&self) -> bool {
        true
    }

    /// One step for every utterance, l and w both from the values before it.
    fn after_round(&mut self, log_y: &[Vec<f64>]) {
        let weights = self.moves.stepped(&self.labels, log_y);
        self.logits.step(&mut self.labels, log_y, self.label_rate);
        self.labels.weights = weights;
    }

    fn state(&self) -> State {
        State::of(&(&self.logits, &self.labels.weights, &self.moves.steps))
    }

    fn restore(&mut self, state: &State) -> bool {
        let learned = state.read::<(LabelLogits, Vec<f64>, Steps)>();
        let learned = learned.filter(|(logits, weights, steps)| {
            let fits = weights.len() == self.labels.weights.len();
            fits && self.logits.is_like(logits) && steps.is_like(&self.moves.steps)
        });
        learned.is_some_and(|(logits, weights, steps)| {
            self.moves.steps = steps;
            self.labels = Targets { distributions: logits.distributions(), weights };
            self.logits = logits;
            true
        })
    }
}

#[cfg(test)]
mod tests {
    use ambivox_settings::{Range, Space};
    use proptest::prelude::*;

    use super::*;
    use crate::labels::{scale_to_mean_one, softmax};
    use crate::second_step::cross_entropy;
    use crate::share_moved;

    fn settings(label_rate: f64, weight_rate: f64) -> LwSettings {
        LwSettings {
            label_scale: 1.0,
            label_rate,
            weight_rate,
            rescale_initial_weights: false,
            second_step: WeightStep::default(),
        }
    }

    /// The ends of a setting of the space that is published for `lw`.
    fn ends(setting: &str) -> [f64; 2] {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../pipelines/spaces/lw.toml");
        let space = Space::read(file.as_ref()).unwrap();
        match &space.settings[setting] {
            Range::LogUniform(ends) | Range::Uniform(ends) => *ends,
            Range::Choice(values) => {
                [values.first(), values.last()].map(|v| v.unwrap().as_float().unwrap())
            }
            Range::Integer(_) => panic!("{setting} is no real number"),
        }
    }

    /// Labels of four classes, by a network that is sure of another, in the epochs of `pipelines/emodb.toml`.
    #[test]
    fn every_end_of_the_space_moves_labels_and_weights() {
        let sure = [vec![0.01_f64, 0.97, 0.01, 0.01], vec![0.97, 0.01, 0.01, 0.01]]
            .map(|y| y.iter().map(|y| y.ln()).collect::<Vec<f64>>());
        for label_scale in ends("methods.lw.label_scale") {
            for label_rate in ends("methods.lw.label_rate") {
                for weight_rate in ends("methods.lw.weight_rate") {
                    let at = LwSettings { label_scale, ..settings(label_rate, weight_rate) };
                    let mut lw = Lw::new(&at, &[0, 0, 1, 2, 3], 4);
                    let outputs = [0, 1, 1, 1, 1].map(|n: usize| sure[n].clone());
                    let before = lw.labels.weights.clone();
                    (0..20).for_each(|_| lw.after_round(&outputs));
                    let moved = share_moved(&lw.labels, &[Some(0)]);
                    assert!(moved > 0.0, "{at:?}");
                    let change = (lw.labels.weights[0] - before[0]).abs();
                    assert!(change > 0.05 * before[0], "{at:?}: {change}");
                }
            }
        }
    }

    fn mean(values: &[f64]) -> f64 {
        values.iter().sum::<f64>() / values.len() as f64
    }

    /// log of distributions over two classes that give class 0 these shares.
    fn log_y(shares: &[f64]) -> Vec<Vec<f64>> {
        shares.iter().map(|p| vec![p.ln(), (1.0 - p).ln()]).collect()
    }

    #[test]
    fn one_update_by_hand() {
        let mut lw = Lw::new(&settings(0.2, 0.1), &[0, 1, 1], 2);
        let before = lw.labels.clone();
        assert_eq!(before.weights, [2.0 / 3.0, 4.0 / 3.0, 4.0 / 3.0]);
        let outputs = log_y(&[0.3, 0.3, 0.1]);
        lw.after_round(&outputs);

        let s = &before.distributions[0];
        let ce = -(s[0] * 0.3_f64.ln() + s[1] * 0.7_f64.ln());
        let gradient = s[0] * (-(0.3_f64.ln()) - ce) / (2.0 / 3.0);
        let expected = softmax(&[1.0 - 0.2 * gradient, 0.2 * gradient]);
        for (s, expected) in lw.labels.distributions[0].iter().zip(expected) {
            assert!((s - expected).abs() < 1e-15);
        }

        let ce_of = |n: usize| cross_entropy(&before.distributions[n], &outputs[n]);
        let raw: Vec<f64> = (0..3)
            .map(|n| before.weights[n] + 0.1 * ce_of(n) / before.weights[n].powi(2))
            .collect();
        for (w, raw_w) in lw.labels.weights.iter().zip(&raw) {
            assert!((w - raw_w / mean(&raw)).abs() < 1e-15);
        }
    }

    #[test]
    fn initial_weights_are_rescaled_only_where_asked() {
        let gold = [0, 1, 1];
        assert!(mean(&Lw::new(&settings(0.0, 0.0), &gold, 2).labels.weights) > 1.1);
        let rescaled = LwSettings { rescale_initial_weights: true, ..settings(0.0, 0.0) };
        assert!((mean(&Lw::new(&rescaled, &gold, 2).labels.weights) - 1.0).abs() < 1e-15);
    }

    /// Scaling multiplies where a projection onto eq. 6 would subtract: w settles where
    /// w + r·CE/w² ∝ w, so w ∝ ∛CE, which lies between equal weights and the optimum √CE.
    #[test]
    fn weights_settle_at_the_cube_root_of_the_cross_entropy() {
        let mut lw = Lw::new(&settings(0.0, 0.1), &[0, 0, 0, 1], 2);
        let outputs = log_y(&[0.9, 0.5, 0.05, 0.4]);
        for _ in 0..2000 {
            lw.after_round(&outputs);
        }
        let pairs = lw.labels.distributions.iter().zip(&outputs);
        let mut expected: Vec<f64> =
            pairs.map(|(s, log_y)| cross_entropy(s, log_y).cbrt()).collect();
        scale_to_mean_one(&mut expected);
        for (w, expected) in lw.labels.weights.iter().zip(expected) {
            assert!((w - expected).abs() < 1e-12, "{w} {expected}");
        }
    }

    #[test]
    fn labels_go_where_the_network_is_sure() {
        let mut lw = Lw::new(&settings(0.3, 0.0), &[0, 0], 2);
        for _ in 0..200 {
            lw.after_round(&log_y(&[0.02, 0.98]));
        }
        assert!(lw.labels.distributions[0][1] > 0.9);
        assert!(lw.labels.distributions[1][0] > 0.9);
        assert_eq!(share_moved(&lw.labels, &[Some(0); 2]), 0.5);
    }

    proptest! {
        #[test]
        fn weights_stay_positive_with_mean_one_and_labels_sum_to_one(
            utterances in prop::collection::vec((0_usize..3, prop::array::uniform3(-8.0_f64..8.0)), 1..12),
            label_rate in 0.0_f64..2.0,
            weight_rate in 0.0_f64..2.0,
        ) {
            let gold: Vec<usize> = utterances.iter().map(|(gold, _)| *gold).collect();
            let log_y: Vec<Vec<f64>> =
                utterances.iter().map(|(_, z)| softmax(z).iter().map(|y| y.ln()).collect()).collect();
            let mut lw = Lw::new(&settings(label_rate, weight_rate), &gold, 3);
            for _ in 0..5 {
                lw.after_round(&log_y);
                prop_assert!((mean(&lw.labels.weights) - 1.0).abs() < 1e-12);
                prop_assert!(lw.labels.weights.iter().all(|&w| w > 0.0));
                for s in &lw.labels.distributions {
                    prop_assert!((s.iter().sum::<f64>() - 1.0).abs() < 1e-12);
                }
            }
        }
    }
}
