//! The method `cyclegan` (Bao et al. 2019): a classifier of utterance-level vectors, trained on real
//! ones and on unlabelled ones that CycleGANs have carried over to each emotion.
//!
//! [`synthesise`] trains one CycleGAN per emotion and makes the synthetic vectors; it is given
//! training utterances and the pool alone. [`train_classifier`] trains the classifier that is kept, and
//! is stopped by validation like any other method. A vector is an [`Example`] of one frame.

mod classifier;
mod deck;
mod interim;
mod losses;
mod pair;
#[cfg(test)]
mod tests;

use ambivox_model::{Dense, generator, rows};
use ambivox_settings::CycleganSettings;
use candle_core::Tensor;
use rand::Rng;
use rand::seq::{IteratorRandom, SliceRandom};
use rand_chacha::ChaCha8Rng;

use crate::optimiser::Optimiser;
use crate::{Example, RunSpec, TrainError};
use classifier::Guide;
use interim::fitting;
use pair::Pair;

pub use classifier::{ClassifierWaypoint, train_classifier};
pub use interim::{ClassifierInterim, CycleganInterim, GansInterim};

/// Trains a CycleGAN from the pool to each emotion of the training utterances, and carries
/// `synthetic_share` of the pool over to each; the vectors made, class by class, each labelled with
/// that class and under the id of the utterance it was made from. Labels in the pool are not looked
/// at. Begins at the start, or where an equal run was cut short; `observer` sees the CycleGANs after
/// every epoch.
///
/// Errors: utterances that cannot be trained on, an empty pool, a loss that is not finite, the state
/// of another run.
pub fn synthesise(
    spec: &RunSpec<'_>,
    settings: &CycleganSettings,
    training: &[Example],
    pool: &[Example],
    from: Option<GansInterim>,
    observer: &mut dyn FnMut(&Gans<'_>),
) -> Result<Vec<Example>, TrainError> {
    spec.check_training(training)?;
    spec.check_pool(pool)?;
    let mut gans = Gans::new(spec, settings, training, pool)?;
    from.map_or(Ok(()), |interim| gans.resume(interim))?;
    for epoch in gans.epochs + 1..=settings.pretraining_epochs + settings.epochs {
        gans.epoch(epoch)?;
        observer(&gans);
    }
    gans.carry_over()
}

/// Widths of a network's layers, from its inputs to its outputs.
fn widths(inputs: usize, hidden: &[usize], outputs: usize) -> Vec<usize> {
    [&[inputs], hidden, &[outputs]].concat()
}

/// Vectors of these examples, in this order.
fn chosen(examples: &[Example], positions: &[usize], width: usize) -> Result<Tensor, TrainError> {
    let vectors: Vec<&[f32]> = positions.iter().map(|&n| examples[n].frames.as_slice()).collect();
    Ok(rows(&vectors, width)?)
}

/// The CycleGANs of all emotions, and the classifier that guides their generators.
pub struct Gans<'a> {
    spec: &'a RunSpec<'a>,
    settings: &'a CycleganSettings,
    pool: &'a [Example],
    /// One per class, in the classes' order.
    pairs: Vec<Pair<'a>>,
    guide: Guide<'a>,
    /// Epochs so far.
    epochs: usize,
}

impl<'a> Gans<'a> {
    fn new(
        spec: &'a RunSpec<'a>,
        settings: &'a CycleganSettings,
        training: &'a [Example],
        pool: &'a [Example],
    ) -> Result<Self, TrainError> {
        let pair = |class| Pair::new(spec, settings, training, class);
        let pairs = (0..spec.classes.len()).map(pair).collect::<Result<_, _>>()?;
        let guide = Guide::new(spec, settings, training)?;
        Ok(Self { spec, settings, pool, pairs, guide, epochs: 0 })
    }

    /// Epochs so far.
    pub fn epochs_done(&self) -> usize {
        self.epochs
    }

    /// All that the rest of their training depends on.
    pub fn interim(&self) -> Result<GansInterim, TrainError> {
        let pairs = self.pairs.iter().map(Pair::interim).collect::<candle_core::Result<_>>()?;
        Ok(GansInterim { epochs: self.epochs, pairs, guide: self.guide.interim()? })
    }

