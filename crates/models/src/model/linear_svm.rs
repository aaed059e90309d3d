//! The model `linear-svm`: support vector machines with a linear kernel, one for every pair of classes, and
//! probabilities by Platt scaling.
//!
//! The machines are those of LIBSVM's C-SVC, and so of scikit-learn's `SVC(kernel="linear")`. An utterance with a
//! soft target is there once for each class, with the class's share as its weight.

mod probability;
mod smo;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use ambivox_nn::{State, Targets};
use ambivox_settings::{Choice, TrainingSettings};
use rayon::prelude::*;

use serde::{Deserialize, Serialize};

use super::{fault_of_c, one};
use crate::checkpoint::{Fault, LARGEST, Metadata, NamedTensor, Tensors, key};
use crate::predict::{of_vectors, product};
use crate::{
    Learner, MeanVariance, Model, ModelError, ModelKind, Prediction, Predictor, Round, Rows,
    Scaling, ScalingKind, Shape,
};

use probability::{Said, Sigmoid, coupled};
use smo::{Gram, Sample, solve};

pub(super) const KIND: ModelKind = ModelKind::new::<LinearSvmSettings>(NAME, NAME, read);

/// Its name, also in a checkpoint's metadata.
const NAME: &str = "linear-svm";

/// Utterances at most: the products of all with all are held in memory, 4 bytes each.
const MOST: usize = 30_000;
/// Inner folds by which probabilities are fitted, where there are as many groups.
const INNER_FOLDS: usize = 5;
/// A share of a label below which it counts as none.
const NOTHING: f64 = 1e-9;

/// Section `[model]` with `kind = "linear-svm"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinearSvmSettings {
    /// C: the weight of the hinge loss, summed over the training utterances, against half the squares of the
    /// weights. The lower, the wider the margin.
    pub c: Choice<f64>,
}

impl Model for LinearSvmSettings {
    fn fault(&self) -> Option<String> {
        fault_of_c(&self.c)
    }

    fn choice(&self) -> Option<(&'static str, &Choice<f64>)> {
        Some(("c", &self.c))
    }

    fn scaling(&self) -> Option<ScalingKind> {
        Some(ScalingKind::MeanVariance)
    }

    /// The optimum is one: no seed has a part in it, but for the utterances of a round.
    fn start(
        &self,
        shape: Shape,
        classes: usize,
        _training: &TrainingSettings,
        _seed: u64,
    ) -> Result<Box<dyn Learner>, ModelError> {
        let (c, machines) = (one(&self.c, NAME)?, LinearSvm::new(shape.single(NAME)?, classes));
        Ok(Box::new(Solver { c, machines, before: None, drawn: None }))
    }
}

/// `w·x + b` of every pair of classes, and what probability that stands for.
#[derive(Debug, Clone)]
pub struct LinearSvm {
    inputs: usize,
    classes: usize,
    /// Of each pair its w, then its b, then the slope of its [`Sigmoid`].
    theta: Vec<f32>,
}

/// Machines in training.
struct Solver {
    /// C, the weight of the loss against the penalty.
    c: f64,
    machines: LinearSvm,
    /// What the last round was of, and its loss: another of the same finds the same.
    before: Option<(Targets, f64)>,
    /// The utterances last drawn, whose products other targets do not change.
    drawn: Option<(Positions, Gram)>,
}

/// Positions of utterances, each once, and how often it was drawn.
type Positions = Vec<(usize, f64)>;

impl Learner for Solver {
    /// The optimum of `½‖w‖² + C · Σ_n (s_nc/w_n) · max(0, 1 − y·f(x_n))` for every pair of classes, over the
    /// utterances drawn; the mean of `CE/w` of the probabilities there.
    fn round(&mut self, round: &Round<'_>) -> Result<f64, ModelError> {
        if !round.loss.is_cross_entropy() {
            return Err(ModelError::Loss { kind: NAME });
        }
        let positions = positions(round);
        let (positions, gram) = match &self.drawn {
            Some(drawn) if drawn.0 == positions => drawn,
            _ => {
                self.before = None;
                let gram = products(round, &positions)?;
                self.drawn.insert((positions, gram))
            }
        };
        if let Some((targets, loss)) = &self.before
            && targets == round.targets
        {
            return Ok(*loss);
        }
        let drawn_ones: Vec<usize> = positions.iter().map(|(n, _)| *n).collect();
        let c = self.c / round.divisor(&drawn_ones);
        let drawn = Drawn::new(round, positions, gram, c);
        let (inputs, classes) = (self.machines.inputs, self.machines.classes);
        let rows: Vec<_> = pairs(classes).collect();
        let rows = rows.par_iter().map(|&pair| drawn.machine(pair, inputs));
        self.machines.theta = rows.collect::<Result<Vec<_>, _>>()?.concat();
        let loss = drawn.mean_loss(&self.machines)?;
        self.before = Some((round.targets.clone(), loss));
        Ok(loss)
    }

