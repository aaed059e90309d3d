//! A split: every other speaker is tested in one fold, the rest in the other; nobody validates.

use std::collections::BTreeSet;

use ambivox_corpus::{CorpusError, Division, Found, Included, PlannedSplit, SplitKind, Splitter};
use ambivox_settings::Grouping;
use serde::Deserialize;

pub(crate) const KIND: SplitKind = SplitKind {
    name: "halves",
    plan: |section| section.read::<Halves>().map(|_| PlannedSplit::of(section)),
    open: |section| Ok(Box::new(section.read::<Halves>()?)),
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Halves {}

impl Splitter for Halves {
    fn grouping(&self) -> Grouping {
        Grouping::Speaker
    }

    fn folds(&self, included: &Included<'_>) -> Result<Found, CorpusError> {
        let half = |first: usize| -> BTreeSet<String> {
            let groups = included.groups.keys().skip(first).step_by(2);
            groups.map(|&group| group.to_owned()).collect()
        };
        let fold = |(name, first): (&str, usize)| Division {
            name: name.to_owned(),
            tested: half(first),
            validating: BTreeSet::new(),
        };
        included.by_groups(2, || Ok([("even", 0), ("odd", 1)].map(fold).to_vec()))
    }
}
