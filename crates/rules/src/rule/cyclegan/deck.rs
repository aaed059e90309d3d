//! Drawing mini-batches from a set that is smaller or larger than they are.

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// A shuffled set that is drawn from to its end, then shuffled again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Deck {
    cards: Vec<usize>,
    left: usize,
}

impl Deck {
    /// Of these; at least one.
    pub(super) fn new(cards: Vec<usize>) -> Self {
        Self { cards, left: 0 }
    }

    /// Whether it is of the same set.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let sorted = |deck: &Self| {
            let mut cards = deck.cards.clone();
            cards.sort_unstable();
            cards
        };
        self.left <= self.cards.len() && sorted(self) == sorted(other)
    }

    /// The next `count`.
    pub(super) fn draw(&mut self, count: usize, generator: &mut ChaCha8Rng) -> Vec<usize> {
        (0..count).map(|_| self.next(generator)).collect()
    }

    fn next(&mut self, generator: &mut ChaCha8Rng) -> usize {
        if self.left == 0 {
            self.cards.shuffle(generator);
            self.left = self.cards.len();
        }
        self.left -= 1;
        self.cards[self.left]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_comes_once_before_any_comes_again() {
        let mut generator = ambivox_nn::generator(3, "deck");
        let mut deck = Deck::new((10..17).collect());
        let drawn = deck.draw(21, &mut generator);
        for round in drawn.chunks(7) {
            let mut round = round.to_vec();
            round.sort_unstable();
            assert_eq!(round, [10, 11, 12, 13, 14, 15, 16]);
        }
        assert_ne!(drawn[..7], drawn[7..14]);
    }
}
