//! Algorithm 1: epochs of the network and of the labels by turns, until validation says stop.

use ambivox_eval::EpochRecord;
use ambivox_model::{Batch, Network, generator};
use rand::Rng;
use rand::seq::SliceRandom;

use crate::early_stopping::{Course, follow};
use crate::evaluation::{log_probabilities, validate};
use crate::labels::Labels;
use crate::learner::Learner;
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

/// Trains one network by one method from one seed; `observer` sees every epoch as it ends.
///
/// The validation utterances decide when to stop and which epoch is kept, and nothing else. Errors:
/// utterances that cannot be trained on, and a loss that is not finite.
pub fn train(
    spec: &RunSpec<'_>,
    training: &[Example],
    validation: &[Example],
    observer: &mut dyn FnMut(&EpochRecord),
) -> Result<Trained<Network>, TrainError> {
    spec.check(training, validation)?;
    let mut run = Run::new(spec, training, validation)?;
    let pretraining = spec.method.pretraining_epochs();
    let (best, epochs) = follow(&mut run, spec.training, pretraining, observer)?;
    run.finish(best, epochs)
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
        training: &'a [Example],
        validation: &'a [Example],
    ) -> Result<Self, TrainError> {
        let classes = spec.classes.len();
        let gold = training.iter().map(|example| example.gold).collect();
        let network = Network::new(spec.network, spec.width, classes, spec.seed)?;
        let learner = Learner::new(network, spec.training);
        let method = method(spec.method, training, classes)?;
        let initial = method.labels().clone();
        Ok(Self { spec, training, validation, gold, learner, method, initial })
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

    fn finish(
        &self,
        best: Snapshot,
        epochs: Vec<EpochRecord>,
    ) -> Result<Trained<Network>, TrainError> {
        let Snapshot { epoch, network, labels } = best;
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
