//! From runs to a summary.

use std::collections::BTreeMap;

use super::{FoldResult, MethodSummary, OverSeeds, Pooled, SeedSummary, Summary};
use crate::{Confusion, EvalError, LabelMoves, Rates, RunHistory};

type Folds = BTreeMap<String, FoldResult>;

/// Collects runs, in any order, into a [`Summary`].
#[derive(Debug)]
pub struct SummaryBuilder {
    pipeline: String,
    synthetic: bool,
    classes: Vec<String>,
    methods: BTreeMap<String, BTreeMap<u64, SeedRuns>>,
}

#[derive(Debug, Default)]
struct SeedRuns {
    folds: Folds,
    labels: Option<LabelMoves>,
}

impl SummaryBuilder {
    /// A summary without runs.
    pub fn new(pipeline: &str, classes: &[String], synthetic: bool) -> Self {
        Self {
            pipeline: pipeline.to_owned(),
            synthetic,
            classes: classes.to_vec(),
            methods: BTreeMap::new(),
        }
    }

    /// Adds a run: its confusion matrix and how it was trained.
    ///
    /// Errors: other classes than the summary's, nothing tested, a faulty history, or a method,
    /// seed and fold that were added before.
    pub fn add_run(&mut self, confusion: Confusion, history: &RunHistory) -> Result<(), EvalError> {
        history.check()?;
        self.check_classes(history)?;
        let run = || history.run();
        let fold = fold_result(confusion, history, self.classes.len())?
            .ok_or_else(|| EvalError::EmptyFold { run: run() })?;
        let seeds = self.methods.entry(history.method.clone()).or_default();
        let folds = &mut seeds.entry(history.seed).or_default().folds;
        if folds.insert(history.fold.clone(), fold).is_some() {
            return Err(EvalError::RepeatedRun { run: run() });
        }
        Ok(())
    }

    /// Adds the learned labels of a fold's training utterances to those of its method and seed,
    /// of which a run has been added before.
    pub fn add_labels(
        &mut self,
        method: &str,
        seed: u64,
        labels: &LabelMoves,
    ) -> Result<(), EvalError> {
        let classes = self.classes.len();
        let runs = self.methods.get_mut(method).and_then(|seeds| seeds.get_mut(&seed));
        let runs = runs.ok_or_else(|| EvalError::UnknownRun {
            run: format!("method {method}, seed {seed}"),
        })?;
        let none = LabelMoves { moves: Confusion::new(classes), repair: None };
        runs.labels.get_or_insert(none).merge(labels)
    }

    /// Means, deviations and pooled rates of what was added.
    pub fn finish(self) -> Result<Summary, EvalError> {
        let classes = self.classes.len();
        let mut methods = BTreeMap::new();
        for (method, seeds) in self.methods {
            methods.insert(method, method_summary(seeds, classes)?);
        }
        Ok(Summary {
            schema: 1,
            pipeline: self.pipeline,
            synthetic: self.synthetic,
            classes: self.classes,
            methods,
        })
    }

    fn check_classes(&self, history: &RunHistory) -> Result<(), EvalError> {
        if history.classes == self.classes {
            return Ok(());
        }
        Err(EvalError::ClassesDiffer {
            run: history.run(),
            found: history.classes.clone(),
            expected: self.classes.clone(),
        })
    }
}

/// `None` where nothing was tested.
fn fold_result(
    confusion: Confusion,
    history: &RunHistory,
    classes: usize,
) -> Result<Option<FoldResult>, EvalError> {
    if confusion.classes() != classes {
        return Err(EvalError::NotSquare { classes });
    }
    Ok(pool(confusion).map(|tested| FoldResult {
        wa: tested.wa,
        ua: tested.ua,
        n: tested.n,
        confusion: tested.confusion,
        precision: tested.precision,
        recall: tested.recall,
        f1: tested.f1,
        best_epoch: history.best_epoch,
        epochs: history.epochs.len(),
    }))
}

/// `None` where the matrix counts nothing.
fn pool(confusion: Confusion) -> Option<Pooled> {
    let rates = confusion.rates();
    Some(Pooled {
        wa: rates.wa?,
        ua: rates.ua?,
        n: confusion.total(),
        confusion,
        precision: rates.precision,
        recall: rates.recall,
        f1: rates.f1,
    })
}

fn pool_folds<'a>(
    folds: impl Iterator<Item = &'a FoldResult>,
    classes: usize,
) -> Result<Pooled, EvalError> {
    let mut sum = Confusion::new(classes);
    for fold in folds {
        sum.merge(&fold.confusion)?;
    }
    pool(sum).ok_or_else(|| EvalError::EmptyFold { run: "all folds".to_owned() })
}

fn method_summary(
    seeds: BTreeMap<u64, SeedRuns>,
    classes: usize,
) -> Result<MethodSummary, EvalError> {
    let mut summaries = BTreeMap::new();
    for (seed, runs) in seeds {
        summaries.insert(seed, seed_summary(runs, classes)?);
    }
    let over_seeds = over_seeds(&summaries, classes)?;
    Ok(MethodSummary { seeds: summaries, over_seeds })
}

fn seed_summary(runs: SeedRuns, classes: usize) -> Result<SeedSummary, EvalError> {
    let rates: Vec<Rates> = runs.folds.values().map(FoldResult::rates).collect();
    let (mean, sd) = Rates::mean_and_sd(&rates);
    let pooled = pool_folds(runs.folds.values(), classes)?;
    Ok(SeedSummary { folds: runs.folds, mean, sd, pooled, labels: runs.labels })
}

fn over_seeds(seeds: &BTreeMap<u64, SeedSummary>, classes: usize) -> Result<OverSeeds, EvalError> {
    let (mean, sd_folds) = Rates::mean_and_sd(&fold_means(seeds).into_values().collect::<Vec<_>>());
    let seed_means: Vec<Rates> = seeds.values().map(|seed| seed.mean.clone()).collect();
    let (_, sd_seeds) = Rates::mean_and_sd(&seed_means);
    let pooled = pool_folds(seeds.values().flat_map(|seed| seed.folds.values()), classes)?;
    Ok(OverSeeds { mean, sd_folds, sd_seeds, pooled })
}

/// Every fold's rates, averaged over the seeds that tested it.
pub(super) fn fold_means(seeds: &BTreeMap<u64, SeedSummary>) -> BTreeMap<&str, Rates> {
    let mut by_fold: BTreeMap<&str, Vec<Rates>> = BTreeMap::new();
    for (name, fold) in seeds.values().flat_map(|seed| &seed.folds) {
        by_fold.entry(name).or_default().push(fold.rates());
    }
    by_fold.into_iter().map(|(name, all)| (name, Rates::mean_and_sd(&all).0)).collect()
}
