//! Algorithm 1: rounds of the model and of the labels by turns, until validation says stop.

use std::collections::{BTreeMap, BTreeSet};
use std::mem::take;

use ambivox_eval::EpochRecord;
use ambivox_models::{Learner, ModelError, Predictor, Round, Shape, together};
use ambivox_nn::{Rows, Targets};
use ambivox_rules::{
    Augmenter, Example, Fold, LabelRule, LabelState, Sampler, mean_weights, share_moved, states,
};
use ambivox_settings::{Criterion, Keep};

use crate::dynamics::Dynamics;
use crate::early_stopping::{TrainState, Trainer, fit};
use crate::evaluation::{log_probabilities, own_targets, validate};
use crate::interim::{Interim, Kept, Learning, Phase};
use crate::{Data, EpochPhase, RunSpec, TrainError};

/// The result of a run.
#[derive(Debug)]
pub struct Trained {
    /// The model after the epoch that is kept, several of the last together, or one of the means of their
    /// parameters.
    pub predictor: Box<dyn Predictor>,
    /// The epoch that is kept, from 1: the first of those best by the criterion; the last where nothing validates
    /// or the last ones are kept.
    pub best_epoch: usize,
    /// Every epoch of the model, in order.
    pub epochs: Vec<EpochRecord>,
    /// Mean weight of each gold class before the first epoch, where the method learns weights.
    pub initial_mean_weight: Option<Vec<f64>>,
    /// Labels of the training utterances after that epoch, in the utterances' order; and where the last epoch
    /// of all had moved them.
    pub labels: Vec<LabelState>,
}

/// Trains one model by one method from one seed: from the start, or from where an equal run was cut
/// short, to the same bits. `observer` sees the run after every epoch.
///
/// Errors: utterances that cannot be trained on, a loss that is not finite, the state of another run.
pub fn train(
    spec: &RunSpec<'_>,
    data: &Data<'_>,
    from: Option<Interim>,
    observer: &mut dyn FnMut(&EpochEnd<'_>),
) -> Result<Trained, TrainError> {
    spec.check(data)?;
    let (made, from) = match from.map(|Interim(phase)| phase) {
        Some(Phase::Learning(mut learning)) => (take(&mut learning.made), Some(learning)),
        cut => (augment(spec, data, cut, observer)?, None),
    };
    let mut run = Run::new(spec, data, &made)?;
    let start = match from {
        Some(learning) => run.resume(learning)?,
        None => TrainState::start(&run)?,
    };
    let mut observer = |run: &Run<'_>, so_far: &TrainState<_>| {
        observer(&EpochEnd(At::Learning(run, so_far)));
    };
    let pretraining = spec.rule.pretraining_epochs();
    let so_far = fit(&mut run, start, spec.training, pretraining, &mut observer)?;
    run.finish(so_far)
}

/// The utterances that the rule's augmenter makes; none where it has none.
fn augment(
    spec: &RunSpec<'_>,
    data: &Data<'_>,
    from: Option<Phase>,
    observer: &mut dyn FnMut(&EpochEnd<'_>),
) -> Result<Vec<Example<'static>>, TrainError> {
    let Data { training, pool, .. } = *data;
    let RunSpec { rule, classes, width, seed, .. } = *spec;
    let augmenter = rule.augmenter(Fold { training, pool, classes, width, seed })?;
    let Some(mut augmenter) = augmenter else { return Ok(Vec::new()) };
    if let Some(Phase::Augmenting { augmenter: state, .. }) = from {
        fitting(augmenter.restore(&state)?)?;
    }
    while augmenter.epochs() < rule.augmenting_epochs() {
        augmenter.epoch()?;
        observer(&EpochEnd(At::Augmenting(&*augmenter)));
    }
    Ok(augmenter.examples()?)
}

/// That a state fits the run that is to go on from it.
fn fitting(fits: bool) -> Result<(), TrainError> {
    fits.then_some(()).ok_or(TrainError::OtherRun)
}

/// A run between two epochs.
pub struct EpochEnd<'a>(At<'a>);

