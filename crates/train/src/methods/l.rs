//! BLSTM + ATT + L: label distributions learned, weights fixed at their initial values.

use ambivox_settings::LSettings;

use super::second_step::LabelLogits;
use super::{Learned, Method, Outputs};
use crate::TrainError;
use crate::labels::{Labels, initial_weights};

/// The method `l`.
#[derive(Debug)]
pub(super) struct L {
    logits: LabelLogits,
    labels: Labels,
    rate: f64,
}

impl L {
    pub(super) fn new(settings: &LSettings, gold: &[usize], classes: usize) -> Self {
        let logits = LabelLogits::new(gold, classes, settings.label_scale);
        let weights = initial_weights(gold, classes);
        let labels = Labels { distributions: logits.distributions(), weights };
        Self { logits, labels, rate: settings.label_rate }
    }
}

impl Method for L {
    fn labels(&self) -> &Labels {
        &self.labels
    }

    fn learns_labels(&self) -> bool {
        true
    }

    fn after_epoch(&mut self, outputs: &Outputs<'_>) -> Result<(), TrainError> {
        self.logits.step(&mut self.labels, &outputs()?, self.rate);
        Ok(())
    }

    fn learned(&self) -> Learned {
        Learned { logits: self.logits.values().to_vec(), weights: Vec::new() }
    }

    fn resume(&mut self, _epochs: usize, learned: Learned) {
        self.logits = LabelLogits::of(learned.logits);
        self.labels.distributions = self.logits.distributions();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_move_and_weights_do_not() {
        let settings = LSettings { label_scale: 1.0, label_rate: 0.5 };
        let mut l = L::new(&settings, &[0, 1, 1], 2);
        let before = l.labels.clone();
        let sure = |p: f64| vec![p.ln(), (1.0 - p).ln()];
        for _ in 0..100 {
            l.after_epoch(&|| Ok(vec![sure(0.9), sure(0.9), sure(0.2)])).unwrap();
        }
        assert_eq!(l.labels.weights, before.weights);
        assert_eq!(l.labels.share_moved(&[Some(0), Some(1), Some(1)]), 1.0 / 3.0);
        assert!(l.labels.distributions[1][0] > 0.9);
    }
}