    fn predictor(&self) -> &dyn Predictor {
        &self.machines
    }

    fn fitted(&self) -> Result<Box<dyn Predictor>, ModelError> {
        Ok(Box::new(self.machines.clone()))
    }

    fn state(&self) -> Result<State, ModelError> {
        self.machines.state()
    }

    fn restore(&mut self, state: &State) -> Result<bool, ModelError> {
        let machines = self.machines.revived(state);
        let fits = machines.is_some();
        (self.machines, self.before) = (machines.unwrap_or_else(|| self.machines.clone()), None);
        Ok(fits)
    }

    fn revive(&self, state: &State) -> Result<Option<Box<dyn Predictor>>, ModelError> {
        Ok(self.machines.revived(state).map(|machines| Box::new(machines) as Box<dyn Predictor>))
    }
}

/// Pairs of classes, each once, the lower first.
fn pairs(classes: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..classes).flat_map(move |a| (a + 1..classes).map(move |b| (a, b)))
}

fn positions(round: &Round<'_>) -> Positions {
    let mut counts: BTreeMap<usize, f64> = BTreeMap::new();
    for position in (round.sample)(&mut round.order()) {
        *counts.entry(position).or_default() += 1.0;
    }
    counts.into_iter().collect()
}

/// The products of utterances with one another.
fn products(round: &Round<'_>, positions: &Positions) -> Result<Gram, ModelError> {
    let count = positions.len();
    if count > MOST {
        let message = format!("{count} utterances are more than {MOST}, whose products fit memory");
        return Err(ModelError::Unfit { kind: NAME, message });
    }
    let utterances = positions.iter().map(|&(n, _)| round.utterances[n].read());
    Ok(Gram::new(&utterances.collect::<Vec<_>>()))
}

/// The utterances of a round, each once.
struct Drawn<'a> {
    targets: &'a Targets,
    rows: Vec<&'a Rows<'a>>,
    /// Their values.
    utterances: Vec<Cow<'a, [f32]>>,
    /// Positions among those of the run, and how often each was drawn.
    positions: &'a Positions,
    gram: &'a Gram,
    c: f64,
    /// Inner fold of each.
    folds: Vec<usize>,
}

impl<'a> Drawn<'a> {
    fn new(round: &Round<'a>, positions: &'a Positions, gram: &'a Gram, c: f64) -> Self {
        let rows: Vec<&Rows<'_>> = positions.iter().map(|&(n, _)| round.utterances[n]).collect();
        let utterances = rows.iter().map(|rows| rows.read()).collect();
        let groups: Vec<usize> = positions.iter().map(|&(n, _)| round.groups[n]).collect();
        let folds = inner_folds(&groups, INNER_FOLDS);
        Self { targets: round.targets, rows, utterances, positions, gram, c, folds }
    }

    /// Samples of a pair; each share of a label is one.
    fn samples(&self, (a, b): (usize, usize)) -> Vec<Sample> {
        let targets = self.targets;
        let mut samples = Vec::new();
        for (utterance, &(position, count)) in self.positions.iter().enumerate() {
            let scale = self.c * count / targets.weights[position];
            for (class, y) in [(a, 1.0), (b, -1.0)] {
                let share = targets.distributions[position][class];
                if share > NOTHING {
                    samples.push(Sample { utterance, y, bound: scale * share });
                }
            }
        }
        samples
    }

    /// w and b of the machine of these samples.
    fn plane(&self, samples: &[Sample], inputs: usize) -> Result<(Vec<f64>, f64), ModelError> {
        let mut w = vec![0.0; inputs];
        // Of one class alone, that class is said with certainty.
        if !has_both(samples) {
            return Ok((w, samples.first().map_or(0.0, |sample| sample.y)));
        }
        let solution = solve(self.gram, samples)?;
        for (sample, factor) in samples.iter().zip(&solution.factors) {
            let x = &*self.utterances[sample.utterance];
            w.iter_mut().zip(x).for_each(|(w, x)| *w += factor * f64::from(*x));
        }
        Ok((w, -solution.rho))
    }

