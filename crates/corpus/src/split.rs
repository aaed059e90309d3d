//! Division of utterances into the folds of a cross-validation, by the splitter that the pipeline chose.

mod balance;
mod leaks;
mod parts;
mod validation;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ambivox_settings::{Exclusions, Fold, Grouping, Manifest, SplitSettings, Splits};

use crate::error::listed;
use crate::splitter::open;
use crate::{CorpusError, Utterance};

pub(crate) use parts::parts;
pub(crate) use validation::{Drawn, Named, Validation};

/// What is divided.
pub struct Included<'a> {
    /// All of the corpus.
    pub(crate) all: &'a [Utterance],
    /// Those that take part.
    pub(crate) utterances: Vec<&'a Utterance>,
    /// Of their groups, those without a gold label among the classes but with votes for some of them.
    pub(crate) ambiguous: Vec<&'a Utterance>,
    /// The groups, by name.
    pub groups: Groups<'a>,
    grouping: Grouping,
    settings: &'a SplitSettings,
    pub(crate) manifest: &'a Manifest,
    /// The list of parts, where somebody has listed them.
    pub(crate) parts: Option<&'a Path>,
}

/// Folds, and what is worth a word about them.
#[derive(Debug)]
pub struct Found {
    /// The folds, in their order.
    pub folds: Vec<Fold>,
    /// What is worth a word, a sentence each.
    pub notes: Vec<String>,
}

/// What a group brings to the folds.
#[derive(Debug, Default)]
pub struct Share<'a> {
    pub(crate) sessions: BTreeSet<&'a str>,
    /// The label, of a group that is one utterance.
    pub(crate) label: Option<&'a str>,
    utterances: usize,
}

impl Share<'_> {
    /// How many utterances it has.
    pub fn size(&self) -> usize {
        self.utterances
    }
}

/// The groups that take part, by name.
pub type Groups<'a> = BTreeMap<&'a str, Share<'a>>;

/// One fold, group by group.
#[derive(Debug, Clone, PartialEq)]
pub struct Division {
    /// Its name.
    pub name: String,
    /// The groups that are tested.
    pub tested: BTreeSet<String>,
    /// The groups that validate; all others train.
    pub validating: BTreeSet<String>,
}

/// Divides utterances into folds as the settings say (METHOD, "Data").
///
/// Only utterances take part whose gold label is one of the classes and who are not excluded, and only their
/// groups; those groups' ambiguous utterances are listed apart. With
/// `settings.balance`, every class of a speaker is cut to that speaker's smallest. `parts` is the list that
/// a split of listed parts reads. Of every fold it is noted what is in two of its parts: speakers, sentences,
/// recordings.
///
/// Errors: fewer than three groups, or two where nobody validates; utterances of an unknown group; what the kind of split cannot do with; a class that does not occur
/// in a fold's training part. A class may be missing in a test or validation part.
pub fn splits(
    utterances: &[Utterance],
    exclusions: &Exclusions,
    settings: &SplitSettings,
    manifest: &Manifest,
    parts: Option<&Path>,
) -> Result<Splits, CorpusError> {
    let splitter = open(&settings.section)?;
    let grouping = splitter.grouping();
    let excluded = exclusions.excluded.iter().map(|one| one.utterance_id.as_str()).collect();
    let included = Included::new(utterances, &excluded, settings, manifest, parts, grouping);
    let Found { mut folds, notes } = splitter.folds(&included)?;
    check_classes(&folds, &included)?;
    leaks::mark(&mut folds, &included, &exclusions.identical);
    splitter.check(&folds)?;
    let groups = groups_told(&included);
    let any_votes = utterances.iter().any(|u| !u.votes.is_empty());
    let never = never_trained(&folds);
    let trains = |u: &&&Utterance| !never.contains(&u.utterance_id);
    let unvoted = included.utterances.iter().filter(trains);
    let unvoted = unvoted.filter(|u| any_votes && !has_votes(u, settings));
    Ok(Splits {
        schema: 3,
        grouping: included.grouping,
        listed: parts.is_some(),
        classes: settings.classes.clone(),
        folds,
        utterances: sorted_ids(included.utterances.iter().copied()),
        without_votes: sorted_ids(unvoted.copied()),
        notes,
        ambiguous: sorted_ids(included.ambiguous.iter().copied()),
        groups,
    })
}

