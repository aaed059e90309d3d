//! Groups in parts of like size: what kinds of split divide by.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::Groups;

/// Groups in parts of as many utterances as can be: the largest first, each to the part that has
/// fewest; of equal ones the seed decides which is first. Single utterances go label by label, so that every
/// part has like shares of all labels.
pub(crate) fn parts(groups: &Groups<'_>, folds: usize, seed: u64) -> Vec<BTreeSet<String>> {
    let mut names: Vec<&str> = groups.keys().copied().collect();
    names.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    names.sort_by_key(|name| (Reverse(groups[name].size()), groups[name].label));
    let mut parts = vec![(0, BTreeSet::new()); folds];
    for name in names {
        // The first of the smallest: empty ones come before all others, since every group has some.
        if let Some((utterances, members)) = parts.iter_mut().min_by_key(|(count, _)| *count) {
            *utterances += groups[name].size();
            members.insert(name.to_owned());
        }
    }
    parts.into_iter().map(|(_, members)| members).collect()
}
