//! The state of the CycleGANs between two epochs, from which another process goes on to the same bits.

use ambivox_nn::{Memory, Parameters};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::deck::Deck;

/// All CycleGANs and their guide after some epoch.
#[derive(Serialize, Deserialize)]
pub(super) struct Interim {
    pub(super) epochs: usize,
    pub(super) pairs: Vec<PairInterim>,
    pub(super) guide: GuideInterim,
}

/// One CycleGAN.
#[derive(Serialize, Deserialize)]
pub(super) struct PairInterim {
    pub(super) networks: [Parameters; 4],
    pub(super) generators: Memory,
    pub(super) discriminators: Memory,
    pub(super) drawn: Drawn,
}

/// The classifier that guides them.
#[derive(Serialize, Deserialize)]
pub(super) struct GuideInterim {
    pub(super) network: Parameters,
    pub(super) optimiser: Memory,
    pub(super) drawn: Drawn,
}

/// A deck and the stream of chance that it is shuffled by, with the place in it.
#[derive(Serialize, Deserialize)]
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
