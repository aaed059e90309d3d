//! Seeded randomness: one `ChaCha8` stream per speaker, annotator or turn.
//!
//! A stream depends on the corpus's seed, on what it is for and on a running number, never on what
//! was drawn before, so turns can be made in any order and on any number of threads. Draws that
//! need a transcendental function take it from `libm`, whose bits are the same on every machine.

use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What a stream of random numbers decides.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    /// A speaker's voice and style.
    Voice = 1,
    /// Which emotions a speaker's turns have, and how long they are.
    Plan = 2,
    /// An annotator's habits.
    Annotator = 3,
    /// What the annotators say of one turn.
    Votes = 4,
    /// The words and the sound of one turn.
    Sound = 5,
}

/// Bits below the purpose in a stream's number: room for 2^56 speakers, annotators or turns.
const INDEX_BITS: u32 = 56;

/// A source of seeded random draws.
#[derive(Debug, Clone)]
pub(crate) struct Chance(ChaCha8Rng);

impl Chance {
    /// The stream of one purpose and one running number.
    pub(crate) fn new(seed: u64, purpose: Purpose, index: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(((purpose as u64) << INDEX_BITS) | index);
        Self(rng)
    }

    /// Uniform in [0, 1).
    pub(crate) fn unit(&mut self) -> f64 {
        self.0.random()
    }

    /// Uniform in [low, high).
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Uniform in [-1, 1): a sample of white noise.
    pub(crate) fn noise(&mut self) -> f64 {
        2.0 * self.unit() - 1.0
    }

    /// True with the given probability.
    pub(crate) fn happens(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// Standard normal, by Box and Muller's transform (1958).
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * libm::log(1.0 - self.unit())).sqrt();
        radius * libm::cos(std::f64::consts::TAU * self.unit())
    }

    /// Log-normal with median 1 and the given standard deviation of its logarithm.
    pub(crate) fn log_normal(&mut self, sigma: f64) -> f64 {
        libm::exp(sigma * self.normal())
    }

    /// One of a non-empty slice, each as likely.
    pub(crate) fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.0.random_range(0..items.len())]
    }

    /// An index, each with a chance in proportion to its weight; weights have a positive sum.
    pub(crate) fn weighted(&mut self, weights: &[f64]) -> usize {
        let mut left = self.unit() * weights.iter().sum::<f64>();
        for (index, weight) in weights.iter().enumerate() {
            left -= weight;
            if left < 0.0 {
                return index;
            }
        }
        weights.len() - 1
    }

    /// Puts the items into a random order.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        items.shuffle(&mut self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_reproducible_and_apart() {
        let draw = |purpose, index| Chance::new(7, purpose, index).unit();
        assert_eq!(draw(Purpose::Sound, 3), draw(Purpose::Sound, 3));
        assert_ne!(draw(Purpose::Sound, 3), draw(Purpose::Sound, 4));
        assert_ne!(draw(Purpose::Sound, 3), draw(Purpose::Votes, 3));
    }

    #[test]
    fn normal_draws_have_mean_zero_and_variance_one() {
        let mut chance = Chance::new(1, Purpose::Voice, 0);
        let draws: Vec<f64> = (0..20_000).map(|_| chance.normal()).collect();
        let mean = draws.iter().sum::<f64>() / draws.len() as f64;
        let variance = draws.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / 20_000.0;
        // Four standard errors: 4/sqrt(20000) and 4*sqrt(2/20000).
        assert!(mean.abs() < 0.029, "mean {mean}");
        assert!((variance - 1.0).abs() < 0.04, "variance {variance}");
    }

    #[test]
    fn weighted_draws_follow_the_weights() {
        let mut chance = Chance::new(2, Purpose::Voice, 0);
        let mut counts = [0_u32; 3];
        for _ in 0..4_000 {
            counts[chance.weighted(&[1.0, 0.0, 3.0])] += 1;
        }
        assert_eq!(counts[1], 0);
        assert!((900..1100).contains(&counts[0]), "{counts:?}");
    }
}
