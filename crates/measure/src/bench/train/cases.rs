//! What is timed: batches as they occur, and series in which one size grows.

use super::job::Sizes;

/// The network of the pipelines.
pub(crate) const NETWORK: Sizes =
    Sizes { inputs: 32, linear: 512, lstm: 128, classes: 4, dropout: 0.5 };

/// Batches with a name, on a network.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) sizes: Sizes,
    pub(crate) batches: Vec<Vec<usize>>,
}

impl Case {
    fn one(name: &str, lengths: Vec<usize>) -> Self {
        Self { name: name.to_owned(), sizes: NETWORK, batches: vec![lengths] }
    }

    fn equal(utterances: usize, length: usize) -> Self {
        Self::one(&format!("{utterances} x {length}"), vec![length; utterances])
    }

    /// Frames of all batches.
    pub(crate) fn frames(&self) -> usize {
        self.batches.iter().flatten().sum()
    }
}

/// One length, varying lengths, and short batches.
pub(crate) fn batches() -> Vec<Case> {
    [Case::equal(32, 450), varying()].into_iter().chain(short_batches()).collect()
}

/// 32 utterances of 177 to 967 frames, 444 in the mean.
pub(crate) fn varying() -> Case {
    Case::one("32 varying", (0..32).map(|i| 177 + i * i * 823 / 1000).collect())
}

/// As short as EmoDB's and the demonstration's.
pub(crate) fn short_batches() -> Vec<Case> {
    vec![
        Case::one("8 of EmoDB", (0..8).map(|i| 120 + 44 * i).collect()),
        Case::one("32 of demo", (0..32).map(|i| 70 + 4 * i).collect()),
    ]
}

/// One size grows while the others stay.
pub(crate) fn growth() -> Vec<Case> {
    let batch = [1, 4, 16, 64].map(|utterances| Case::equal(utterances, 450));
    let length = [100, 1600].map(|length| Case::equal(16, length));
    let hidden = [32, 64, 256].map(|lstm| {
        let case = Case::equal(16, 450);
        let sizes = Sizes { lstm, ..NETWORK };
        Case { name: format!("{}, lstm {lstm}", case.name), sizes, ..case }
    });
    batch.into_iter().chain(length).chain(hidden).collect()
}

/// An epoch of 128 utterances with a long tail, in batches by chance and in batches of like length.
pub(crate) fn orders() -> Vec<Case> {
    let lengths: Vec<usize> = (0..128).map(|i| 100 + 1400 * i * i * i / 128_usize.pow(3)).collect();
    // 37 and 128 have no common factor, so that each utterance occurs once.
    let scattered: Vec<usize> = (0..128).map(|i| lengths[i * 37 % 128]).collect();
    let case = |name, lengths: &[usize], size| Case {
        name: format!("{name} by {size}"),
        sizes: NETWORK,
        batches: lengths.chunks(size).map(<[usize]>::to_vec).collect(),
    };
    let orders = |size| [case("random", &scattered, size), case("sorted", &lengths, size)];
    [8, 32].into_iter().flat_map(orders).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_have_the_same_utterances() {
        let sorted = |case: &Case| {
            let mut lengths = case.batches.concat();
            lengths.sort_unstable();
            lengths
        };
        let orders = orders();
        assert!(orders.iter().all(|case| sorted(case) == orders[1].batches.concat()));
        assert_ne!(orders[0].batches, orders[1].batches);
    }

    #[test]
    fn names_differ() {
        for cases in [batches(), growth(), orders()] {
            let names: std::collections::BTreeSet<_> =
                cases.iter().map(|case| &case.name).collect();
            assert_eq!(names.len(), cases.len());
        }
    }

    #[test]
    fn the_varying_batch_is_as_described() {
        let (case, lengths) = (varying(), varying().batches.concat());
        assert_eq!((lengths[0], lengths[31], case.frames() / 32), (177, 967, 444));
    }
}