enum At<'a> {
    Augmenting(&'a dyn Augmenter),
    Learning(&'a Run<'a>, &'a TrainState<Snapshot>),
}

impl EpochEnd<'_> {
    /// Epochs so far, those of an augmenter among them.
    pub fn done(&self) -> usize {
        match &self.0 {
            At::Augmenting(augmenter) => augmenter.epochs(),
            At::Learning(run, so_far) => run.spec.rule.augmenting_epochs() + so_far.epochs.len(),
        }
    }

    /// Every epoch of the model so far, in order.
    pub fn epochs(&self) -> &[EpochRecord] {
        match &self.0 {
            At::Augmenting(_) => &[],
            At::Learning(_, so_far) => &so_far.epochs,
        }
    }

    /// What is in training, where it is not the model.
    pub fn augmenter(&self) -> Option<&'static str> {
        match &self.0 {
            At::Augmenting(augmenter) => Some(augmenter.name()),
            At::Learning(..) => None,
        }
    }

    /// All that the rest of the run depends on.
    pub fn interim(&self) -> Result<Interim, TrainError> {
        Ok(Interim(match &self.0 {
            At::Augmenting(augmenter) => Phase::Augmenting {
                name: augmenter.name().to_owned(),
                epochs: augmenter.epochs(),
                augmenter: augmenter.state()?,
            },
            At::Learning(run, TrainState { kept, epochs }) => Phase::Learning(Learning {
                made: run.made.to_vec(),
                epochs: epochs.clone(),
                learner: run.learner.state()?,
                rule: run.rule.state(),
                kept: kept.iter().map(Snapshot::state).collect::<Result<_, _>>()?,
                dynamics: run.dynamics.clone(),
            }),
        }))
    }
}

/// A run's state between epochs of the model.
struct Run<'a> {
    spec: &'a RunSpec<'a>,
    data: &'a Data<'a>,
    /// Utterances that were made.
    made: &'a [Example<'static>],
    /// Those to train on with the ones that were made behind them, where there are such.
    joined: Option<Vec<Example<'a>>>,
    /// Their groups, by number.
    groups: Vec<usize>,
    /// Of those that were not made.
    gold: Vec<Option<usize>>,
    learner: Box<dyn Learner>,
    rule: Box<dyn LabelRule>,
    sampler: Box<dyn Sampler>,
    initial: Targets,
    /// The course of those that were not made, where it is kept.
    dynamics: Option<Dynamics>,
    /// What the method makes of the utterances to validate on, where the criterion asks for it.
    validation_targets: Vec<Vec<f64>>,
}

/// Model and labels after one epoch.
#[derive(Debug)]
struct Snapshot {
    epoch: usize,
    predictor: Box<dyn Predictor>,
    targets: Targets,
}

impl Snapshot {
    fn state(&self) -> Result<Kept, TrainError> {
        let (predictor, targets) = (self.predictor.state()?, self.targets.clone());
        Ok(Kept { epoch: self.epoch, predictor, targets })
    }
}

impl Trainer for Run<'_> {
    type Snapshot = Snapshot;

    /// One turn of Algorithm 1: a round of the model, then the second step, then validation.
    fn epoch(&mut self, epoch: usize) -> Result<EpochRecord, TrainError> {
        let train_loss = self.model_step(epoch)?;
        self.label_step(epoch)?;
        let (model, criterion) = (self.learner.predictor(), self.spec.training.criterion);
        let (examples, targets) = (self.data.validation, &self.validation_targets);
        let validation = validate(model, examples, criterion, targets, epoch)?;
        let validation = validation.as_ref();
        let rule = &self.rule;
        Ok(EpochRecord {
            epoch,
            train_loss,
            validation_loss: validation.map(|v| v.loss),
            validation_wa: validation.map(|v| v.wa),
            validation_ua: validation.map(|v| v.ua),
            criterion: validation.and_then(|v| v.criterion),
            labels_moved: rule.learns_labels().then(|| share_moved(rule.targets(), &self.gold)),
            mean_weight: self.mean_weight(rule.targets()),
        })
    }

    fn snapshot(&self, epoch: usize) -> Result<Snapshot, TrainError> {
        let predictor = self.learner.fitted()?;
        Ok(Snapshot { epoch, predictor, targets: self.rule.targets().clone() })
    }
}

