//! `summary.json`: every rate of a pipeline, per method, seed and fold.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{Confusion, EvalError, LabelMoves, Rates, method_order};

mod builder;

pub use builder::{SummaryBuilder, Tested};

/// Contents of `results/<pipeline>/summary.json`. Rates are fractions of 1, `null` where undefined.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// Version of this file's schema; 3. Files of version 1, which lack averages of F1 and rates of
    /// probabilities, and of version 2, which lack labels after the last epoch, are read.
    pub schema: u32,
    /// The pipeline's name.
    pub pipeline: String,
    /// Whether the corpus is synthetic, so that the rates say nothing of real speech.
    pub synthetic: bool,
    /// Whether what is called folds here are test sets of one published split, tested by the same
    /// models: means and deviations over them are of no use then. Absent where they are folds.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub test_sets: bool,
    /// Test sets by the name of a fold that tests what other folds test, each validated by others; a set
    /// that is one fold is not named.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub in_turn: BTreeMap<String, String>,
    /// The classes, in the order of every list and matrix.
    pub classes: Vec<String>,
    /// Results by method id; see [`Self::methods_in_order`].
    pub methods: BTreeMap<String, MethodSummary>,
}

/// Results of one method.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MethodSummary {
    /// One cross-validation per seed.
    pub seeds: BTreeMap<u64, SeedSummary>,
    /// All of them together.
    pub over_seeds: OverSeeds,
    /// Its models of several seeds, or of folds that test the same, taken as one; absent where there is one
    /// model a test set, or a run is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ensemble: Option<Ensemble>,
}

/// Models of several seeds, or of folds that test the same, taken as one, whose probabilities are the mean of theirs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ensemble {
    /// How many seeds there are.
    pub seeds: usize,
    /// How many models of each seed test the same; absent where it is one.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub parts: usize,
    /// Rates by fold name, or by test set where folds test the same.
    pub folds: BTreeMap<String, Rates>,
    /// Mean over folds of every rate.
    pub mean: Rates,
    /// Sample standard deviation over folds.
    pub sd_folds: Rates,
    /// Rates of all folds' utterances taken as one set.
    pub pooled: Pooled,
}

fn one() -> usize {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference over")]
fn is_one(count: &usize) -> bool {
    *count == 1
}

impl MethodSummary {
    /// Every fold's rates, averaged over the seeds that tested it, by fold name.
    pub fn fold_means(&self) -> BTreeMap<&str, Rates> {
        builder::fold_means(&self.seeds)
    }

    /// The results of some folds, seed by seed.
    pub fn runs_of<'a>(&'a self, folds: &'a [&'a str]) -> impl Iterator<Item = &'a FoldResult> {
        let of_seed = move |seed: &'a SeedSummary| folds.iter().filter_map(|f| seed.folds.get(*f));
        self.seeds.values().flat_map(of_seed)
    }

    /// Mean and sample standard deviation of rates over the models that tested a set, which are of several
    /// seeds or of several folds.
    pub fn over_models_of(&self, folds: &[&str]) -> (Rates, Rates) {
        Rates::mean_and_sd(&self.runs_of(folds).map(FoldResult::rates).collect::<Vec<_>>())
    }

    /// How many runs there are: fewer than seeds times folds where some are missing.
    pub fn runs(&self) -> usize {
        self.seeds.values().map(|seed| seed.folds.len()).sum()
    }

    /// How many runs its seeds and folds call for.
    pub fn planned_runs(&self) -> usize {
        self.seeds.len() * self.fold_means().len()
    }
}

/// One cross-validation: a method and a seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedSummary {
    /// Results by fold name.
    pub folds: BTreeMap<String, FoldResult>,
    /// Mean over folds of every rate, the paper's reading of Table 2.
    pub mean: Rates,
    /// Sample standard deviation over folds.
    pub sd: Rates,
    /// Rates of the folds' summed confusion matrix.
    pub pooled: Pooled,
    /// Learned labels of the training utterances; `None` where the method learns none.
    pub labels: Option<LabelMoves>,
}

/// A method over all its seeds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OverSeeds {
    /// Mean over folds of each fold's mean over seeds.
    pub mean: Rates,
    /// Sample standard deviation over folds of each fold's mean over seeds.
    pub sd_folds: Rates,
    /// Sample standard deviation over seeds of the means over folds.
    pub sd_seeds: Rates,
    /// Rates of the confusion matrix summed over folds and seeds.
    pub pooled: Pooled,
}

/// One fold, tested.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FoldResult {
    /// Weighted accuracy.
    pub wa: f64,
    /// Unweighted accuracy (UAR), over the classes that occur in the fold.
    pub ua: f64,
    /// Utterances tested.
    pub n: u64,
    /// Counts by gold (row) and predicted class (column).
    pub confusion: Confusion,
    /// Precision per class.
    pub precision: Vec<Option<f64>>,
    /// Recall per class.
    pub recall: Vec<Option<f64>>,
    /// F1 per class.
    pub f1: Vec<Option<f64>>,
    /// Mean F1 of the classes that occur.
    pub macro_f1: Option<f64>,
    /// Mean F1 of the classes, each as heavy as it has utterances.
    pub weighted_f1: Option<f64>,
    /// Expected calibration error over 15 bins.
    pub ece: Option<f64>,
    /// Brier score.
    pub brier: Option<f64>,
    /// Mean negative log likelihood of the gold labels.
    pub nll: Option<f64>,
    /// Counts of each group of utterances, which evidence is drawn by: of each speaker where speakers
    /// are divided or told by. Absent where the fold is one group of its own name, and where utterances'
    /// groups are not known.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub groups: BTreeMap<String, Confusion>,
    /// The epoch whose parameters were tested.
    pub best_epoch: usize,
    /// Epochs trained.
    pub epochs: usize,
}

