//! Classifiers of vectors: the guide of the generators, and the one that is kept.

use ambivox_eval::EpochRecord;
use ambivox_model::{Dense, HiddenDropout, generator};
use ambivox_settings::CycleganSettings;
use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::deck::Deck;
use super::interim::{ClassifierInterim, Drawn, GuideInterim, fitting, parameters};
use super::{chosen, classifier, descend, mask_seeds};
use crate::early_stopping::{Course, SoFar, follow};
use crate::evaluation::{log_probabilities, validate};
use crate::labels::{Labels, one_hot};
use crate::loss::{cross_entropy, scaled_targets};
use crate::optimiser::Optimiser;
use crate::{Example, Moment, RunSpec, TrainError, Trained};

/// A classifier of the training utterances, which says how far an emotion is recognised in
/// synthetic ones. It learns beside the discriminators, from real vectors alone.
pub(super) struct Guide<'a> {
    learner: Learner<'a>,
    all: Deck,
    batch_size: usize,
    chance: ChaCha8Rng,
}

impl<'a> Guide<'a> {
    pub(super) fn new(
        spec: &RunSpec<'_>,
        settings: &'a CycleganSettings,
        training: &'a [Example],
    ) -> Result<Self, TrainError> {
        let network = classifier("guide", spec, settings)?;
        let optimiser = Optimiser::new(network.variables(), settings.learning_rate, 0.0);
        Ok(Self {
            learner: Learner::new(network, optimiser, settings, training),
            all: Deck::new((0..training.len()).collect()),
            batch_size: settings.batch_size,
            chance: generator(spec.seed, "guide in training"),
        })
    }

    pub(super) fn network(&self) -> &Dense {
        &self.learner.network
    }

    pub(super) fn set_learning_rate(&mut self, rate: f64) {
        self.learner.optimiser.set_learning_rate(rate);
    }

    pub(super) fn interim(&self) -> candle_core::Result<GuideInterim> {
        Ok(GuideInterim {
            network: parameters(self.network())?,
            optimiser: self.learner.optimiser.memory(),
            drawn: Drawn::of(&self.all, &self.chance),
        })
    }

    /// Goes on from the state of an equal one; whether it is of one.
    pub(super) fn resume(&mut self, interim: GuideInterim) -> candle_core::Result<bool> {
        let GuideInterim { network, optimiser, drawn } = interim;
        Ok(network.put_into(&self.network().variables())?
            && self.learner.optimiser.resume(optimiser)
            && drawn.put_into(&mut self.all, &mut self.chance))
    }

    /// One update. A loss that is not finite shows in the generators' losses at once.
    pub(super) fn step(&mut self) -> Result<(), TrainError> {
        let positions = self.all.draw(self.batch_size, &mut self.chance);
        let [seed] = mask_seeds(&mut self.chance);
        self.learner.step(&positions, seed).map(drop)
    }
}

/// A classifier in training on vectors that all have a gold label.
struct Learner<'a> {
    network: Dense,
    optimiser: Optimiser,
    dropout: f64,
    examples: &'a [Example],
    labels: Labels,
}

impl<'a> Learner<'a> {
    fn new(
        network: Dense,
        optimiser: Optimiser,
        settings: &CycleganSettings,
        examples: &'a [Example],
    ) -> Self {
        let labels = gold_labels(examples, network.outputs());
        Self { network, optimiser, dropout: settings.classifier_dropout, examples, labels }
    }

    /// One update, down the mean cross-entropy of a mini-batch; the loss before it.
    fn step(&mut self, positions: &[usize], mask_seed: u64) -> Result<f64, TrainError> {
        let vectors = chosen(self.examples, positions, self.network.inputs())?;
        let dropout = HiddenDropout { rate: self.dropout, seed: mask_seed };
        let logits = self.network.training_output(&vectors, dropout)?;
        let loss = cross_entropy(&logits, scaled_targets(&self.labels, positions))?;
        Ok(descend(&mut self.optimiser, &loss)?)
    }
}

/// The gold labels, of weight 1 each.
fn gold_labels(examples: &[Example], classes: usize) -> Labels {
    // A run with vectors that have no gold label is refused at its start.
    let gold = examples.iter().filter_map(|example| example.gold);
    let distributions = gold.map(|gold| one_hot(gold, classes)).collect();
    Labels { distributions, weights: vec![1.0; examples.len()] }
}

