//! From runs to a summary.

use std::collections::BTreeMap;

use super::{Ensemble, FoldResult, MethodSummary, OverSeeds, Pooled, SeedSummary, Summary};
use crate::{Calibration, Confusion, EvalError, LabelMoves, Rates, RunHistory};

/// What a run made of the utterances that it tested.
#[derive(Debug, Clone, PartialEq)]
pub struct Tested {
    /// Counts by gold and predicted class.
    pub confusion: Confusion,
    /// Sums of its probabilities; `None` where counts alone are known.
    pub calibration: Option<Calibration>,
    /// The same counts by the group, a speaker or a session, of the utterances; empty where unknown.
    pub groups: BTreeMap<String, Confusion>,
}

impl Tested {
    /// Counts and sums of pairs of a gold class and the probability of every class.
    ///
    /// Errors: as [`Confusion::from_probabilities`] and [`Calibration::from_probabilities`].
    pub fn from_probabilities<'a, T: Copy + Into<f64> + 'a>(
        classes: usize,
        predictions: impl IntoIterator<Item = (usize, &'a [T])> + Clone,
    ) -> Result<Self, EvalError> {
        let confusion = Confusion::from_probabilities(classes, predictions.clone())?;
        let calibration = Calibration::from_probabilities(classes, predictions)?;
        Ok(Self { confusion, calibration: Some(calibration), groups: BTreeMap::new() })
    }

    /// With the counts by group, from triples of a group, a gold class and the probability of every
    /// class.
    ///
    /// Errors: as [`Confusion::from_probabilities`].
    pub fn by_group<'a, T: Copy + Into<f64> + 'a>(
        mut self,
        predictions: impl IntoIterator<Item = (&'a str, usize, &'a [T])>,
    ) -> Result<Self, EvalError> {
        let classes = self.confusion.classes();
        for (group, gold, probabilities) in predictions {
            let counts = self.groups.entry(group.to_owned());
            counts
                .or_insert_with(|| Confusion::new(classes))
                .merge(&Confusion::from_probabilities(classes, [(gold, probabilities)])?)?;
        }
        Ok(self)
    }

    /// All rates.
    pub fn rates(&self) -> Rates {
        let calibration = self.calibration.as_ref();
        Rates {
            ece: calibration.and_then(Calibration::ece),
            brier: calibration.and_then(Calibration::brier),
            nll: calibration.and_then(Calibration::nll),
            ..self.confusion.rates()
        }
    }

    /// Adds another set; probabilities are known of both or of neither.
    fn merge(&mut self, other: &Self) -> Result<(), EvalError> {
        self.confusion.merge(&other.confusion)?;
        let both = self.calibration.take().zip(other.calibration.as_ref());
        self.calibration = both.map(|(mut sums, more)| {
            sums.merge(more);
            sums
        });
        for (group, more) in &other.groups {
            let counts = self.groups.entry(group.clone());
            counts.or_insert_with(|| Confusion::new(more.classes())).merge(more)?;
        }
        Ok(())
    }
}

impl From<Confusion> for Tested {
    fn from(confusion: Confusion) -> Self {
        Self { confusion, calibration: None, groups: BTreeMap::new() }
    }
}

/// What was tested by fold name, and how each fold was trained.
type Folds = BTreeMap<String, (Tested, FoldResult)>;

/// Collects runs, in any order, into a [`Summary`].
#[derive(Debug)]
pub struct SummaryBuilder {
    pipeline: String,
    synthetic: bool,
    classes: Vec<String>,
    methods: BTreeMap<String, BTreeMap<u64, SeedRuns>>,
    /// What the models of all seeds together tested, by method and by fold or test set, behind how many models
    /// each seed has.
    ensembles: BTreeMap<String, BTreeMap<String, (usize, Tested)>>,
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
            ensembles: BTreeMap::new(),
        }
    }

    /// Adds what the models of a method's seeds, and of its folds that test the same, tested together, by the
    /// mean of their probabilities; `parts` of each seed.
    pub fn add_ensemble(&mut self, method: &str, set: &str, parts: usize, tested: Tested) {
        let sets = self.ensembles.entry(method.to_owned()).or_default();
        sets.insert(set.to_owned(), (parts, tested));
    }

    /// Adds a run: what it tested, a confusion matrix at least, and how it was trained.
    ///
    /// Errors: other classes than the summary's, nothing tested, a faulty history, or a method,
    /// seed and fold that were added before.
    pub fn add_run(
        &mut self,
        tested: impl Into<Tested>,
        history: &RunHistory,
    ) -> Result<(), EvalError> {
        history.check()?;
        self.check_classes(history)?;
        let (run, tested) = (|| history.run(), tested.into());
        let fold = fold_result(&tested, history, self.classes.len())?
            .ok_or_else(|| EvalError::EmptyFold { run: run() })?;
        let seeds = self.methods.entry(history.method.clone()).or_default();
        let folds = &mut seeds.entry(history.seed).or_default().folds;
        if folds.insert(history.fold.clone(), (tested, fold)).is_some() {
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
        let none = LabelMoves { moves: Confusion::new(classes), moves_at_last: None, repair: None };
        runs.labels.get_or_insert(none).merge(labels)
    }

    /// Means, deviations and pooled rates of what was added.
    pub fn finish(self) -> Result<Summary, EvalError> {
        let mut methods = BTreeMap::new();
        for (method, seeds) in self.methods {
            let summary = method_summary(seeds)?;
            let folds = self.ensembles.get(&method);
            let ensemble = folds.map_or(Ok(None), |folds| ensemble(folds, &summary))?;
            methods.insert(method, MethodSummary { ensemble, ..summary });
        }
        Ok(Summary {
            schema: Summary::SCHEMA,
            pipeline: self.pipeline,
            synthetic: self.synthetic,
            test_sets: false,
            in_turn: BTreeMap::new(),
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
    tested: &Tested,
    history: &RunHistory,
    classes: usize,
) -> Result<Option<FoldResult>, EvalError> {
    if tested.confusion.classes() != classes {
        return Err(EvalError::NotSquare { classes });
    }
    let is_one_group = tested.groups.keys().eq([&history.fold]);
    let groups = if is_one_group { BTreeMap::new() } else { tested.groups.clone() };
    Ok(pooled(tested).map(|pooled| FoldResult {
        wa: pooled.wa,
        ua: pooled.ua,
        n: pooled.n,
        confusion: pooled.confusion,
        precision: pooled.precision,
        recall: pooled.recall,
        f1: pooled.f1,
        macro_f1: pooled.macro_f1,
        weighted_f1: pooled.weighted_f1,
        ece: pooled.ece,
        brier: pooled.brier,
        nll: pooled.nll,
        groups,
        best_epoch: history.best_epoch,
        epochs: history.epochs.len(),
    }))
}

/// `None` where nothing was tested.
fn pooled(tested: &Tested) -> Option<Pooled> {
    let rates = tested.rates();
    Some(Pooled {
        wa: rates.wa?,
        ua: rates.ua?,
        n: tested.confusion.total(),
        confusion: tested.confusion.clone(),
        precision: rates.precision,
        recall: rates.recall,
        f1: rates.f1,
        macro_f1: rates.macro_f1,
        weighted_f1: rates.weighted_f1,
        ece: rates.ece,
        brier: rates.brier,
        nll: rates.nll,
    })
}

/// All sets as one, and its rates.
fn pool<'a>(sets: impl IntoIterator<Item = &'a Tested>) -> Result<(Tested, Pooled), EvalError> {
    let empty = || EvalError::EmptyFold { run: "all folds".to_owned() };
    let mut sets = sets.into_iter();
    let mut sum = sets.next().cloned().ok_or_else(empty)?;
    sets.try_for_each(|more| sum.merge(more))?;
    let rates = pooled(&sum).ok_or_else(empty)?;
    Ok((sum, rates))
}

fn method_summary(seeds: BTreeMap<u64, SeedRuns>) -> Result<MethodSummary, EvalError> {
    let (mut summaries, mut tested) = (BTreeMap::new(), Vec::new());
    for (seed, runs) in seeds {
        let (sum, summary) = seed_summary(runs)?;
        summaries.insert(seed, summary);
        tested.push(sum);
    }
    let (_, pooled) = pool(&tested)?;
    let over_seeds = over_seeds(&summaries, pooled);
    Ok(MethodSummary { over_seeds, seeds: summaries, ensemble: None })
}

/// Rates of the models of each test set together; `None` where each has one, or a run is missing.
fn ensemble(
    folds: &BTreeMap<String, (usize, Tested)>,
    method: &MethodSummary,
) -> Result<Option<Ensemble>, EvalError> {
    let seeds = method.seeds.len();
    let models: usize = folds.values().map(|(parts, _)| seeds * parts).sum();
    let parts = folds.values().next().map_or(1, |(parts, _)| *parts);
    if seeds * parts < 2 || method.runs() != models {
        return Ok(None);
    }
    let (_, pooled) = pool(folds.values().map(|(_, tested)| tested))?;
    let folds: BTreeMap<String, Rates> =
        folds.iter().map(|(name, (_, tested))| (name.clone(), tested.rates())).collect();
    let (mean, sd_folds) = Rates::mean_and_sd(&folds.values().cloned().collect::<Vec<_>>());
    Ok(Some(Ensemble { seeds, parts, folds, mean, sd_folds, pooled }))
}

fn seed_summary(runs: SeedRuns) -> Result<(Tested, SeedSummary), EvalError> {
    let (sum, pooled) = pool(runs.folds.values().map(|(tested, _)| tested))?;
    let folds: BTreeMap<String, FoldResult> =
        runs.folds.into_iter().map(|(name, (_, fold))| (name, fold)).collect();
    let rates: Vec<Rates> = folds.values().map(FoldResult::rates).collect();
    let (mean, sd) = Rates::mean_and_sd(&rates);
    Ok((sum, SeedSummary { folds, mean, sd, pooled, labels: runs.labels }))
}

fn over_seeds(seeds: &BTreeMap<u64, SeedSummary>, pooled: Pooled) -> OverSeeds {
    let (mean, sd_folds) = Rates::mean_and_sd(&fold_means(seeds).into_values().collect::<Vec<_>>());
    let seed_means: Vec<Rates> = seeds.values().map(|seed| seed.mean.clone()).collect();
    let (_, sd_seeds) = Rates::mean_and_sd(&seed_means);
    OverSeeds { mean, sd_folds, sd_seeds, pooled }
}

/// Every fold's rates, averaged over the seeds that tested it.
pub(super) fn fold_means(seeds: &BTreeMap<u64, SeedSummary>) -> BTreeMap<&str, Rates> {
    let mut by_fold: BTreeMap<&str, Vec<Rates>> = BTreeMap::new();
    for (name, fold) in seeds.values().flat_map(|seed| &seed.folds) {
        by_fold.entry(name).or_default().push(fold.rates());
    }
    by_fold.into_iter().map(|(name, all)| (name, Rates::mean_and_sd(&all).0)).collect()
}