    fn resume(&mut self, interim: GansInterim) -> Result<(), TrainError> {
        let GansInterim { epochs, pairs, guide } = interim;
        fitting(self.pairs.len() == pairs.len() && self.guide.resume(guide)?)?;
        for (pair, interim) in self.pairs.iter_mut().zip(pairs) {
            fitting(pair.resume(interim)?)?;
        }
        self.epochs = epochs;
        Ok(())
    }

    /// Once through the pool: on the cycle loss alone at first, then against the discriminators.
    fn epoch(&mut self, epoch: usize) -> Result<(), TrainError> {
        self.set_learning_rate(epoch);
        let adversarial = epoch > self.settings.pretraining_epochs;
        let mut order: Vec<usize> = (0..self.pool.len()).collect();
        order.shuffle(&mut generator(self.spec.seed, &format!("pool in epoch {epoch}")));
        let batches = order.chunks(self.settings.batch_size);
        for (number, positions) in (self.epochs * batches.len()..).zip(batches) {
            let pool = chosen(self.pool, positions, self.spec.width)?;
            let turn = number.is_multiple_of(self.settings.generator_steps);
            let finite = self.step(&pool, adversarial, turn)?;
            if let Some(class) = finite.iter().position(|finite| !finite) {
                let class = self.spec.classes[class].clone();
                return Err(TrainError::GanDiverged { epoch, class });
            }
        }
        self.epochs = epoch;
        Ok(())
    }

    /// One update of all generators; where it is their turn, of the guide and the discriminators
    /// before it. Whether each class's losses are finite.
    fn step(
        &mut self,
        pool: &Tensor,
        adversarial: bool,
        turn: bool,
    ) -> Result<Vec<bool>, TrainError> {
        if turn {
            self.guide.step()?;
        }
        let guide = self.guide.network();
        let step = |pair: &mut Pair<'_>| {
            if adversarial {
                pair.adversarial_step(pool, guide, turn)
            } else {
                pair.cycle_step(pool)
            }
        };
        self.pairs.iter_mut().map(step).collect()
    }

    /// The step size falls by a factor every few epochs.
    fn set_learning_rate(&mut self, epoch: usize) {
        let CycleganSettings { learning_rate, decay, decay_epochs, .. } = *self.settings;
        let falls = (epoch - 1) / decay_epochs;
        let rate = learning_rate * decay.powi(falls as i32);
        self.guide.set_learning_rate(rate);
        self.pairs.iter_mut().for_each(|pair| pair.set_learning_rate(rate));
    }

    /// The synthetic vectors of every class.
    fn carry_over(&self) -> Result<Vec<Example>, TrainError> {
        let count = (self.settings.synthetic_share * self.pool.len() as f64).round() as usize;
        let mut synthetic = Vec::new();
        for (class, pair) in self.pairs.iter().enumerate() {
            let name = &self.spec.classes[class];
            let mut generator = generator(self.spec.seed, &format!("pool carried over to {name}"));
            let mut positions = (0..self.pool.len()).sample(&mut generator, count);
            positions.sort_unstable();
            if positions.is_empty() {
                continue;
            }
            let made = pair.carry_over(&chosen(self.pool, &positions, self.spec.width)?)?;
            synthetic.extend(positions.iter().zip(made).map(|(&n, frames)| Example {
                utterance_id: self.pool[n].utterance_id.clone(),
                frames,
                gold: Some(class),
                votes: Vec::new(),
            }));
        }
        Ok(synthetic)
    }
}

/// A step down the loss, unless it is not finite; the loss before it.
fn descend(optimiser: &mut Optimiser, loss: &Tensor) -> candle_core::Result<f64> {
    let value = losses::value(loss)?;
    if value.is_finite() {
        optimiser.step(loss)?;
    }
    Ok(value)
}

/// A seed for each of the masks of one step.
fn mask_seeds<const COUNT: usize>(generator: &mut ChaCha8Rng) -> [u64; COUNT] {
    std::array::from_fn(|_| generator.next_u64())
}

/// A network of the classifier's shape.
fn classifier(
    name: &str,
    spec: &RunSpec<'_>,
    settings: &CycleganSettings,
) -> Result<Dense, TrainError> {
    let widths = widths(spec.width, &settings.classifier, spec.classes.len());
    Ok(Dense::new(name, &widths, settings.leak, spec.seed)?)
}
