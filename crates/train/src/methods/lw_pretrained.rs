//! BLSTM + ATT + L + w, pretrained: some epochs on the gold labels, then as `lw`.

use ambivox_settings::LwPretrainedSettings;

use super::lw::Lw;
use super::{Learned, Method, Outputs};
use crate::TrainError;
use crate::labels::{Labels, initial_weights, one_hot};

/// The method `lw-pretrained`.
#[derive(Debug)]
pub(super) struct LwPretrained {
    /// Labels while the network is pretrained.
    gold: Labels,
    lw: Lw,
    pretraining_epochs: usize,
    epochs_done: usize,
}

impl LwPretrained {
    pub(super) fn new(settings: &LwPretrainedSettings, gold: &[usize], classes: usize) -> Self {
        let distributions = gold.iter().map(|&gold| one_hot(gold, classes)).collect();
        Self {
            gold: Labels { distributions, weights: initial_weights(gold, classes) },
            lw: Lw::new(&settings.lw(), gold, classes),
            pretraining_epochs: settings.pretraining_epochs,
            epochs_done: 0,
        }
    }
}

impl Method for LwPretrained {
    fn labels(&self) -> &Labels {
        if self.epochs_done < self.pretraining_epochs { &self.gold } else { self.lw.labels() }
    }

    fn learns_labels(&self) -> bool {
        true
    }

    fn learns_weights(&self) -> bool {
        true
    }

    fn after_epoch(&mut self, outputs: &Outputs<'_>) -> Result<(), TrainError> {
        self.epochs_done += 1;
        if self.epochs_done > self.pretraining_epochs {
            self.lw.after_epoch(outputs)?;
        }
        Ok(())
    }

    fn learned(&self) -> Learned {
        self.lw.learned()
    }

    fn resume(&mut self, epochs: usize, learned: Learned) {
        self.epochs_done = epochs;
        self.lw.resume(epochs, learned);
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
        };
        let gold = [0, 1, 1];
        let mut method = LwPretrained::new(&settings, &gold, 2);
        let mut lw = Lw::new(&settings.lw(), &gold, 2);
        let outputs = || Ok(vec![vec![0.3_f64.ln(), 0.7_f64.ln()]; 3]);
        assert_eq!(method.labels().distributions[0], [1.0, 0.0]);
        method.after_epoch(&|| panic!("not needed while pretraining")).unwrap();
        assert_eq!(method.labels(), &method.gold);
        method.after_epoch(&|| panic!("not needed while pretraining")).unwrap();
        assert_eq!(method.labels(), lw.labels());
        method.after_epoch(&outputs).unwrap();
        lw.after_epoch(&outputs).unwrap();
        assert_eq!(method.labels(), lw.labels());
        assert_ne!(method.labels().weights, initial_weights(&gold, 2));
    }
}
