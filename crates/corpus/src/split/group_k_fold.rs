//! The split `group-k-fold`: speakers or sessions in k parts of like size.

use std::cmp::Reverse;

use ambivox_settings::{GroupKFoldSettings, Grouping};
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::{Division, Found, Groups, Splitter, TakingPart};
use crate::CorpusError;

impl Splitter for GroupKFoldSettings {
    fn grouping(&self) -> Grouping {
        self.group
    }

    /// Each part is tested in one fold, and the next one, the first following the last, validates it.
    /// A fold has the name of its group where every part has one, else a number from 1.
    ///
    /// Error: more parts than groups.
    fn folds(&self, taking_part: &TakingPart<'_>) -> Result<Found, CorpusError> {
        taking_part.by_groups(|| divide(self, &taking_part.groups))
    }
}

fn divide(
    settings: &GroupKFoldSettings,
    groups: &Groups<'_>,
) -> Result<Vec<Division>, CorpusError> {
    let GroupKFoldSettings { group, folds, seed } = *settings;
    if folds > groups.len() {
        let (grouping, found) = (group.as_str(), groups.len());
        return Err(CorpusError::TooManyFolds { folds, grouping, found });
    }
    let parts = if folds == groups.len() {
        groups.keys().map(|name| vec![(*name).to_owned()]).collect()
    } else {
        parts(groups, folds, seed)
    };
    let division = |number: usize| Division {
        name: name(&parts[number], number, folds, groups.len()),
        tested: parts[number].iter().cloned().collect(),
        validating: parts[(number + 1) % folds].iter().cloned().collect(),
    };
    Ok((0..folds).map(division).collect())
}

/// Groups in parts of as many utterances as can be: the largest first, each to the part that has
/// fewest; of equal ones the seed decides which is first.
fn parts(groups: &Groups<'_>, folds: usize, seed: u64) -> Vec<Vec<String>> {
    let size = |name: &&str| groups[name].classes.values().sum::<usize>();
    let mut names: Vec<&str> = groups.keys().copied().collect();
    names.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    names.sort_by_key(|name| Reverse(size(name)));
    let mut parts = vec![(0, Vec::new()); folds];
    for name in names {
        // The first of the smallest: empty ones come before all others, since every group has some.
        if let Some((utterances, members)) = parts.iter_mut().min_by_key(|(count, _)| *count) {
            *utterances += size(&name);
            members.push(name.to_owned());
        }
    }
    parts.into_iter().map(|(_, members)| members).collect()
}

/// Numbers have as many digits as the last, so that their order by name is their order.
fn name(part: &[String], number: usize, folds: usize, groups: usize) -> String {
    let digits = folds.to_string().len();
    if folds == groups { part.concat() } else { format!("{:0digits$}", number + 1) }
}
