//! Section `[methods.cyclegan]`: synthetic utterances as further training data (Bao et al. 2019).

use ambivox_settings::{MOST_UNITS, is_negative};
use serde::{Deserialize, Serialize};

/// The unlabelled utterances that are carried over to each emotion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pool {
    /// The fold's training utterances without their labels.
    Training,
    /// Those and the utterances of the training speakers that the annotators did not agree on.
    TrainingAndAmbiguous,
}

/// Section `[methods.cyclegan]`. The classifier is trained as `[training]` says, the generators and
/// discriminators as this section does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CycleganSettings {
    /// What the generators start from.
    pub pool: Pool,
    /// Units of a generator's hidden layers (1000, 500, 1000 as published).
    pub generator: Vec<usize>,
    /// Units of a discriminator's hidden layers (1000, 1000 as published).
    pub discriminator: Vec<usize>,
    /// Units of the classifier's hidden layers (100, 100 as published).
    pub classifier: Vec<usize>,
    /// Slope of the leaky ReLU below 0, in all of them.
    pub leak: f64,
    /// Share of a generator's hidden activations dropped (0.2 as published).
    pub generator_dropout: f64,
    /// Share of a discriminator's hidden activations dropped (0.2 as published).
    pub discriminator_dropout: f64,
    /// Share of the classifier's hidden activations dropped (0.5 as published).
    pub classifier_dropout: f64,
    /// What a discriminator is to say of a real utterance (0.9 as published); of a synthetic one, 0.
    pub real_label: f64,
    /// Weight of the cycle loss (5 as published).
    pub cycle_weight: f64,
    /// Weight of the classification loss of synthetic utterances (2 as published).
    pub class_weight: f64,
    /// Epochs of the generators on the cycle loss alone, before those of `epochs`.
    pub pretraining_epochs: usize,
    /// Epochs of generators against discriminators, over the pool.
    pub epochs: usize,
    /// Utterances per mini-batch (64 as published).
    pub batch_size: usize,
    /// Updates of the generators for each of the discriminators (2 as published).
    pub generator_steps: usize,
    /// Adam's step size for generators and discriminators (2e-4 as published).
    pub learning_rate: f64,
    /// What the step size is multiplied by every `decay_epochs` (0.8 as published).
    pub decay: f64,
    /// Epochs between two such reductions (50 as published).
    pub decay_epochs: usize,
    /// Share of the pool, drawn again for each emotion, that is carried over to it for the
    /// classifier; 0: it is trained on real utterances alone.
    pub synthetic_share: f64,
}

impl CycleganSettings {
    /// What is wrong with the section first.
    pub(super) fn first_fault(&self) -> Option<&'static str> {
        let faults = self.size_faults().into_iter().chain(self.number_faults());
        faults.into_iter().find_map(|(bad, message)| bad.then_some(message))
    }

    fn size_faults(&self) -> [(bool, &'static str); 4] {
        let layers = [&self.generator, &self.discriminator, &self.classifier];
        let mut units = layers.into_iter().flatten();
        [
            (
                units.any(|units| !(1..=MOST_UNITS).contains(units)),
                "units in generator, discriminator and classifier are from 1 to 65536",
            ),
            (self.batch_size == 0, "batch_size is at least 1"),
            (self.generator_steps == 0, "generator_steps is at least 1"),
            (self.decay_epochs == 0, "decay_epochs is at least 1"),
        ]
    }

    fn number_faults(&self) -> [(bool, &'static str); 7] {
        let dropouts =
            [self.generator_dropout, self.discriminator_dropout, self.classifier_dropout];
        let positive = |x: f64| x.is_finite() && x > 0.0;
        [
            (!(0.0..1.0).contains(&self.leak), "leak is from 0 to below 1"),
            (
                dropouts.iter().any(|rate| !(0.0..1.0).contains(rate)),
                "generator_dropout, discriminator_dropout and classifier_dropout are from 0 to \
                 below 1",
            ),
            (
                !(self.real_label > 0.5 && self.real_label <= 1.0),
                "real_label is above 0.5 and at most 1",
            ),
            (
                is_negative(self.cycle_weight) || is_negative(self.class_weight),
                "cycle_weight and class_weight are 0 or above",
            ),
            (!positive(self.learning_rate), "learning_rate is above 0"),
            (!(self.decay > 0.0 && self.decay <= 1.0), "decay is above 0 and at most 1"),
            (!(0.0..=1.0).contains(&self.synthetic_share), "synthetic_share is from 0 to 1"),
        ]
    }
}
