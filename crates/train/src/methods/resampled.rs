//! BLSTM + ATT + Over- or Undersampling: every class drawn equally often, all weights 1.

use ambivox_settings::FixedLabelSettings;
use rand::seq::IteratorRandom;
use rand_chacha::ChaCha8Rng;

use super::Method;
use crate::labels::{Labels, fixed_targets};

/// How often every class is drawn in an epoch.
#[derive(Debug, Clone, Copy)]
pub(super) enum Size {
    /// As often as the largest class has utterances.
    Largest,
    /// As often as the smallest.
    Smallest,
}

/// The methods `oversampling` and `undersampling`.
#[derive(Debug)]
pub(super) struct Resampled {
    labels: Labels,
    /// Utterances of every class.
    members: Vec<Vec<usize>>,
    draws: usize,
}

impl Resampled {
    pub(super) fn new(
        size: Size,
        settings: &FixedLabelSettings,
        gold: &[usize],
        classes: usize,
    ) -> Self {
        let FixedLabelSettings { fixed_target, label_scale } = *settings;
        let mut members = vec![Vec::new(); classes];
        for (n, &class) in gold.iter().enumerate() {
            members[class].push(n);
        }
        let sizes = members.iter().map(Vec::len);
        let draws = match size {
            Size::Largest => sizes.max(),
            Size::Smallest => sizes.min(),
        };
        Self {
            labels: Labels {
                distributions: fixed_targets(fixed_target, label_scale, gold, classes),
                weights: vec![1.0; gold.len()],
            },
            members,
            draws: draws.unwrap_or_default(),
        }
    }
}

impl Method for Resampled {
    fn labels(&self) -> &Labels {
        &self.labels
    }

    /// Of every class as many, and no utterance of a class more than once oftener than another.
    fn utterances(&self, generator: &mut ChaCha8Rng) -> Vec<usize> {
        let mut drawn = Vec::with_capacity(self.draws * self.members.len());
        for members in &self.members {
            let whole = self.draws / members.len();
            drawn.extend(std::iter::repeat_n(members, whole).flatten());
            let rest = self.draws - whole * members.len();
            drawn.extend(members.iter().copied().sample(generator, rest));
        }
        drawn
    }
}

#[cfg(test)]
mod tests {
    use ambivox_settings::FixedTarget;
    use proptest::prelude::*;

    use super::*;

    fn resampled(size: Size, gold: &[usize]) -> Resampled {
        let settings = FixedLabelSettings { fixed_target: FixedTarget::OneHot, label_scale: 1.0 };
        Resampled::new(size, &settings, gold, 3)
    }

    /// How often each utterance is drawn in an epoch.
    fn counts(method: &Resampled, utterances: usize, epoch: u64) -> Vec<usize> {
        let mut generator = ambivox_model::generator(epoch, "resampling");
        let mut counts = vec![0; utterances];
        for n in method.utterances(&mut generator) {
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
                let counts = counts(&resampled(size, &gold), gold.len(), epoch);
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
        let method = resampled(Size::Smallest, &gold);
        assert_ne!(counts(&method, 26, 1), counts(&method, 26, 2));
        assert_eq!(counts(&method, 26, 1), counts(&method, 26, 1));
        assert!(method.labels.weights.iter().all(|&w| w == 1.0));
    }
}
