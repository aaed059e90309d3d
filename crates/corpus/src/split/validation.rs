//! Who validates a fold of groups: a choice that several kinds of split have.

use std::collections::BTreeSet;

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde::{Deserialize, Serialize};

use super::Groups;

/// The setting `validation`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "validation: expected \"partner\", \"next-group\", \"none\" or { share = …, seed = … }"
)]
pub(crate) enum Validation {
    Named(Named),
    Drawn(Drawn),
}

/// One that needs no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Named {
    /// The manifest's partner, else the other speaker of the session, else the next one.
    Partner,
    /// The group, or the part, that comes next by name; the first follows the last.
    NextGroup,
    /// Nobody: all others train, for all epochs.
    None,
}

/// Whole groups of those that are not tested.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Drawn {
    /// The share of their utterances, above 0, below 1.
    pub(crate) share: f64,
    pub(crate) seed: u64,
}

impl Validation {
    /// Whether somebody has to validate.
    pub(crate) fn is_none(&self) -> bool {
        *self == Self::Named(Named::None)
    }

    pub(crate) fn fault(&self) -> Option<&'static str> {
        let Self::Drawn(Drawn { share, .. }) = self else { return None };
        (!(*share > 0.0 && *share < 1.0)).then_some("validation.share: above 0, below 1")
    }
}

impl Drawn {
    /// The first of these names in an order of the seed, until they have the share of all utterances that
    /// `size` counts; one is left at least. The `stream`, such as the number of the fold, makes it another
    /// order.
    pub(crate) fn names<'a>(
        &self,
        names: &[&'a str],
        stream: u64,
        size: impl Fn(&str) -> usize,
    ) -> BTreeSet<&'a str> {
        let all: usize = names.iter().map(|name| size(name)).sum();
        let wanted = (self.share * all as f64).ceil() as usize;
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(stream);
        let mut order = names.to_vec();
        order.shuffle(&mut rng);
        order.pop();
        let mut drawn = (0, BTreeSet::new());
        for name in order {
            if drawn.0 >= wanted {
                break;
            }
            drawn.0 += size(name);
            drawn.1.insert(name);
        }
        drawn.1
    }

    /// Groups to validate a fold that tests some of them.
    pub(crate) fn groups(
        &self,
        groups: &Groups<'_>,
        tested: &BTreeSet<String>,
        fold: usize,
    ) -> BTreeSet<String> {
        let others: Vec<&str> =
            groups.keys().copied().filter(|name| !tested.contains(*name)).collect();
        let size = |name: &str| groups[name].size();
        self.names(&others, fold as u64, size).into_iter().map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_groups_are_drawn_until_they_have_the_share() {
        let drawn = Drawn { share: 0.25, seed: 3 };
        let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
        let found = drawn.names(&names, 0, |_| 5);
        assert_eq!(found.len(), 2);
        assert_eq!(found, drawn.names(&names, 0, |_| 5));
        assert!((1..20).any(|stream| drawn.names(&names, stream, |_| 5) != found));
        let most = Drawn { share: 0.99, seed: 3 };
        assert_eq!(most.names(&names, 0, |_| 1).len(), 7, "one trains");
        assert!(most.names(&["a"], 0, |_| 1).is_empty());
    }
}
