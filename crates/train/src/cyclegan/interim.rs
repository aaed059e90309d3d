//! The state of a run between two epochs, from which another process goes on to the same bits.

use ambivox_eval::EpochRecord;
use ambivox_model::Dense;
use candle_core::Result;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::deck::Deck;
use crate::interim::State;
use crate::learner::Parameters;
use crate::optimiser::Memory;
use crate::{Example, TrainError};

/// How far a run of `cyclegan` has come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum CycleganInterim {
    /// Its CycleGANs are in training.
    Gans(GansInterim),
    /// They are done, and what is left of them is what they made.
    Classifier {
        /// Synthetic vectors of all classes.
        synthetic: Vec<Example>,
        /// The classifier in training.
        classifier: ClassifierInterim,
    },
}

impl State for CycleganInterim {
    fn place(&self) -> String {
        match self {
            Self::Gans(gans) => format!("epoch {} of the CycleGANs", gans.epochs),
            Self::Classifier { classifier, .. } => {
                format!("epoch {} of the classifier", classifier.epochs.len())
            }
        }
    }
}

/// All CycleGANs and their guide after some epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GansInterim {
    pub(super) epochs: usize,
    pub(super) pairs: Vec<PairInterim>,
    pub(super) guide: GuideInterim,
}

/// One CycleGAN.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct PairInterim {
    pub(super) networks: [Parameters; 4],
    pub(super) generators: Memory,
    pub(super) discriminators: Memory,
    pub(super) drawn: Drawn,
}

/// The classifier that guides them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct GuideInterim {
    pub(super) network: Parameters,
    pub(super) optimiser: Memory,
    pub(super) drawn: Drawn,
}

/// The classifier that is kept, after some epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassifierInterim {
    pub(super) epochs: Vec<EpochRecord>,
    pub(super) network: Parameters,
    pub(super) optimiser: Memory,
    pub(super) best_epoch: usize,
    pub(super) best: Parameters,
}

/// A deck and the stream of chance that it is shuffled by, with the place in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Drawn {
    deck: Deck,
    words: u64,
}

impl Drawn {
    /// As they are now.
    pub(super) fn of(deck: &Deck, chance: &ChaCha8Rng) -> Self {
        // No run draws 2⁶⁴ numbers.
        Self { deck: deck.clone(), words: chance.get_word_pos() as u64 }
    }

    /// Goes on drawing from here; whether the deck is of the same set.
    pub(super) fn put_into(self, deck: &mut Deck, chance: &mut ChaCha8Rng) -> bool {
        let fits = self.deck.is_like(deck);
        if fits {
            *deck = self.deck;
            chance.set_word_pos(self.words.into());
        }
        fits
    }
}

/// The values of a network.
pub(super) fn parameters(network: &Dense) -> Result<Parameters> {
    Parameters::of(&network.variables())
}

/// That a state fits the run that is to go on from it.
pub(super) fn fitting(fits: bool) -> std::result::Result<(), TrainError> {
    fits.then_some(()).ok_or(TrainError::OtherRun)
}
