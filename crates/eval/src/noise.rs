//! `noise.json`: what label noise of several rates does to each method, and who finds it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::summary::{parse, pretty};
use crate::{Detection, EvalError, LabelRepair, MethodSummary, Summary, mean_sd};

/// Contents of `results/<pipeline>/noise.json`. Rates are fractions of 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoiseSummary {
    /// Version of this file's form; 4.
    pub schema: u32,
    /// The pipeline's name.
    pub pipeline: String,
    /// How labels were exchanged, in a word.
    pub kind: String,
    /// Results by method id, each by rising rate.
    pub methods: BTreeMap<String, Vec<NoisePoint>>,
    /// How well scores find the exchanged labels, by rising rate.
    pub detection: Vec<NoiseDetection>,
    /// Names of the detectors that together find the most noisy labels, by method id.
    pub chosen: BTreeMap<String, Vec<String>>,
}

/// A method at one rate of noise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoisePoint {
    /// Share of labels exchanged.
    pub rate: f64,
    /// Weighted accuracy on clean test labels.
    pub wa: Spread,
    /// Unweighted accuracy on clean test labels.
    pub ua: Spread,
    /// Both for each test set, where those tested are test sets of one split, of which the two above are
    /// means of no data in particular.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub test_sets: BTreeMap<String, SetPoint>,
    /// What became of exchanged and of untouched labels, all seeds together; `None` where the method
    /// learns no labels or none was exchanged.
    pub repair: Option<LabelRepair>,
}

/// Rates on one test set, over the models that tested it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetPoint {
    /// Weighted accuracy on clean test labels.
    pub wa: Spread,
    /// Unweighted accuracy on clean test labels.
    pub ua: Spread,
}

/// Mean and sample standard deviation over seeds, or over the models of a test set.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spread {
    /// Mean over seeds.
    pub mean: f64,
    /// Sample standard deviation over seeds; `None` of one seed.
    pub sd: Option<f64>,
}

impl Spread {
    /// Of some values; `None` of none.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        mean_sd(values).map(|over| Self { mean: over.mean, sd: over.sd })
    }
}

/// How well a method's score finds the labels exchanged at a rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoiseDetection {
    /// Share of labels exchanged.
    pub rate: f64,
    /// The method's id.
    pub method: String,
    /// The detector's name.
    pub score: String,
    /// Area under the ROC curve.
    pub auroc: Spread,
    /// Average precision.
    pub average_precision: Spread,
    /// Share of exchanged labels among so many most suspect as [`FIRST`](crate::FIRST) has.
    pub first: [Spread; 3],
    /// The same of one network at a time, over all that trained on the utterance, as means over folds and
    /// seeds: an utterance is tested by one network of a seed and trained on by many, and a mean over many is
    /// not to be set beside one. Absent of detectors that ask no network that trained on the utterance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alone: Option<Alone>,
}

/// How well single networks find the labels exchanged.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alone {
    /// Area under the ROC curve.
    pub auroc: Spread,
    /// Average precision.
    pub average_precision: Spread,
}

impl NoiseDetection {
    /// Of the detections of several seeds, and those of single networks; `None` of no seed.
    pub fn over_seeds(
        rate: f64,
        method: &str,
        score: &str,
        seeds: &[Detection],
        alone: &[Detection],
    ) -> Option<Self> {
        let areas = |all: &[Detection]| {
            let auroc = Spread::of(all.iter().map(|found| found.auroc))?;
            Some((auroc, Spread::of(all.iter().map(|found| found.average_precision))?))
        };
        let (auroc, average_precision) = areas(seeds)?;
        let alone = areas(alone);
        let alone = alone.map(|(auroc, average_precision)| Alone { auroc, average_precision });
        let among = |place: usize| Spread::of(seeds.iter().map(|found| found.first[place]));
        let first = [among(0)?, among(1)?, among(2)?];
        let (method, score) = (method.to_owned(), score.to_owned());
        Some(Self { rate, method, score, auroc, average_precision, first, alone })
    }
}

impl NoisePoint {
    /// A method's results at a rate, of a summary that has them; `None` where no seed has defined rates.
    pub fn of(rate: f64, summary: &Summary, method: &MethodSummary) -> Option<Self> {
        let seeds = || method.seeds.values();
        let mut repair: Option<LabelRepair> = None;
        for more in seeds().filter_map(|seed| seed.labels.as_ref()?.repair.as_ref()) {
            repair.get_or_insert_default().merge(more);
        }
        Some(Self {
            rate,
            wa: Spread::of(seeds().filter_map(|seed| seed.mean.wa))?,
            ua: Spread::of(seeds().filter_map(|seed| seed.mean.ua))?,
            test_sets: test_sets(summary, method),
            repair: repair.filter(|repair| rate > 0.0 && repair.wrong > 0),
        })
    }
}