    /// Of a pair w, b and its sigmoid.
    fn machine(&self, pair: (usize, usize), inputs: usize) -> Result<Vec<f32>, ModelError> {
        let (w, b) = self.plane(&self.samples(pair), inputs)?;
        let Sigmoid { slope } = self.sigmoid(pair, inputs)?;
        Ok(w.into_iter().chain([b, slope]).map(|value| value as f32).collect())
    }

    /// Fitted to what machines say of inner folds of whole groups that they were not trained on. Where groups
    /// and classes hang together so much that a rising value would speak against the first class, of inner
    /// folds of single utterances; else the logistic function itself.
    fn sigmoid(&self, pair: (usize, usize), inputs: usize) -> Result<Sigmoid, ModelError> {
        let single: Vec<usize> = (0..self.utterances.len()).map(|n| n % INNER_FOLDS).collect();
        for folds in [&self.folds, &single] {
            let said = self.out_of_fold(pair, folds, inputs)?;
            let both = said.iter().any(|s| s.first) && said.iter().any(|s| !s.first);
            let fitted = Sigmoid::fit(&said);
            if both && fitted.slope > 0.0 {
                return Ok(fitted);
            }
        }
        Ok(Sigmoid { slope: 1.0 })
    }

    /// What machines say of those that they were not trained on; nothing of a fold beside which one class is
    /// missing.
    fn out_of_fold(
        &self,
        pair: (usize, usize),
        folds: &[usize],
        inputs: usize,
    ) -> Result<Vec<Said>, ModelError> {
        let mut said = Vec::new();
        for fold in 0..folds.iter().max().map_or(0, |last| last + 1) {
            let mut samples = self.samples(pair);
            samples.retain(|sample| folds[sample.utterance] != fold);
            if !has_both(&samples) {
                continue;
            }
            let (w, b) = self.plane(&samples, inputs)?;
            let held = (0..self.utterances.len()).filter(|&n| folds[n] == fold);
            said.extend(
                held.flat_map(|n| self.said(pair, n, b + of_plane(&w, &self.utterances[n]))),
            );
        }
        Ok(said)
    }

    /// What is said of an utterance, once for each class of the pair that it has a share of.
    fn said(&self, (a, b): (usize, usize), n: usize, value: f64) -> impl Iterator<Item = Said> {
        let (position, count) = self.positions[n];
        let shares = &self.targets.distributions[position];
        let said = [(shares[a], true), (shares[b], false)];
        let scale = count / self.targets.weights[position];
        let said = said.map(|(share, first)| Said { value, first, weight: scale * share });
        said.into_iter().filter(|said| said.weight > NOTHING)
    }

    fn mean_loss(&self, machines: &LinearSvm) -> Result<f64, ModelError> {
        let targets = self.targets;
        let (mut sum, mut drawn) = (0.0, 0.0);
        for (said, &(n, count)) in machines.predict(&self.rows)?.iter().zip(self.positions) {
            let shares = targets.distributions[n].iter().zip(&said.log_probabilities);
            let loss: f64 = shares.map(|(share, log_y)| -share * log_y).sum();
            sum += count * loss / targets.weights[n];
            drawn += count;
        }
        Ok(sum / drawn)
    }
}

/// The inner fold, of so many, that holds out each utterance: whole groups, dealt out in their order; single
/// utterances where there is one group alone.
pub fn inner_folds(groups: &[usize], folds: usize) -> Vec<usize> {
    let distinct: BTreeSet<usize> = groups.iter().copied().collect();
    let order: BTreeMap<usize, usize> = distinct.into_iter().zip(0..).collect();
    if order.len() < 2 {
        return (0..groups.len()).map(|n| n % folds).collect();
    }
    groups.iter().map(|group| order[group] % folds).collect()
}

/// Whether samples are of both classes.
fn has_both(samples: &[Sample]) -> bool {
    samples.iter().any(|sample| sample.y > 0.0) && samples.iter().any(|sample| sample.y < 0.0)
}

/// w·x of a plane that is not rounded yet.
fn of_plane(w: &[f64], x: &[f32]) -> f64 {
    w.iter().zip(x).map(|(w, x)| w * f64::from(*x)).sum()
}

