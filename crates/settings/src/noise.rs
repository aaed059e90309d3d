//! Known label noise: section `[label_noise]` of a pipeline.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How labels are exchanged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoiseKind {
    /// Every class at the same rate, to any other class alike.
    Symmetric,
    /// By class: at the rate times the sum of the class's row, to other classes in the row's
    /// proportions. A class without a row keeps its labels.
    ClassDependent(BTreeMap<String, BTreeMap<String, f64>>),
    /// By class, as the corpus's annotators confuse classes: each at the rate times its share of votes for other
    /// classes, over that of all, to other classes in proportion of these votes.
    Votes,
    /// By speaker: half of the speakers at one and a half times the rate, the others at half of it.
    SpeakerDependent,
    /// By utterance: every class at the same rate, to any other class alike, of utterances drawn in proportion to
    /// 1 less an attribute of the corpus, the share of listeners who recognised the emotion.
    Unrecognised(String),
}

impl NoiseKind {
    /// The kind in a word, as the pipeline file says it.
    pub fn id(&self) -> &'static str {
        match self {
            Self::Symmetric => "symmetric",
            Self::ClassDependent(_) => "class-dependent",
            Self::Votes => "votes",
            Self::SpeakerDependent => "speaker-dependent",
            Self::Unrecognised(_) => "unrecognised",
        }
    }
}

/// Section `[label_noise]`: gold labels of training and validation utterances are exchanged at each
/// of some rates; those tested stay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelNoiseSettings {
    /// Shares of labels exchanged, from 0 to below 1; each is a whole cross-validation.
    pub rates: Vec<f64>,
    /// How labels are exchanged.
    pub kind: NoiseKind,
    /// Seed of the choice of labels; every seed of training has a choice of its own.
    pub seed: u64,
}

/// Label noise of one rate and one seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoiseParams {
    /// How labels are exchanged.
    pub kind: NoiseKind,
    /// Share of labels exchanged.
    pub rate: f64,
    /// Seed of the choice.
    pub seed: u64,
}

impl LabelNoiseSettings {
    /// The noise at a rate for runs of a training seed.
    pub fn params(&self, rate: f64, training_seed: u64) -> NoiseParams {
        let seed = self.seed.wrapping_add(training_seed);
        NoiseParams { kind: self.kind.clone(), rate, seed }
    }

    /// What is wrong with it, for these classes.
    pub(crate) fn fault(&self, classes: &[String]) -> Option<&'static str> {
        let rates = &self.rates;
        let rising = rates.windows(2).all(|pair| pair[0] < pair[1]);
        let faults = [
            (rates.is_empty(), "label_noise.rates: name at least one"),
            (!rising, "label_noise.rates: each above the one before"),
            (
                !rates.iter().all(|rate| (0.0..1.0).contains(rate)),
                "label_noise.rates: from 0 to below 1",
            ),
        ];
        let fault = faults.into_iter().find_map(|(bad, message)| bad.then_some(message));
        fault.or_else(|| self.row_fault(classes))
    }

    fn row_fault(&self, classes: &[String]) -> Option<&'static str> {
        let NoiseKind::ClassDependent(rows) = &self.kind else { return None };
        let top = self.rates.last().copied().unwrap_or_default();
        let fault = |(from, row): (&String, &BTreeMap<String, f64>)| {
            if !classes.contains(from) || row.keys().any(|to| !classes.contains(to) || to == from) {
                return Some("label_noise.kind: rows are from one of split.classes to others");
            }
            let sum: f64 = row.values().sum();
            let bad = row.values().any(|&weight| weight.is_nan() || weight <= 0.0);
            (bad || top * sum > 1.0)
                .then_some("label_noise.kind: a row's values are above 0, and rate × sum at most 1")
        };
        rows.iter().find_map(fault)
    }
}
