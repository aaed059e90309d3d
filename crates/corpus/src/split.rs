//! Division of utterances into the folds of a cross-validation: one axis of an experiment, a file per
//! kind.

mod balance;
mod group_k_fold;
mod leave_one_speaker_out;

use std::collections::{BTreeMap, BTreeSet};

use ambivox_settings::{Fold, Grouping, Manifest, SplitKind, SplitSettings, Splits};

use crate::error::listed;
use crate::{CorpusError, Utterance};

/// A way of dividing groups of utterances into folds.
trait Splitter {
    /// What is never divided.
    fn grouping(&self) -> Grouping;

    /// Which groups are tested in each fold, and which validate; all others train. There are at least
    /// three groups.
    fn divide(
        &self,
        groups: &Groups<'_>,
        manifest: &Manifest,
    ) -> Result<Vec<Division>, CorpusError>;
}

/// The registry: the kind that a pipeline's section `[split]` names.
fn splitter(kind: &SplitKind) -> &dyn Splitter {
    match kind {
        SplitKind::LeaveOneSpeakerOut(settings) => settings,
        SplitKind::GroupKFold(settings) => settings,
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
/// `settings.balance`, every class of a speaker is cut to that speaker's smallest.
///
/// Errors: fewer than three groups; what the kind of split cannot do with; a class that does not occur
/// in a fold's training part. A class may be missing in a test or validation part.
pub fn splits(
    utterances: &[Utterance],
    excluded: &BTreeSet<String>,
    settings: &SplitSettings,
    manifest: &Manifest,
) -> Result<Splits, CorpusError> {
    let splitter = splitter(&settings.kind);
    let grouping = splitter.grouping();
    let usable = || utterances.iter().filter(|u| !excluded.contains(&u.utterance_id));
    let mut taking_part: Vec<&Utterance> = usable().filter(|u| in_classes(u, settings)).collect();
    if let Some(balance) = &settings.balance {
        taking_part = balance::balanced(&taking_part, settings.classes.len(), balance.seed);
    }
    let groups = shares(&taking_part, grouping);
    if groups.len() < 3 {
        return Err(CorpusError::TooFewGroups {
            grouping: grouping.as_str(),
            classes: listed(&settings.classes),
            found: listed(groups.keys()),
            labels: labels(utterances),
        });
    }
    let divisions = splitter.divide(&groups, manifest)?;
    check_classes(&divisions, &groups, settings, utterances)?;
    // Of a group, those who take part: where classes are balanced, some speakers may not.
    let speakers: BTreeSet<&str> = taking_part.iter().map(|u| u.speaker.as_str()).collect();
    let ambiguous = usable().filter(|u| groups.contains_key(group(u, grouping)));
    let ambiguous = ambiguous.filter(|u| speakers.contains(u.speaker.as_str()));
    let ambiguous: Vec<_> = ambiguous.filter(|u| is_ambiguous(u, settings)).collect();
    let any_votes = utterances.iter().any(|u| !u.votes.is_empty());
    let unvoted = taking_part.iter().filter(|u| any_votes && !has_votes(u, settings));
    let members = members(taking_part.iter().chain(&ambiguous).copied(), grouping);
    Ok(Splits {
        schema: 3,
        grouping,
        classes: settings.classes.clone(),
        folds: divisions.into_iter().map(|division| fold(division, &members)).collect(),
        utterances: sorted_ids(taking_part.iter().copied()),
        without_votes: sorted_ids(unvoted.copied()),
        ambiguous: sorted_ids(ambiguous.into_iter()),
    })
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

/// An error unless every class occurs in the training part of every fold.
fn check_classes(
    divisions: &[Division],
    groups: &Groups<'_>,
    settings: &SplitSettings,
    utterances: &[Utterance],
) -> Result<(), CorpusError> {
    for division in divisions {
        let trains =
            |name: &str| !division.tested.contains(name) && !division.validating.contains(name);
        let training = groups.iter().filter(|(name, _)| trains(name));
        let trained: BTreeSet<&str> =
            training.flat_map(|(_, share)| share.classes.keys().copied()).collect();
        let lacking = settings.classes.iter().find(|class| !trained.contains(class.as_str()));
        if let Some(class) = lacking {
            return Err(CorpusError::ClassMissing {
                fold: division.name.clone(),
                class: class.clone(),
                labels: labels(utterances),
            });
        }
    }
    Ok(())
}

/// Gold labels that occur, for messages.
fn labels(utterances: &[Utterance]) -> String {
    listed(utterances.iter().filter_map(|u| u.gold.as_deref()).collect::<BTreeSet<_>>())
}

#[cfg(test)]
mod tests;
