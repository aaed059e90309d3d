//! The state of the CycleGANs between two epochs, from which another process goes on to the same bits.

use ambivox_nn::{OptimiserState, Parameters};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::shuffled::Shuffled;

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
    pub(super) generators: OptimiserState,
    pub(super) discriminators: OptimiserState,
    pub(super) drawn: Drawn,
}

/// The classifier that guides them.
#[derive(Serialize, Deserialize)]
pub(super) struct GuideInterim {
    pub(super) network: Parameters,
    pub(super) optimiser: OptimiserState,
    pub(super) drawn: Drawn,
}

/// Shuffled indices and the place in the random stream that shuffles them.
#[derive(Serialize, Deserialize)]
pub(super) struct Drawn {
    shuffled: Shuffled,
    words: u64,
}

impl Drawn {
    /// As they are now.
    pub(super) fn of(shuffled: &Shuffled, rng: &ChaCha8Rng) -> Self {
        // No run draws 2⁶⁴ numbers.
        Self { shuffled: shuffled.clone(), words: rng.get_word_pos() as u64 }
    }

    /// Goes on drawing from here; whether both hold the same indices.
    pub(super) fn put_into(self, shuffled: &mut Shuffled, rng: &mut ChaCha8Rng) -> bool {
        let fits = self.shuffled.is_like(shuffled);
        if fits {
            *shuffled = self.shuffled;
            rng.set_word_pos(self.words.into());
        }
        fits
    }
}
