//! The classifier that guides the generators.

use ambivox_nn::{CrossEntropy, Dense, HiddenDropout, Loss, Optimiser, Targets, rng};
use candle_core::Result;
use rand_chacha::ChaCha8Rng;

use super::interim::{Drawn, GuideInterim};
use super::shuffled::Shuffled;
use super::{CycleganSettings, chosen, mask_seeds, parameters, widths};
use crate::labels::one_hot;
use crate::{Example, Fold};

/// A classifier of the training utterances, which says how far an emotion is recognised in
/// synthetic ones. It learns beside the discriminators, from real vectors alone.
pub(super) struct Guide<'a> {
    network: Dense,
    optimiser: Optimiser,
    settings: &'a CycleganSettings,
    examples: &'a [Example<'a>],
    /// The gold labels, of weight 1 each.
    targets: Targets,
    all: Shuffled,
    rng: ChaCha8Rng,
}

impl<'a> Guide<'a> {
    pub(super) fn new(fold: Fold<'a>, settings: &'a CycleganSettings) -> Result<Self> {
        let (examples, classes) = (fold.training, fold.classes.len());
        let widths = widths(fold.width, &settings.classifier, classes);
        let network = Dense::new("guide", &widths, settings.leak, fold.seed)?;
        // A run with vectors that have no gold label is refused at its start.
        let gold = examples.iter().filter_map(|example| example.gold);
        let distributions = gold.map(|gold| one_hot(gold, classes)).collect();
        Ok(Self {
            optimiser: Optimiser::new(network.variables(), settings.learning_rate, 0.0),
            network,
            settings,
            examples,
            targets: Targets { distributions, weights: vec![1.0; examples.len()] },
            all: Shuffled::new((0..examples.len()).collect()),
            rng: rng(fold.seed, "guide in training"),
        })
    }

    pub(super) fn network(&self) -> &Dense {
        &self.network
    }

    pub(super) fn set_learning_rate(&mut self, rate: f64) {
        self.optimiser.set_learning_rate(rate);
    }

    pub(super) fn interim(&self) -> Result<GuideInterim> {
        Ok(GuideInterim {
            network: parameters(&self.network)?,
            optimiser: self.optimiser.state(),
            drawn: Drawn::of(&self.all, &self.rng),
        })
    }

    /// Goes on from the state of an equal one; whether it is of one.
    pub(super) fn resume(&mut self, interim: GuideInterim) -> Result<bool> {
        let GuideInterim { network, optimiser, drawn } = interim;
        Ok(network.put_into(&self.network.variables())?
            && self.optimiser.resume(optimiser)
            && drawn.put_into(&mut self.all, &mut self.rng))
    }

    /// One update, down the mean cross-entropy of a mini-batch. A loss that is not finite shows in the
    /// generators' losses at once.
    pub(super) fn step(&mut self) -> Result<()> {
        let positions = self.all.draw(self.settings.batch_size, &mut self.rng);
        let [seed] = mask_seeds(&mut self.rng);
        let vectors = chosen(self.examples, &positions, self.network.inputs())?;
        let dropout = HiddenDropout { rate: self.settings.classifier_dropout, seed };
        let logits = self.network.training_output(&vectors, dropout)?;
        let loss = CrossEntropy.of(&logits, self.targets.scaled(&positions), &positions)?;
        self.optimiser.descend(&loss).map(drop)
    }
}