/// Ids of every group that is neither a speaker, whom every table names, nor a single utterance.
fn groups_told(included: &Included<'_>) -> BTreeMap<String, Vec<String>> {
    let grouping = included.grouping;
    if matches!(grouping, Grouping::Speaker | Grouping::Utterance) {
        return BTreeMap::new();
    }
    let members = members(included.utterances.iter().copied(), grouping).into_iter();
    let owned = |ids: Vec<&str>| ids.into_iter().map(str::to_owned).collect();
    members.map(|(group, ids)| (group.to_owned(), owned(ids))).collect()
}

impl<'a> Included<'a> {
    fn new(
        all: &'a [Utterance],
        excluded: &BTreeSet<&str>,
        settings: &'a SplitSettings,
        manifest: &'a Manifest,
        parts: Option<&'a Path>,
        grouping: Grouping,
    ) -> Self {
        let usable = || all.iter().filter(|u| !excluded.contains(u.utterance_id.as_str()));
        let mut utterances: Vec<&Utterance> =
            usable().filter(|u| in_classes(u, settings)).collect();
        if let Some(balance) = &settings.balance {
            utterances = balance::balanced(&utterances, settings.classes.len(), balance.seed);
        }
        let groups = shares(&utterances, grouping);
        // Of a group, those who take part: where classes are balanced, some speakers may not.
        let speakers: BTreeSet<&str> = utterances.iter().map(|u| u.speaker.as_str()).collect();
        let ambiguous = usable().filter(|u| groups.contains_key(group(u, grouping)));
        let ambiguous = ambiguous.filter(|u| speakers.contains(u.speaker.as_str()));
        let ambiguous = ambiguous.filter(|u| is_ambiguous(u, settings)).collect();
        Self { all, utterances, ambiguous, groups, grouping, settings, manifest, parts }
    }

    /// The folds that divide groups, of which there have to be so many.
    ///
    /// # Errors
    /// There are fewer, some utterances are of an unknown group, a fold of three or more lacks one that validates.
    pub fn by_groups(
        &self,
        least: usize,
        divide: impl FnOnce() -> Result<Vec<Division>, CorpusError>,
    ) -> Result<Found, CorpusError> {
        if let Some(unknown) = self.groups.get("") {
            let (grouping, count) = (self.grouping.as_str(), unknown.size());
            return Err(CorpusError::UnknownGroup { grouping, count });
        }
        if self.groups.len() < least {
            return Err(CorpusError::TooFewGroups {
                validates: least > 2,
                grouping: self.grouping.as_str(),
                classes: listed(&self.settings.classes),
                found: listed(self.groups.keys()),
                labels: labels(self.all),
            });
        }
        let all = self.utterances.iter().chain(&self.ambiguous).copied();
        let members = members(all, self.grouping);
        let divisions = divide()?;
        let unvalidated = divisions.iter().find(|fold| least > 2 && fold.validating.is_empty());
        if let Some(fold) = unvalidated {
            return Err(CorpusError::OneSpeaker { fold: fold.name.clone() });
        }
        let folds = divisions.into_iter().map(|division| fold(division, &members)).collect();
        Ok(Found { folds, notes: Vec::new() })
    }
}

/// The group that an utterance is of.
fn group(utterance: &Utterance, grouping: Grouping) -> &str {
    match grouping {
        Grouping::Speaker => &utterance.speaker,
        Grouping::Session => &utterance.session,
        Grouping::Sentence => utterance.sentence.as_deref().unwrap_or_default(),
        Grouping::Utterance => &utterance.utterance_id,
    }
}

/// Ids of the utterances of every group.
type Members<'a> = BTreeMap<&'a str, Vec<&'a str>>;