impl FoldResult {
    /// The groups tested in the fold of this name, with their counts.
    pub(crate) fn groups<'a>(&'a self, name: &'a str) -> Vec<(&'a str, &'a Confusion)> {
        if self.groups.is_empty() {
            return vec![(name, &self.confusion)];
        }
        self.groups.iter().map(|(group, counts)| (group.as_str(), counts)).collect()
    }

    /// The fold's rates, in the shape of means and deviations.
    pub fn rates(&self) -> Rates {
        Rates {
            wa: Some(self.wa),
            ua: Some(self.ua),
            precision: self.precision.clone(),
            recall: self.recall.clone(),
            f1: self.f1.clone(),
            macro_f1: self.macro_f1,
            weighted_f1: self.weighted_f1,
            ece: self.ece,
            brier: self.brier,
            nll: self.nll,
        }
    }
}

/// Rates of several folds' utterances taken as one set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pooled {
    /// Weighted accuracy.
    pub wa: f64,
    /// Unweighted accuracy.
    pub ua: f64,
    /// Predictions counted.
    pub n: u64,
    /// Counts by gold (row) and predicted class (column).
    pub confusion: Confusion,
    /// Precision per class.
    pub precision: Vec<Option<f64>>,
    /// Recall per class.
    pub recall: Vec<Option<f64>>,
    /// F1 per class.
    pub f1: Vec<Option<f64>>,
    /// Mean F1 of the classes that occur.
    pub macro_f1: Option<f64>,
    /// Mean F1 of the classes, each as heavy as it has utterances.
    pub weighted_f1: Option<f64>,
    /// Expected calibration error over 15 bins.
    pub ece: Option<f64>,
    /// Brier score.
    pub brier: Option<f64>,
    /// Mean negative log likelihood of the gold labels.
    pub nll: Option<f64>,
}

impl Pooled {
    /// The rates, in the shape of means and deviations.
    pub fn rates(&self) -> Rates {
        Rates {
            wa: Some(self.wa),
            ua: Some(self.ua),
            precision: self.precision.clone(),
            recall: self.recall.clone(),
            f1: self.f1.clone(),
            macro_f1: self.macro_f1,
            weighted_f1: self.weighted_f1,
            ece: self.ece,
            brier: self.brier,
            nll: self.nll,
        }
    }
}

impl Summary {
    /// The schema that is written.
    pub const SCHEMA: u32 = 3;

    /// Reads a `summary.json`.
    pub fn from_json(text: &str) -> Result<Self, EvalError> {
        parse("summary.json", text, 1..=Self::SCHEMA)
    }

    /// Writes a `summary.json`: equal summaries give equal bytes.
    pub fn to_json(&self) -> Result<String, EvalError> {
        pretty("summary.json", self)
    }

    /// The folds that were tested, by what they tested: each by itself, but for those that test the same.
    pub fn sets(&self) -> BTreeMap<&str, Vec<&str>> {
        let folds: BTreeSet<&str> =
            self.methods.values().flat_map(|m| m.fold_means().into_keys()).collect();
        let mut sets: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for fold in folds {
            let set = self.in_turn.get(fold).map_or(fold, String::as_str);
            sets.entry(set).or_default().push(fold);
        }
        sets
    }

    /// Methods with their results, in the order of Table 2; those not in it last, by name.
    pub fn methods_in_order(&self) -> Vec<(&str, &MethodSummary)> {
        let mut methods: Vec<_> = self.methods.iter().map(|(id, m)| (id.as_str(), m)).collect();
        methods.sort_by_key(|(id, _)| method_order(id));
        methods
    }
}

/// The version of a JSON document's form, whatever else is in it.
#[derive(Deserialize)]
struct Schema {
    schema: u32,
}

/// A JSON document of one of the `known` schemas.
pub(crate) fn parse<T: DeserializeOwned>(
    document: &'static str,
    text: &str,
    known: RangeInclusive<u32>,
) -> Result<T, EvalError> {
    let json = |message| EvalError::Json { document, message };
    let read = |error: serde_json::Error| json(error.to_string());
    let found = serde_json::from_str::<Schema>(text).map_err(read)?.schema;
    if known.contains(&found) {
        return serde_json::from_str(text).map_err(read);
    }
    let (first, last) = known.into_inner();
    let known = if first == last { last.to_string() } else { format!("{first} to {last}") };
    Err(json(format!("schema = {found} is not known; this version reads {known}")))
}

/// Indented JSON with a line end.
pub(crate) fn pretty(document: &'static str, value: &impl Serialize) -> Result<String, EvalError> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| EvalError::Json { document, message: error.to_string() })?;
    Ok(text + "\n")
}

#[cfg(test)]
pub(crate) mod tests;
