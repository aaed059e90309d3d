//! Who takes part in a round.

use rand::seq::IteratorRandom;
use rand_chacha::ChaCha8Rng;

/// A way of choosing the utterances of a round.
pub trait Sampler {
    /// Positions of the utterances of the coming round, in any order, by this stream of chance.
    fn utterances(&self, rng: &mut ChaCha8Rng) -> Vec<usize>;
}

/// Each of so many utterances once.
#[derive(Debug)]
pub(crate) struct Each(pub(crate) usize);

impl Sampler for Each {
    fn utterances(&self, _generator: &mut ChaCha8Rng) -> Vec<usize> {
        (0..self.0).collect()
    }
}

/// How often every class is drawn in a round.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Size {
    /// As often as the largest class has utterances.
    Largest,
    /// As often as the smallest.
    Smallest,
}

/// Every class equally often: over- and undersampling.
#[derive(Debug)]
pub(crate) struct Balanced {
    /// Utterances of every class.
    members: Vec<Vec<usize>>,
    draws: usize,
}

impl Balanced {
    pub(crate) fn new(size: Size, gold: &[usize], classes: usize) -> Self {
        let mut members = vec![Vec::new(); classes];
        for (n, &class) in gold.iter().enumerate() {
            members[class].push(n);
        }
        let sizes = members.iter().map(Vec::len);
        let draws = match size {
            Size::Largest => sizes.max(),
            Size::Smallest => sizes.min(),
        };
        Self { members, draws: draws.unwrap_or_default() }
    }
}

impl Sampler for Balanced {
    /// Of every class as many, and no utterance of a class more than once oftener than another.
    fn utterances(&self, rng: &mut ChaCha8Rng) -> Vec<usize> {
        let mut drawn = Vec::with_capacity(self.draws * self.members.len());
        for members in &self.members {
            let whole = self.draws / members.len();
            drawn.extend(std::iter::repeat_n(members, whole).flatten());
            let rest = self.draws - whole * members.len();
            drawn.extend(members.iter().copied().sample(rng, rest));
        }
        drawn
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// How often each utterance is drawn in an epoch.
    fn counts(sampler: &Balanced, utterances: usize, epoch: u64) -> Vec<usize> {
        let mut rng = ambivox_nn::rng(epoch, "resampling");
        let mut counts = vec![0; utterances];
        for n in sampler.utterances(&mut rng) {
            counts[n] += 1;
        }
        counts
    }

    proptest! {
        #[test]
        fn classes_are_drawn_alike_and_utterances_almost(
            gold in prop::collection::vec(0_usize..3, 0..60),
            epoch in 0_u64..1000,
        ) {
            let gold = [&[0, 1, 2], gold.as_slice()].concat();
            for (size, of) in [(Size::Largest, true), (Size::Smallest, false)] {
                let counts = counts(&Balanced::new(size, &gold, 3), gold.len(), epoch);
                let class = |c: usize| {
                    let of_class = gold.iter().zip(&counts).filter(move |(g, _)| **g == c);
                    of_class.map(|(_, n)| *n).collect::<Vec<_>>()
                };
                let sizes = (0..3).map(|c| class(c).len());
                let draws = if of { sizes.max() } else { sizes.min() };
                for c in 0..3 {
                    let drawn = class(c);
                    prop_assert_eq!(Some(drawn.iter().sum()), draws);
                    prop_assert!(drawn.iter().max().unwrap() - drawn.iter().min().unwrap() <= 1);
                }
            }
        }
    }

    #[test]
    fn epochs_differ() {
        let gold = [&[0; 20][..], &[1, 1, 1], &[2, 2, 2]].concat();
        let sampler = Balanced::new(Size::Smallest, &gold, 3);
        assert_ne!(counts(&sampler, 26, 1), counts(&sampler, 26, 2));
        assert_eq!(counts(&sampler, 26, 1), counts(&sampler, 26, 1));
    }
}
