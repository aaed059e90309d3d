//! The augmenter of the method `cyclegan` (Bao et al. 2019): one CycleGAN per emotion carries
//! unlabelled vectors over to it.
//!
//! Vectors are [`Example`]s of one row. The classifier that learns from real and synthetic ones is a
//! model like any other.

mod guide;
mod interim;
mod losses;
mod pair;
mod settings;
mod shuffled;
#[cfg(test)]
mod tests;

use ambivox_nn::{Dense, Rows, State, rng, vectors};
use ambivox_settings::Section;
use candle_core::{Result, Tensor};
use rand::Rng;
use rand::seq::{IteratorRandom, SliceRandom};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use super::gold;
use crate::fixed::{Fixed, FixedLabelSettings, Weighting};
use crate::{Augmenter, Example, Fold, LabelRule, Rule, RuleError, RuleKind};
use guide::Guide;
use interim::Interim;
use pair::Pair;

pub use settings::{CycleganSettings, Pool};

pub(super) const KIND: RuleKind = RuleKind::new::<CycleganSettings>("cyclegan");

/// The classifier's settings.
#[derive(Serialize)]
struct Classifier<'a> {
    hidden: &'a [usize],
    leak: f64,
    dropout: f64,
}

impl Rule for CycleganSettings {
    fn fault(&self) -> Option<&'static str> {
        self.first_fault()
    }

    fn uses_ambiguous(&self) -> bool {
        self.pool == Pool::TrainingAndAmbiguous
    }

    /// The classifier of all, real and synthetic.
    fn model(&self) -> Option<(Section, &'static str)> {
        let (hidden, leak, dropout) = (&self.classifier, self.leak, self.classifier_dropout);
        let section = Section::new("mlp", &Classifier { hidden, leak, dropout });
        section.ok().map(|section| (section, "classifier"))
    }

    fn augments(&self) -> bool {
        true
    }

    fn augmenting_epochs(&self) -> usize {
        self.pretraining_epochs + self.epochs
    }

    fn augmenter<'a>(
        &'a self,
        fold: Fold<'a>,
    ) -> std::result::Result<Option<Box<dyn Augmenter + 'a>>, RuleError> {
        Ok(Some(Box::new(CycleGans::new(fold, self)?)))
    }

    fn start(
        &self,
        training: &[Example<'_>],
        classes: usize,
    ) -> std::result::Result<Box<dyn LabelRule>, RuleError> {
        let settings = FixedLabelSettings::GOLD;
        Ok(Box::new(Fixed::new(&settings, Weighting::Equal, &gold(training), classes)))
    }
}

/// The CycleGANs of all emotions, from the pool to each, and the classifier that guides their
/// generators. Labels in the pool are not looked at.
pub(crate) struct CycleGans<'a> {
    fold: Fold<'a>,
    settings: &'a CycleganSettings,
    /// One per class, in the classes' order.
    pairs: Vec<Pair<'a>>,
    guide: Guide<'a>,
    /// Epochs so far.
    epochs: usize,
}

impl<'a> CycleGans<'a> {
    pub(crate) fn new(fold: Fold<'a>, settings: &'a CycleganSettings) -> Result<Self> {
        let pair = |class| Pair::new(fold, settings, class);
        let pairs = (0..fold.classes.len()).map(pair).collect::<Result<_>>()?;
        Ok(Self { fold, settings, pairs, guide: Guide::new(fold, settings)?, epochs: 0 })
    }

