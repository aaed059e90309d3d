//! Drawing mini-batches from a set that is smaller or larger than they are.

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// A shuffled set that is drawn from to its end, then shuffled again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Shuffled {
    indices: Vec<usize>,
    left: usize,
}

impl Shuffled {
    /// Of these; at least one.
    pub(super) fn new(indices: Vec<usize>) -> Self {
        Self { indices, left: 0 }
    }

    /// Whether it is of the same set.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let sorted = |shuffled: &Self| {
            let mut indices = shuffled.indices.clone();
            indices.sort_unstable();
            indices
        };
        self.left <= self.indices.len() && sorted(self) == sorted(other)
    }

    /// The next `count`.
    pub(super) fn draw(&mut self, count: usize, rng: &mut ChaCha8Rng) -> Vec<usize> {
        (0..count).map(|_| self.next(rng)).collect()
    }

    fn next(&mut self, rng: &mut ChaCha8Rng) -> usize {
        if self.left == 0 {
            self.indices.shuffle(rng);
            self.left = self.indices.len();
        }
        self.left -= 1;
        self.indices[self.left]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_comes_once_before_any_comes_again() {
        let mut rng = ambivox_nn::rng(3, "shuffled");
        let mut shuffled = Shuffled::new((10..17).collect());
        let drawn = shuffled.draw(21, &mut rng);
        for round in drawn.chunks(7) {
            let mut round = round.to_vec();
            round.sort_unstable();
            assert_eq!(round, [10, 11, 12, 13, 14, 15, 16]);
        }
        assert_ne!(drawn[..7], drawn[7..14]);
    }
}