/// Trains the classifier on real and synthetic vectors alike, from the start or from where an equal
/// run was cut short; `observer` sees the run after every epoch.
///
/// The validation utterances decide when to stop and which epoch is kept, and nothing else. Errors:
/// utterances that cannot be trained on, a loss that is not finite, the state of another run.
pub fn train_classifier(
    spec: &RunSpec<'_>,
    settings: &CycleganSettings,
    training: &[Example],
    synthetic: &[Example],
    validation: &[Example],
    from: Option<ClassifierInterim>,
    observer: &mut dyn FnMut(&ClassifierWaypoint<'_>),
) -> Result<Trained<Dense>, TrainError> {
    spec.check(training, validation)?;
    let all = [training, synthetic].concat();
    let network = classifier("classifier", spec, settings)?;
    let (rate, clip) = (spec.training.learning_rate, spec.training.gradient_clip);
    let optimiser = Optimiser::new(network.variables(), rate, clip);
    let learner = Learner::new(network, optimiser, settings, &all);
    let mut run = ClassifierRun { spec, learner, validation };
    let start = match from {
        Some(interim) => run.resume(interim)?,
        None => SoFar::start(&run)?,
    };
    let mut observer = |run: &ClassifierRun<'_>, so_far: &SoFar<_>| {
        observer(&ClassifierWaypoint { learner: &run.learner, so_far });
    };
    let so_far = follow(&mut run, start, spec.training, 0, &mut observer)?;
    let SoFar { best: (best_epoch, network), epochs } = so_far;
    let log_y = log_probabilities(&network, training, best_epoch, Moment::TrainingOutputs)?;
    let labels = gold_labels(training, spec.classes.len());
    let labels = labels.states(&labels, training, &log_y);
    Ok(Trained { network, best_epoch, epochs, initial_mean_weight: None, labels })
}

/// A classifier's run between two epochs.
pub struct ClassifierWaypoint<'a> {
    learner: &'a Learner<'a>,
    so_far: &'a SoFar<(usize, Dense)>,
}

impl ClassifierWaypoint<'_> {
    /// Every epoch so far, in order; at least one.
    pub fn epochs(&self) -> &[EpochRecord] {
        &self.so_far.epochs
    }

    /// All that the rest of the run depends on.
    pub fn interim(&self) -> Result<ClassifierInterim, TrainError> {
        let (best_epoch, best) = &self.so_far.best;
        Ok(ClassifierInterim {
            epochs: self.so_far.epochs.clone(),
            network: parameters(&self.learner.network)?,
            optimiser: self.learner.optimiser.memory(),
            best_epoch: *best_epoch,
            best: parameters(best)?,
        })
    }
}

/// The classifier's epochs.
struct ClassifierRun<'a> {
    spec: &'a RunSpec<'a>,
    learner: Learner<'a>,
    validation: &'a [Example],
}

impl ClassifierRun<'_> {
    /// Goes on from where an equal run was cut short.
    fn resume(&mut self, interim: ClassifierInterim) -> Result<SoFar<(usize, Dense)>, TrainError> {
        let ClassifierInterim { epochs, network, optimiser, best_epoch, best } = interim;
        let copy = self.learner.network.copy()?;
        let fits = best.put_into(&copy.variables())?
            && network.put_into(&self.learner.network.variables())?
            && self.learner.optimiser.resume(optimiser);
        fitting(fits)?;
        Ok(SoFar { best: (best_epoch, copy), epochs })
    }

    /// One update after the other over all vectors in a random order; the mean loss.
    fn pass(&mut self, epoch: usize) -> Result<f64, TrainError> {
        let mut chance = generator(self.spec.seed, &format!("classifier in epoch {epoch}"));
        let mut order: Vec<usize> = (0..self.learner.examples.len()).collect();
        order.shuffle(&mut chance);
        let mut total = 0.0;
        for (number, positions) in (1..).zip(order.chunks(self.spec.training.batch_size)) {
            let loss = self.learner.step(positions, chance.next_u64())?;
            if !loss.is_finite() {
                return Err(TrainError::Diverged { epoch, moment: Moment::Batch(number) });
            }
            total += loss * positions.len() as f64;
        }
        Ok(total / order.len() as f64)
    }
}

impl Course for ClassifierRun<'_> {
    type Snapshot = (usize, Dense);

    fn epoch(&mut self, epoch: usize) -> Result<EpochRecord, TrainError> {
        let train_loss = self.pass(epoch)?;
        let validation = validate(&self.learner.network, self.validation, epoch)?;
        Ok(EpochRecord {
            epoch,
            train_loss,
            validation_loss: validation.loss,
            validation_wa: validation.wa,
            validation_ua: validation.ua,
            labels_moved: None,
            mean_weight: None,
        })
    }

    fn snapshot(&self, epoch: usize) -> Result<(usize, Dense), TrainError> {
        Ok((epoch, self.learner.network.copy()?))
    }
}
