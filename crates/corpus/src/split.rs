//! Division of utterances into the folds of a cross-validation: one axis of an experiment, a file per
//! kind.

mod balance;
mod fixed;
mod group_k_fold;
mod leave_one_speaker_out;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ambivox_settings::{Fold, Grouping, Manifest, SplitKind, SplitSettings, Splits};

use crate::error::listed;
use crate::{CorpusError, Utterance};

/// A way of dividing utterances into folds.
trait Splitter {
    /// What is never divided, or what parts are told by.
    fn grouping(&self) -> Grouping;

    /// The folds.
    fn folds(&self, taking_part: &TakingPart<'_>) -> Result<Found, CorpusError>;

    /// Refuses folds whose parts share speakers, where that was not to be.
    fn check(&self, _folds: &[Fold]) -> Result<(), CorpusError> {
        Ok(())
    }
}

/// What is divided.
struct TakingPart<'a> {
    /// All of the corpus.
    all: &'a [Utterance],
    /// Those that take part.
    utterances: Vec<&'a Utterance>,
    /// Of their groups, those without a gold label among the classes but with votes for some of them.
    ambiguous: Vec<&'a Utterance>,
    /// The groups, by name.
    groups: Groups<'a>,
    grouping: Grouping,
    settings: &'a SplitSettings,
    manifest: &'a Manifest,
    /// The list of parts, where somebody has listed them.
    parts: Option<&'a Path>,
}

/// Folds, and what is worth a word about them.
#[derive(Debug)]
struct Found {
    folds: Vec<Fold>,
    notes: Vec<String>,
}

/// The registry: the kind that a pipeline's section `[split]` names.
fn splitter(kind: &SplitKind) -> &dyn Splitter {
    match kind {
        SplitKind::LeaveOneSpeakerOut(settings) => settings,
        SplitKind::GroupKFold(settings) => settings,
        SplitKind::Fixed(settings) => settings,
    }
}

/// What a group brings to the folds.
#[derive(Debug, Default)]
struct Share<'a> {
    sessions: BTreeSet<&'a str>,
    /// How many utterances of each class.
    classes: BTreeMap<&'a str, usize>,
}

/// The groups that take part, by name.
type Groups<'a> = BTreeMap<&'a str, Share<'a>>;

/// One fold, group by group.
#[derive(Debug, Clone, PartialEq)]
struct Division {
    name: String,
    tested: BTreeSet<String>,
    validating: BTreeSet<String>,
}

/// Divides utterances into folds as the settings say (METHOD, "Data").
///
/// Only utterances take part whose gold label is one of the classes and whose id is not in
/// `excluded`, and only their groups; those groups' ambiguous utterances are listed apart. With
/// `settings.balance`, every class of a speaker is cut to that speaker's smallest. `parts` is the list that
/// a split of listed parts reads.
///
/// Errors: fewer than three groups; what the kind of split cannot do with; a class that does not occur
/// in a fold's training part. A class may be missing in a test or validation part.
pub fn splits(
    utterances: &[Utterance],
    excluded: &BTreeSet<String>,
    settings: &SplitSettings,
    manifest: &Manifest,
    parts: Option<&Path>,
) -> Result<Splits, CorpusError> {
    let splitter = splitter(&settings.kind);
    let taking_part = TakingPart::new(utterances, excluded, settings, manifest, parts);
    let Found { mut folds, notes } = splitter.folds(&taking_part)?;
    check_classes(&folds, &taking_part)?;
    mark_speakers_of_two_parts(&mut folds, &taking_part);
    splitter.check(&folds)?;
    let any_votes = utterances.iter().any(|u| !u.votes.is_empty());
    let never = never_trained(&folds);
    let trains = |u: &&&Utterance| !never.contains(&u.utterance_id);
    let unvoted = taking_part.utterances.iter().filter(trains);
    let unvoted = unvoted.filter(|u| any_votes && !has_votes(u, settings));
    Ok(Splits {
        schema: 3,
        grouping: taking_part.grouping,
        listed: parts.is_some(),
        classes: settings.classes.clone(),
        folds,
        utterances: sorted_ids(taking_part.utterances.iter().copied()),
        without_votes: sorted_ids(unvoted.copied()),
        notes,
        ambiguous: sorted_ids(taking_part.ambiguous.iter().copied()),
    })
}