impl<'a> Run<'a> {
    fn new(
        spec: &'a RunSpec<'a>,
        data: &'a Data<'a>,
        made: &'a [Example<'static>],
    ) -> Result<Self, TrainError> {
        let joined = (!made.is_empty()).then(|| [data.training, made].concat());
        let training = joined.as_deref().unwrap_or(data.training);
        let (classes, seed) = (spec.classes.len(), spec.seed);
        let RunSpec { width, layers, training: settings, .. } = *spec;
        let shape = Shape { layers, width: width / layers };
        let learner = spec.model.start(shape, classes, settings, seed)?;
        let rule = spec.rule.start(training, classes)?;
        let sampler = spec.rule.sampler(training, classes);
        let initial = rule.targets().clone();
        let gold = data.training.iter().map(|example| example.gold).collect();
        let groups = numbered(training);
        let validation_targets = if spec.training.criterion == Criterion::SoftLoss {
            own_targets(spec.rule, data.validation, classes)?
        } else {
            Vec::new()
        };
        Ok(Self {
            spec,
            data,
            made,
            joined,
            groups,
            gold,
            learner,
            rule,
            sampler,
            initial,
            dynamics: settings.dynamics.then(Dynamics::default),
            validation_targets,
        })
    }

    /// Goes on from where an equal run was cut short.
    fn resume(&mut self, from: Learning) -> Result<TrainState<Snapshot>, TrainError> {
        let Learning { epochs, learner, rule, kept, dynamics, .. } = from;
        fitting(dynamics.is_some() == self.dynamics.is_some())?;
        self.dynamics = dynamics;
        let kept = kept.into_iter().map(|kept| self.revived(kept)).collect::<Result<_, _>>()?;
        fitting(self.rule.restore(&rule) && self.learner.restore(&learner)?)?;
        Ok(TrainState { kept, epochs })
    }

    fn revived(&self, kept: Kept) -> Result<Snapshot, TrainError> {
        let Kept { epoch, predictor, targets } = kept;
        let predictor = self.learner.revive(&predictor)?.ok_or(TrainError::OtherRun)?;
        fitting(targets.is_like(&self.initial))?;
        Ok(Snapshot { epoch, predictor, targets })
    }

    /// A round of the model with labels and weights fixed; the mean loss over its utterances.
    fn model_step(&mut self, epoch: usize) -> Result<f64, TrainError> {
        let Self { rule, sampler, .. } = self;
        let utterances: Vec<&Rows<'_>> = self
            .joined
            .as_deref()
            .unwrap_or(self.data.training)
            .iter()
            .map(|e| &e.frames)
            .collect();
        let round = Round {
            number: epoch,
            seed: self.spec.seed,
            utterances: &utterances,
            groups: &self.groups,
            targets: rule.targets(),
            sample: &|rng| sampler.utterances(rng),
            loss: rule.loss(),
            normalise_weights: self.spec.training.normalise_weights,
        };
        self.learner.round(&round).map_err(|error| match error {
            ModelError::NotFinite { batch } => {
                TrainError::Diverged { epoch, phase: EpochPhase::Batch(batch) }
            }
            error => error.into(),
        })
    }

    /// The method's second step, with the model fixed.
    fn label_step(&mut self, epoch: usize) -> Result<(), TrainError> {
        let training = self.joined.as_deref().unwrap_or(self.data.training);
        let Self { rule, dynamics, .. } = self;
        let log_y = if rule.reads_outputs() || dynamics.is_some() {
            let (model, phase) = (self.learner.predictor(), EpochPhase::TrainingOutputs);
            log_probabilities(model, training, epoch, phase)?
        } else {
            Vec::new()
        };
        if let Some(dynamics) = dynamics {
            dynamics.add(&self.gold, &log_y);
        }
        rule.after_round(&log_y);
        Ok(())
    }

    fn mean_weight(&self, targets: &Targets) -> Option<Vec<f64>> {
        let classes = self.spec.classes.len();
        let learned = self.rule.learns_weights();
        learned.then(|| mean_weights(targets, &self.gold, classes))
    }

    fn finish(&self, so_far: TrainState<Snapshot>) -> Result<Trained, TrainError> {
        let TrainState { mut kept, epochs } = so_far;
        let last = kept.last_mut().map(|kept| (kept.epoch, take(&mut kept.targets)));
        let (epoch, targets) = last.unwrap_or_default();
        let predictor = self.as_one(kept.into_iter().map(|kept| kept.predictor).collect())?;
        let (training, phase) = (self.data.training, EpochPhase::TrainingOutputs);
        let log_y = log_probabilities(&*predictor, training, epoch, phase)?;
        let courses = self.dynamics.as_ref().map(|d| d.courses(&self.gold)).unwrap_or_default();
        Ok(Trained {
            predictor,
            best_epoch: epoch,
            epochs,
            initial_mean_weight: self.mean_weight(&self.initial),
            labels: states(
                [&targets, &self.initial, self.rule.targets()],
                training,
                &log_y,
                &courses,
            ),
        })
    }

    /// Those that are kept as one: the mean of their parameters where that is asked for, else of what they say.
    fn as_one(&self, kept: Vec<Box<dyn Predictor>>) -> Result<Box<dyn Predictor>, TrainError> {
        let Keep::AverageOfLast(_) = self.spec.training.keep else { return Ok(together(kept)) };
        let states = kept.iter().map(|one| one.state()).collect::<Result<Vec<_>, _>>()?;
        self.learner.averaged(&states)?.ok_or(TrainError::NoAverage)
    }
}

/// The group of every utterance, by its number in the order of names.
fn numbered(examples: &[Example<'_>]) -> Vec<usize> {
    let names: BTreeSet<&str> = examples.iter().map(|example| example.group.as_str()).collect();
    let numbers: BTreeMap<&str, usize> = names.into_iter().zip(0..).collect();
    examples.iter().map(|example| numbers[example.group.as_str()]).collect()
}

#[cfg(test)]
mod tests;