impl LinearSvm {
    /// One that has learned nothing: all its numbers are 0.
    pub fn new(inputs: usize, classes: usize) -> Self {
        let theta = vec![0.0; pairs(classes).count() * (inputs + 2)];
        Self { inputs, classes, theta }
    }

    fn revived(&self, state: &State) -> Option<Self> {
        let theta = state.read::<Vec<f32>>().filter(|theta| theta.len() == self.theta.len());
        theta.map(|theta| Self { theta, inputs: self.inputs, classes: self.classes })
    }

    fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.theta.chunks_exact(self.inputs + 2)
    }

    /// `w·x + b` of every pair.
    fn values(&self, x: &[f32]) -> Vec<f64> {
        let inputs = self.inputs;
        let value = |row: &[f32]| f64::from(row[inputs]) + product(&row[..inputs], x);
        self.rows().map(value).collect()
    }

    fn log_probabilities(&self, x: &[f32]) -> Vec<f64> {
        let mut first = vec![vec![0.0; self.classes]; self.classes];
        let said = pairs(self.classes).zip(self.values(x)).zip(self.rows());
        for (((i, j), value), row) in said {
            let p = Sigmoid { slope: f64::from(row[self.inputs + 1]) }.of(value);
            (first[i][j], first[j][i]) = (p, 1.0 - p);
        }
        coupled(&first).into_iter().map(libm::log).collect()
    }
}

impl Predictor for LinearSvm {
    fn inputs(&self) -> usize {
        self.inputs
    }

    fn classes(&self) -> usize {
        self.classes
    }

    fn parameters(&self) -> usize {
        self.theta.len()
    }

    fn reads_vectors(&self) -> bool {
        true
    }

    fn sizes(&self) -> Vec<(&'static str, usize)> {
        Vec::new()
    }

    fn predict(&self, utterances: &[&Rows<'_>]) -> Result<Vec<Prediction>, ModelError> {
        of_vectors(utterances, self.inputs, |x| self.log_probabilities(x))
    }

    fn state(&self) -> Result<State, ModelError> {
        Ok(State::of(&self.theta))
    }

    fn metadata(&self) -> serde_json::Result<BTreeMap<&'static str, String>> {
        Ok(BTreeMap::from([(key::KIND, NAME.to_owned())]))
    }

    fn tensors(&self) -> candle_core::Result<Vec<NamedTensor>> {
        let (inputs, pairs) = (self.inputs, self.rows().count());
        let part = |from: usize, to: usize| {
            self.rows().flat_map(|row| row[from..to].iter().copied()).collect()
        };
        Ok(vec![
            ("weight".to_owned(), vec![pairs, inputs], part(0, inputs)),
            ("bias".to_owned(), vec![pairs], part(inputs, inputs + 1)),
            ("slope".to_owned(), vec![pairs], part(inputs + 1, inputs + 2)),
        ])
    }
}

/// Reads one from a checkpoint.
pub(crate) fn read(
    metadata: &Metadata,
    tensors: &Tensors<'_>,
    classes: usize,
) -> Result<(Box<dyn Predictor>, Scaling), Fault> {
    let scaling = metadata.json::<MeanVariance>(key::NORMALISER)?.checked()?;
    let inputs = scaling.mean.len();
    if !(1..=LARGEST).contains(&inputs) || !(2..=MOST_CLASSES).contains(&classes) {
        return Err(format!(
            "{inputs} values and {classes} classes; expected 1 to {LARGEST} and 2 to {MOST_CLASSES}"
        ));
    }
    tensors.check_count(3)?;
    let count = pairs(classes).count();
    let weight = tensors.values("weight", &[count, inputs])?;
    let bias = tensors.values("bias", &[count])?;
    let slopes = tensors.values("slope", &[count])?;
    let rows = weight.chunks_exact(inputs).zip(bias).zip(slopes);
    let theta = rows.flat_map(|((w, b), slope)| w.iter().copied().chain([b, slope]));
    let machines = LinearSvm { inputs, classes, theta: theta.collect() };
    Ok((Box::new(machines), Scaling::MeanVariance(scaling)))
}

/// More classes than any corpus of emotions has, and few enough that their pairs can be counted.
const MOST_CLASSES: usize = 1000;

#[cfg(test)]
mod tests;
