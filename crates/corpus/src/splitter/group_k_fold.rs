//! The split `group-k-fold`: speakers, sessions, sentences or single utterances in k parts of like size.

use std::collections::BTreeSet;

use ambivox_settings::{Grouping, Section};
use serde::{Deserialize, Serialize};

use super::{PlannedSplit, SplitKind, Splitter};
use crate::CorpusError;
use crate::split::{Division, Found, Groups, Included, Named, Validation, parts};

/// Registry entry.
pub(super) const KIND: SplitKind = SplitKind {
    name: "group-k-fold",
    plan: |section| settings(section).map(|_| PlannedSplit::of(section)),
    open: |section| Ok(Box::new(settings(section)?)),
};

/// Section `[split]` with this kind.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// What is never divided.
    group: Grouping,
    /// k, the number of parts, and so of folds.
    folds: usize,
    /// Seed of the choice of groups for each part.
    seed: u64,
    /// Who validates; the next part, where left out.
    #[serde(default = "next_part")]
    validation: Validation,
}

fn next_part() -> Validation {
    Validation::Named(Named::NextGroup)
}

fn settings(section: &Section) -> Result<Settings, String> {
    let settings: Settings = section.read()?;
    let faults = [
        (
            settings.validation == Validation::Named(Named::Partner),
            "validation: no part has a partner; choose \"next-group\", \"none\" or a share",
        ),
        (
            settings.validation == next_part() && settings.folds < 3,
            "folds: at least 3, so that one part is tested, one validates, one trains",
        ),
        (
            matches!(settings.validation, Validation::Drawn(_)) && settings.folds < 3,
            "folds: at least 3, so that of the other groups some validate and some train",
        ),
        (settings.folds < 2, "folds: at least 2, so that one part is tested and one trains"),
    ];
    let fault = faults.into_iter().find_map(|(bad, fault)| bad.then_some(fault));
    let fault = fault.or_else(|| settings.validation.fault());
    fault.map_or(Ok(settings), |fault| Err(fault.to_owned()))
}

impl Splitter for Settings {
    fn grouping(&self) -> Grouping {
        self.group
    }

    /// Each part is tested in one fold; the next one, the first following the last, validates it, or
    /// groups that are drawn. A fold has the name of its group where every part has one, else a number
    /// from 1.
    ///
    /// Error: more parts than groups.
    fn folds(&self, included: &Included<'_>) -> Result<Found, CorpusError> {
        let least = if self.validation.is_none() { 2 } else { 3 };
        included.by_groups(least, || self.divide(&included.groups))
    }
}

impl Settings {
    fn divide(&self, groups: &Groups<'_>) -> Result<Vec<Division>, CorpusError> {
        let Self { group, folds, seed, validation } = *self;
        if folds > groups.len() {
            let (grouping, found) = (group.as_str(), groups.len());
            return Err(CorpusError::TooManyFolds { folds, grouping, found });
        }
        let parts: Vec<BTreeSet<String>> = if folds == groups.len() {
            groups.keys().map(|name| [(*name).to_owned()].into()).collect()
        } else {
            parts(groups, folds, seed)
        };
        let division = |number: usize| Division {
            name: name(&parts[number], number, folds, groups.len()),
            tested: parts[number].clone(),
            validating: match validation {
                Validation::Drawn(drawn) => drawn.groups(groups, &parts[number], number),
                Validation::Named(Named::None) => BTreeSet::new(),
                Validation::Named(_) => parts[(number + 1) % folds].clone(),
            },
        };
        Ok((0..folds).map(division).collect())
    }
}

/// Numbers have as many digits as the last, so that their order by name is their order.
fn name(part: &BTreeSet<String>, number: usize, folds: usize, groups: usize) -> String {
    let digits = folds.to_string().len();
    let only = part.first().filter(|_| folds == groups);
    only.cloned().unwrap_or_else(|| format!("{:0digits$}", number + 1))
}