/// A method's rates on each test set; none where those tested are folds.
fn test_sets(summary: &Summary, method: &MethodSummary) -> BTreeMap<String, SetPoint> {
    let sets = if summary.test_sets { summary.sets() } else { BTreeMap::new() };
    let point = |(set, folds): (&str, Vec<&str>)| {
        let wa = Spread::of(method.runs_of(&folds).map(|fold| fold.wa))?;
        let ua = Spread::of(method.runs_of(&folds).map(|fold| fold.ua))?;
        Some((set.to_owned(), SetPoint { wa, ua }))
    };
    sets.into_iter().filter_map(point).collect()
}

impl NoiseSummary {
    /// The version of the form that is written and read.
    pub const SCHEMA: u32 = 4;

    /// Reads a `noise.json`.
    pub fn from_json(text: &str) -> Result<Self, EvalError> {
        parse("noise.json", text, Self::SCHEMA..=Self::SCHEMA)
    }

    /// Writes a `noise.json`: equal summaries give equal bytes.
    pub fn to_json(&self) -> Result<String, EvalError> {
        pretty("noise.json", self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_averaged() {
        let found = |auroc, average_precision| Detection {
            auroc,
            average_precision,
            first: [auroc, 0.5 * auroc, 0.0],
        };
        let seeds = [found(0.7, 0.4), found(0.9, 0.6)];
        let over =
            NoiseDetection::over_seeds(0.2, "lw", "weight", &seeds, &[found(0.6, 0.2)]).unwrap();
        let alone = over.alone.unwrap();
        assert_eq!((alone.auroc.mean, alone.average_precision.mean), (0.6, 0.2));
        assert!((over.auroc.mean - 0.8).abs() < 1e-15);
        let first = over.first.map(|first| (first.mean * 100.0).round());
        assert_eq!(first, [80.0, 40.0, 0.0]);
        assert!((over.average_precision.sd.unwrap() - 0.02_f64.sqrt()).abs() < 1e-15);
        assert_eq!(NoiseDetection::over_seeds(0.2, "lw", "weight", &[], &[]), None);
    }

    #[test]
    fn test_sets_stand_apart() {
        let mut summary = crate::summary::tests::tiny();
        let point = |summary: &Summary| {
            NoisePoint::of(0.1, summary, &summary.methods["lw"]).unwrap().test_sets
        };
        assert!(point(&summary).is_empty(), "folds");
        summary.test_sets = true;
        let sets = point(&summary);
        assert!(sets.keys().eq(summary.sets().into_keys()));
        let method = &summary.methods["lw"];
        for (set, point) in &sets {
            assert!((point.wa.mean - method.fold_means()[set.as_str()].wa.unwrap()).abs() < 1e-12);
        }
        // Folds that test the same are one set.
        let folds: Vec<String> = sets.into_keys().collect();
        summary.in_turn = folds.into_iter().map(|fold| (fold, "test".to_owned())).collect();
        assert!(point(&summary).keys().eq(["test"]));
    }

    #[test]
    fn a_summary_reads_as_it_was_written() {
        let spread = Spread { mean: 0.5, sd: None };
        let point = NoisePoint {
            rate: 0.1,
            wa: spread,
            ua: spread,
            test_sets: BTreeMap::new(),
            repair: None,
        };
        let summary = NoiseSummary {
            schema: NoiseSummary::SCHEMA,
            pipeline: "noise".to_owned(),
            kind: "symmetric".to_owned(),
            methods: BTreeMap::from([("lw".to_owned(), vec![point])]),
            detection: vec![NoiseDetection {
                rate: 0.1,
                method: "baseline".to_owned(),
                score: "confident-learning".to_owned(),
                auroc: spread,
                average_precision: spread,
                first: [spread; 3],
                alone: None,
            }],
            chosen: BTreeMap::from([("baseline".to_owned(), vec!["loss".to_owned()])]),
        };
        let text = summary.to_json().unwrap();
        assert!(text.contains("\"confident-learning\""), "{text}");
        assert_eq!(NoiseSummary::from_json(&text).unwrap(), summary);
        for other in ["\"schema\": 5", "\"schema\": 1, \"more\": 0"] {
            let other = text.replace("\"schema\": 4", other);
            let refused = NoiseSummary::from_json(&other).unwrap_err().to_string();
            assert!(refused.contains("is not known; this version reads 4"), "{refused}");
        }
    }
}