impl<'a> TakingPart<'a> {
    fn new(
        all: &'a [Utterance],
        excluded: &BTreeSet<String>,
        settings: &'a SplitSettings,
        manifest: &'a Manifest,
        parts: Option<&'a Path>,
    ) -> Self {
        let grouping = splitter(&settings.kind).grouping();
        let usable = || all.iter().filter(|u| !excluded.contains(&u.utterance_id));
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

    /// The folds that divide groups, of which there have to be three.
    fn by_groups(
        &self,
        divide: impl FnOnce() -> Result<Vec<Division>, CorpusError>,
    ) -> Result<Found, CorpusError> {
        if self.groups.len() < 3 {
            return Err(CorpusError::TooFewGroups {
                grouping: self.grouping.as_str(),
                classes: listed(&self.settings.classes),
                found: listed(self.groups.keys()),
                labels: labels(self.all),
            });
        }
        let all = self.utterances.iter().chain(&self.ambiguous).copied();
        let members = members(all, self.grouping);
        let folds = divide()?.into_iter().map(|division| fold(division, &members)).collect();
        Ok(Found { folds, notes: Vec::new() })
    }
}

/// The group that an utterance is of.
fn group(utterance: &Utterance, grouping: Grouping) -> &str {
    match grouping {
        Grouping::Speaker => &utterance.speaker,
        Grouping::Session => &utterance.session,
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
        left_out: Vec::new(),
        in_two_parts: Vec::new(),
    }
}

fn sorted_ids<'a>(utterances: impl Iterator<Item = &'a Utterance>) -> Vec<String> {
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

fn shares<'a>(utterances: &[&'a Utterance], grouping: Grouping) -> Groups<'a> {
    let mut groups = Groups::new();
    for utterance in utterances {
        let share = groups.entry(group(utterance, grouping)).or_default();
        share.sessions.insert(&utterance.session);
        if let Some(gold) = utterance.gold.as_deref() {
            *share.classes.entry(gold).or_default() += 1;
        }
    }
    groups
}

/// An error unless every class occurs in the training part of every fold: what does not train in a fold is
/// taken off all that take part, since there may be a fold for each of a thousand speakers.
fn check_classes(folds: &[Fold], taking_part: &TakingPart<'_>) -> Result<(), CorpusError> {
    let labels_of = taking_part.utterances.iter();
    let gold: BTreeMap<&str, &str> =
        labels_of.filter_map(|u| Some((u.utterance_id.as_str(), u.gold.as_deref()?))).collect();
    let mut all: BTreeMap<&str, usize> = BTreeMap::new();
    for class in gold.values() {
        *all.entry(class).or_default() += 1;
    }
    for fold in folds {
        let mut left = all.clone();
        for class in elsewhere(fold).iter().filter_map(|id| gold.get(id)) {
            left.entry(class).and_modify(|count| *count -= 1);
        }
        let mut classes = taking_part.settings.classes.iter();
        let lacking = classes.find(|class| left.get(class.as_str()).is_none_or(|n| *n == 0));
        if let Some(class) = lacking {
            return Err(CorpusError::ClassMissing {
                fold: fold.name.clone(),
                class: class.clone(),
                labels: labels(taking_part.all),
            });
        }
    }
    Ok(())
}

/// Ids of the utterances that train in no fold.
fn never_trained(folds: &[Fold]) -> BTreeSet<String> {
    let mut sets = folds.iter().map(elsewhere);
    let mut never = sets.next().unwrap_or_default();
    for set in sets {
        never.retain(|id| set.contains(id));
    }
    never.into_iter().map(str::to_owned).collect()
}

/// Ids of the utterances that do not train in a fold.
fn elsewhere(fold: &Fold) -> BTreeSet<&str> {
    let parts = [&fold.test, &fold.validation, &fold.left_out];
    parts.into_iter().flatten().map(String::as_str).collect()
}

/// Notes of every fold the speakers who are tested or validate and are in another part too: where
/// speakers are what is divided, there are none.
fn mark_speakers_of_two_parts(folds: &mut [Fold], taking_part: &TakingPart<'_>) {
    if taking_part.parts.is_none() && taking_part.grouping == Grouping::Speaker {
        return;
    }
    let all = taking_part.utterances.iter().chain(&taking_part.ambiguous);
    let all: BTreeMap<&str, &str> =
        all.map(|u| (u.utterance_id.as_str(), u.speaker.as_str())).collect();
    for fold in folds {
        let of = |ids: &[String]| -> BTreeSet<&str> {
            ids.iter().filter_map(|id| all.get(id.as_str()).copied()).collect()
        };
        let (test, validation, elsewhere) = (of(&fold.test), of(&fold.validation), elsewhere(fold));
        let trains = all.iter().filter(|(id, _)| !elsewhere.contains(*id));
        let training: BTreeSet<&str> = trains.map(|(_, speaker)| *speaker).collect();
        let heard = test.union(&validation).filter(|speaker| training.contains(*speaker));
        let of_two: BTreeSet<&str> = heard.chain(test.intersection(&validation)).copied().collect();
        fold.in_two_parts = of_two.into_iter().map(str::to_owned).collect();
    }
}

/// Gold labels that occur, for messages.
fn labels(utterances: &[Utterance]) -> String {
    listed(utterances.iter().filter_map(|u| u.gold.as_deref()).collect::<BTreeSet<_>>())
}

#[cfg(test)]
mod tests;
