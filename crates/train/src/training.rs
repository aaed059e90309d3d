//! Algorithm 1: epochs of the network and of the labels by turns, until validation says stop.

use ambivox_eval::EpochRecord;
use ambivox_model::{Batch, Network, generator};
use ambivox_settings::NetworkSettings;
use rand::Rng;
use rand::seq::SliceRandom;

use crate::early_stopping::{Course, SoFar, follow};
use crate::evaluation::{log_probabilities, validate};
use crate::interim::{Best, Interim};
use crate::labels::Labels;
use crate::learner::{Learner, Parameters};
use crate::loss::scaled_targets;
use crate::methods::{Method, method};
use crate::{Example, LabelState, Moment, RunSpec, TrainError};

/// The result of a run that trains networks of type `N`.
#[derive(Debug)]
pub struct Trained<N> {
    /// The network of the best epoch.
    pub network: N,
    /// The best epoch, from 1: that of the lowest validation loss; of equals the first.
    pub best_epoch: usize,
    /// Every epoch, in order.
    pub epochs: Vec<EpochRecord>,
    /// Mean weight of each gold class before the first epoch, where the method learns weights.
    pub initial_mean_weight: Option<Vec<f64>>,
    /// Labels of the training utterances after the best epoch, in the utterances' order.
    pub labels: Vec<LabelState>,
}

/// Trains one network by one method from one seed: from the start, or from where an equal run was
/// cut short, to the same bits. `observer` sees the run after every epoch.
///
/// The validation utterances decide when to stop and which epoch is kept, and nothing else. Errors:
/// utterances that cannot be trained on, a loss that is not finite, the state of another run.
pub fn train(
    spec: &RunSpec<'_>,
    network: &NetworkSettings,
    training: &[Example],
    validation: &[Example],
    from: Option<Interim>,
    observer: &mut dyn FnMut(&Waypoint<'_>),
) -> Result<Trained<Network>, TrainError> {
    spec.check(training, validation)?;
    let mut run = Run::new(spec, network, training, validation)?;
    let start = match from {
        Some(interim) => run.resume(interim)?,
        None => SoFar::start(&run)?,
    };
    let mut observer = |run: &Run<'_>, so_far: &SoFar<_>| observer(&Waypoint { run, so_far });
    let pretraining = spec.method.pretraining_epochs();
    let so_far = follow(&mut run, start, spec.training, pretraining, &mut observer)?;
    run.finish(so_far)
}

/// A run between two epochs.
pub struct Waypoint<'a> {
    run: &'a Run<'a>,
    so_far: &'a SoFar<Snapshot>,
}

impl Waypoint<'_> {
    /// Every epoch so far, in order; at least one.
    pub fn epochs(&self) -> &[EpochRecord] {
        &self.so_far.epochs
    }

    /// All that the rest of the run depends on.
    pub fn interim(&self) -> Result<Interim, TrainError> {
        let Self { run, so_far: SoFar { best, epochs } } = self;
        Ok(Interim {
            epochs: epochs.clone(),
            network: Parameters::of(&run.learner.network().variables())?,
            optimiser: run.learner.memory(),
            learned: run.method.learned(),
            best: Best {
                epoch: best.epoch,
                network: Parameters::of(&best.network.variables())?,
                labels: best.labels.clone(),
            },
        })
    }
}

/// A run's state between epochs.
struct Run<'a> {
    spec: &'a RunSpec<'a>,
    training: &'a [Example],
    validation: &'a [Example],
    gold: Vec<Option<usize>>,
    learner: Learner,
    method: Box<dyn Method>,
    initial: Labels,
}

/// Network and labels after one epoch.
#[derive(Debug)]
struct Snapshot {
    epoch: usize,
    network: Network,
    labels: Labels,
}

impl Course for Run<'_> {
    type Snapshot = Snapshot;

    /// One turn of Algorithm 1: an epoch of θ, then the second step, then validation.
    fn epoch(&mut self, epoch: usize) -> Result<EpochRecord, TrainError> {
        let train_loss = self.network_step(epoch)?;
        self.label_step(epoch)?;
        let validation = validate(self.learner.network(), self.validation, epoch)?;
        let labels = self.method.labels();
        Ok(EpochRecord {
            epoch,
            train_loss,
            validation_loss: validation.loss,
            validation_wa: validation.wa,
            validation_ua: validation.ua,
            labels_moved: self.method.learns_labels().then(|| labels.share_moved(&self.gold)),
            mean_weight: self.mean_weight(labels),
        })
    }

    fn snapshot(&self, epoch: usize) -> Result<Snapshot, TrainError> {
        let network = self.learner.network().copy()?;
        Ok(Snapshot { epoch, network, labels: self.method.labels().clone() })
    }
}

