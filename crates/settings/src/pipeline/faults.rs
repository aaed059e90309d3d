//! What a pipeline that reads well may still not say.

use super::{Pipeline, TrainingSettings};
use crate::SynthSettings;

/// Far above any network worth training here, and low enough that no size computed from it wraps.
pub const MOST_UNITS: usize = 1 << 16;

impl Pipeline {
    /// What is wrong with the pipeline first.
    pub(super) fn fault(&self) -> Option<String> {
        let message = first(&self.file_faults()).or_else(|| self.training.fault());
        let own = || self.methods.0.keys().find_map(|method| self.training_of(method).err());
        let message = message.or_else(own);
        let noise = self.label_noise.as_ref();
        let noise = || noise.and_then(|noise| noise.fault(&self.split.classes)).map(str::to_owned);
        message.or_else(noise)
    }

    fn file_faults(&self) -> Vec<(bool, &'static str)> {
        let named = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let split = self.split.fault();
        let noise_rates = self.label_noise.as_ref().map_or(0, |noise| noise.rates.len());
        let noisy = self
            .label_noise
            .as_ref()
            .is_some_and(|noise| noise.rates.iter().any(|&rate| rate > 0.0));
        let synth = self.synth.as_ref().and_then(SynthSettings::fault);
        vec![
            (synth.is_some(), synth.unwrap_or_default()),
            (self.schema != 1, "schema: this version reads 1"),
            (
                !(1..=64).contains(&self.name.len()) || !self.name.chars().all(named),
                "name: use letters, digits, - and _, 64 of them at most",
            ),
            (
                self.synth.is_some() && self.corpus.root.is_some(),
                "corpus.root and [synth] exclude each other; the synthetic corpus is made",
            ),
            (split.is_some(), split.unwrap_or_default()),
            (self.methods.0.is_empty(), "methods: name at least one, as [methods.baseline]"),
            (
                self.corrections.is_some() && noise_rates > 1,
                "[corrections] is of the labels of one rate of noise; name one in label_noise.rates",
            ),
            (
                self.corrections.is_some() && noisy && self.training.seeds.len() > 1,
                "[corrections] is of the labels that one seed exchanged; name one in training.seeds",
            ),
            (
                self.corrections.as_ref().is_some_and(|c| c.test) && noisy,
                "corrections.test would test on exchanged labels; leave it or [label_noise] out",
            ),
        ]
    }
}

impl TrainingSettings {
    /// What is wrong with them first, by path.
    pub(super) fn fault(&self) -> Option<String> {
        let t = self;
        let positive = |x: f64| x.is_finite() && x > 0.0;
        first(&[
            (t.seeds.is_empty(), "training.seeds: name at least one"),
            (repeated(&t.seeds), "training.seeds: a seed is named twice"),
            (t.batch_size == 0, "training.batch_size: at least 1"),
            (!positive(t.learning_rate), "training.learning_rate: above 0"),
            (is_negative(t.gradient_clip), "training.gradient_clip: 0 (never) or above"),
            (t.max_epochs == 0 || t.patience == 0, "training.max_epochs and patience: at least 1"),
            (
                t.keep.last().is_some_and(|count| !(1..=t.max_epochs).contains(&count)),
                "training.keep: the number of last epochs is from 1 to max_epochs",
            ),
        ])
    }
}

/// The message of the first that is so.
fn first(faults: &[(bool, &str)]) -> Option<String> {
    faults.iter().find_map(|&(bad, message)| bad.then(|| message.to_owned()))
}

/// Whether a setting that is 0 or above is not; NaN and infinity are no numbers to compute with.
pub fn is_negative(x: f64) -> bool {
    !x.is_finite() || x < 0.0
}

fn repeated<T: PartialEq>(items: &[T]) -> bool {
    (1..items.len()).any(|at| items[..at].contains(&items[at]))
}