    /// One update of all generators; where it is their turn, of the guide and the discriminators
    /// before it. Whether each class's losses are finite.
    fn step(&mut self, pool: &Tensor, adversarial: bool, turn: bool) -> Result<Vec<bool>> {
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

    /// `synthetic_share` of the pool carried over to a class, each under the id of the utterance it
    /// was made from.
    fn carry_over(&self, class: usize, pair: &Pair<'_>) -> Result<Vec<Example<'static>>> {
        let Fold { pool, classes, width, seed, .. } = self.fold;
        let count = (self.settings.synthetic_share * pool.len() as f64).round() as usize;
        let purpose = format!("pool carried over to {}", classes[class]);
        let mut positions = (0..pool.len()).sample(&mut rng(seed, &purpose), count);
        positions.sort_unstable();
        if positions.is_empty() {
            return Ok(Vec::new());
        }
        let made = pair.carry_over(&chosen(pool, &positions, width)?)?;
        let example = |(&n, frames): (&usize, Vec<f32>)| Example {
            utterance_id: pool[n].utterance_id.clone(),
            group: pool[n].group.clone(),
            frames: frames.into(),
            gold: Some(class),
            votes: Vec::new(),
        };
        Ok(positions.iter().zip(made).map(example).collect())
    }
}

impl Augmenter for CycleGans<'_> {
    fn name(&self) -> &'static str {
        "CycleGANs"
    }

    fn epochs(&self) -> usize {
        self.epochs
    }

    /// Once through the pool: on the cycle loss alone at first, then against the discriminators.
    fn epoch(&mut self) -> std::result::Result<(), RuleError> {
        let epoch = self.epochs + 1;
        self.set_learning_rate(epoch);
        let adversarial = epoch > self.settings.pretraining_epochs;
        let Fold { pool, classes, width, seed, .. } = self.fold;
        let mut order: Vec<usize> = (0..pool.len()).collect();
        order.shuffle(&mut rng(seed, &format!("pool in epoch {epoch}")));
        let batches = order.chunks(self.settings.batch_size);
        for (number, positions) in (self.epochs * batches.len()..).zip(batches) {
            let turn = number.is_multiple_of(self.settings.generator_steps);
            let finite = self.step(&chosen(pool, positions, width)?, adversarial, turn)?;
            if let Some(class) = finite.iter().position(|finite| !finite) {
                return Err(RuleError::GanDiverged { epoch, class: classes[class].clone() });
            }
        }
        self.epochs = epoch;
        Ok(())
    }

    fn state(&self) -> std::result::Result<State, RuleError> {
        let pairs = self.pairs.iter().map(Pair::interim).collect::<Result<_>>()?;
        Ok(State::of(&Interim { epochs: self.epochs, pairs, guide: self.guide.interim()? }))
    }

    fn restore(&mut self, state: &State) -> std::result::Result<bool, RuleError> {
        let Some(Interim { epochs, pairs, guide }) = state.read() else { return Ok(false) };
        if self.pairs.len() != pairs.len() || !self.guide.resume(guide)? {
            return Ok(false);
        }
        for (pair, interim) in self.pairs.iter_mut().zip(pairs) {
            if !pair.resume(interim)? {
                return Ok(false);
            }
        }
        self.epochs = epochs;
        Ok(true)
    }

    /// The synthetic vectors, class by class.
    fn examples(&self) -> std::result::Result<Vec<Example<'static>>, RuleError> {
        let of_class = |(class, pair)| self.carry_over(class, pair);
        let made = self.pairs.iter().enumerate().map(of_class).collect::<Result<Vec<_>>>()?;
        Ok(made.concat())
    }
}

/// Widths of a network's layers, from its inputs to its outputs.
fn widths(inputs: usize, hidden: &[usize], outputs: usize) -> Vec<usize> {
    [&[inputs], hidden, &[outputs]].concat()
}

/// Vectors of these examples, in this order.
fn chosen(examples: &[Example<'_>], positions: &[usize], width: usize) -> Result<Tensor> {
    let chosen: Vec<&Rows<'_>> = positions.iter().map(|&n| &examples[n].frames).collect();
    vectors(&chosen, width)
}

/// A seed for each of the masks of one step.
fn mask_seeds<const COUNT: usize>(rng: &mut ChaCha8Rng) -> [u64; COUNT] {
    std::array::from_fn(|_| rng.next_u64())
}

/// The values of a network.
fn parameters(network: &Dense) -> Result<ambivox_nn::Parameters> {
    ambivox_nn::Parameters::of(&network.variables())
}