fn members<'a>(utterances: impl Iterator<Item = &'a Utterance>, grouping: Grouping) -> Members<'a> {
    let mut members = Members::new();
    for utterance in utterances {
        members.entry(group(utterance, grouping)).or_default().push(&utterance.utterance_id);
    }
    members
}

fn fold(division: Division, members: &Members<'_>) -> Fold {
    let ids = |groups: &BTreeSet<String>| {
        let ids = groups.iter().filter_map(|group| members.get(group.as_str())).flatten();
        let ids: BTreeSet<&&str> = ids.collect();
        ids.into_iter().map(|id| (*id).to_owned()).collect()
    };
    let Division { name, tested, validating } = division;
    Fold {
        name,
        test: ids(&tested),
        validation: ids(&validating),
        tested: tested.into_iter().collect(),
        validating: validating.into_iter().collect(),
        ..Fold::default()
    }
}

pub(crate) fn sorted_ids<'a>(utterances: impl Iterator<Item = &'a Utterance>) -> Vec<String> {
    let mut ids: Vec<String> = utterances.map(|u| u.utterance_id.clone()).collect();
    ids.sort_unstable();
    ids
}

fn in_classes(utterance: &Utterance, settings: &SplitSettings) -> bool {
    utterance.gold.as_ref().is_some_and(|gold| settings.classes.contains(gold))
}

/// Whether annotators named some of the classes but agreed on none of them.
fn is_ambiguous(utterance: &Utterance, settings: &SplitSettings) -> bool {
    !in_classes(utterance, settings) && has_votes(utterance, settings)
}

/// Whether annotators named some of the classes.
fn has_votes(utterance: &Utterance, settings: &SplitSettings) -> bool {
    let voted = |class| utterance.votes.get(class).is_some_and(|&votes| votes > 0);
    settings.classes.iter().any(voted)
}

/// The groups of these utterances.
pub(crate) fn shares<'a>(utterances: &[&'a Utterance], grouping: Grouping) -> Groups<'a> {
    let mut groups = Groups::new();
    for utterance in utterances {
        let share = groups.entry(group(utterance, grouping)).or_default();
        share.sessions.insert(&utterance.session);
        share.label = utterance.gold.as_deref().filter(|_| grouping == Grouping::Utterance);
        share.utterances += 1;
    }
    groups
}

/// An error unless every class occurs in the training part of every fold: what does not train in a fold is
/// taken off all that take part, since there may be a fold for each of a thousand speakers.
fn check_classes(folds: &[Fold], included: &Included<'_>) -> Result<(), CorpusError> {
    let labels_of = included.utterances.iter();
    let gold: BTreeMap<&str, &str> =
        labels_of.filter_map(|u| Some((u.utterance_id.as_str(), u.gold.as_deref()?))).collect();
    let mut all: BTreeMap<&str, usize> = BTreeMap::new();
    for class in gold.values() {
        *all.entry(class).or_default() += 1;
    }
    for fold in folds {
        let mut left = all.clone();
        for class in fold.elsewhere().iter().filter_map(|id| gold.get(id)) {
            left.entry(class).and_modify(|count| *count -= 1);
        }
        let mut classes = included.settings.classes.iter();
        let lacking = classes.find(|class| left.get(class.as_str()).is_none_or(|n| *n == 0));
        if let Some(class) = lacking {
            return Err(CorpusError::ClassMissing {
                fold: fold.name.clone(),
                class: class.clone(),
                labels: labels(included.all),
            });
        }
    }
    Ok(())
}

/// Ids of the utterances that train in no fold.
fn never_trained(folds: &[Fold]) -> BTreeSet<String> {
    let mut sets = folds.iter().map(Fold::elsewhere);
    let mut never = sets.next().unwrap_or_default();
    for set in sets {
        never.retain(|id| set.contains(id));
    }
    never.into_iter().map(str::to_owned).collect()
}

/// Gold labels that occur, for messages.
fn labels(utterances: &[Utterance]) -> String {
    listed(utterances.iter().filter_map(|u| u.gold.as_deref()).collect::<BTreeSet<_>>())
}

#[cfg(test)]
mod tests;