impl<'a> Run<'a> {
    fn new(
        spec: &'a RunSpec<'a>,
        network: &NetworkSettings,
        training: &'a [Example],
        validation: &'a [Example],
    ) -> Result<Self, TrainError> {
        let classes = spec.classes.len();
        let gold = training.iter().map(|example| example.gold).collect();
        let network = Network::new(network, spec.width, classes, spec.seed)?;
        let learner = Learner::new(network, spec.training);
        let method = method(spec.method, training, classes)?;
        let initial = method.labels().clone();
        Ok(Self { spec, training, validation, gold, learner, method, initial })
    }

    /// Goes on from where an equal run was cut short.
    fn resume(&mut self, interim: Interim) -> Result<SoFar<Snapshot>, TrainError> {
        let Interim { epochs, network, optimiser, learned, best } = interim;
        let Best { epoch, network: best_network, labels } = best;
        let copy = self.learner.network().copy()?;
        let fits = learned.is_like(&self.method.learned())
            && labels.is_like(self.method.labels())
            && best_network.put_into(&copy.variables())?
            && self.learner.resume(network, optimiser)?;
        if !fits {
            return Err(TrainError::OtherRun);
        }
        self.method.resume(epochs.len(), learned);
        Ok(SoFar { best: Snapshot { epoch, network: copy, labels }, epochs })
    }

    /// An epoch of Adam on θ with labels and weights fixed; the mean loss over its utterances.
    fn network_step(&mut self, epoch: usize) -> Result<f64, TrainError> {
        let order = self.order(epoch);
        let mut total = 0.0;
        for (number, positions) in (1..).zip(order.chunks(self.spec.training.batch_size)) {
            total += self.batch_step(epoch, number, positions)? * positions.len() as f64;
        }
        Ok(total / order.len() as f64)
    }

    /// The epoch's utterances in a random order of its own. Batches of like length would not be
    /// worth their bias: nothing is padded, and `cargo xtask bench train` times both orders alike.
    fn order(&self, epoch: usize) -> Vec<usize> {
        let mut generator = generator(self.spec.seed, &format!("order of epoch {epoch}"));
        let mut order = self.method.utterances(&mut generator);
        order.shuffle(&mut generator);
        order
    }

    /// One update of θ; the loss before it.
    fn batch_step(
        &mut self,
        epoch: usize,
        number: usize,
        positions: &[usize],
    ) -> Result<f64, TrainError> {
        let frames: Vec<&[f32]> =
            positions.iter().map(|&n| self.training[n].frames.as_slice()).collect();
        let batch = Batch::new(&frames, self.spec.width)?;
        let purpose = format!("dropout of epoch {epoch}, batch {number}");
        let dropout_seed = generator(self.spec.seed, &purpose).next_u64();
        let targets = scaled_targets(self.method.labels(), positions);
        let value = self.learner.step(&batch, targets, dropout_seed)?;
        if !value.is_finite() {
            return Err(TrainError::Diverged { epoch, moment: Moment::Batch(number) });
        }
        Ok(value)
    }

    /// The method's second step, with θ fixed.
    fn label_step(&mut self, epoch: usize) -> Result<(), TrainError> {
        let (network, training) = (self.learner.network(), self.training);
        self.method
            .after_epoch(&|| log_probabilities(network, training, epoch, Moment::TrainingOutputs))
    }

    fn mean_weight(&self, labels: &Labels) -> Option<Vec<f64>> {
        let classes = self.spec.classes.len();
        self.method.learns_weights().then(|| labels.mean_weights(&self.gold, classes))
    }

    fn finish(&self, so_far: SoFar<Snapshot>) -> Result<Trained<Network>, TrainError> {
        let SoFar { best: Snapshot { epoch, network, labels }, epochs } = so_far;
        let log_y = log_probabilities(&network, self.training, epoch, Moment::TrainingOutputs)?;
        Ok(Trained {
            network,
            best_epoch: epoch,
            epochs,
            initial_mean_weight: self.mean_weight(&self.initial),
            labels: labels.states(&self.initial, self.training, &log_y),
        })
    }
}

#[cfg(test)]
mod tests;
