//! Division of speakers into the folds of a cross-validation.

mod balance;

use std::collections::{BTreeMap, BTreeSet};

use ambivox_settings::{Fold, Manifest, SplitScheme, SplitSettings, Splits};

use crate::error::listed;
use crate::{CorpusError, Utterance};

/// What a speaker brings to the folds.
#[derive(Default)]
struct Share<'a> {
    sessions: BTreeSet<&'a str>,
    classes: BTreeSet<&'a str>,
}

type Speakers<'a> = BTreeMap<&'a str, Share<'a>>;

/// Leaves one speaker out per fold (METHOD, "Data").
///
/// Only utterances take part whose gold label is one of the classes and whose id is not in
/// `excluded`, and only their speakers; those speakers' ambiguous utterances are listed apart. With `settings.balance`, every class of a
/// speaker is cut to that speaker's smallest. Every one of them is tested in a fold of their name. Who
/// validates it is the manifest's `validation`; else the other speaker of the session, if there is
/// just one; else the next speaker in sorted order, the first following the last. Everyone else
/// trains.
///
/// Errors: fewer than three speakers; a validation speaker, named by the manifest, without
/// utterances; a class that does not occur in a fold's training part. A class may be missing in a
/// test or validation part.
pub fn splits(
    utterances: &[Utterance],
    excluded: &BTreeSet<String>,
    settings: &SplitSettings,
    manifest: &Manifest,
) -> Result<Splits, CorpusError> {
    let SplitScheme::LeaveOneSpeakerOut = settings.scheme;
    let usable = || utterances.iter().filter(|u| !excluded.contains(&u.utterance_id));
    let mut taking_part: Vec<&Utterance> = usable().filter(|u| in_classes(u, settings)).collect();
    if let Some(balance) = &settings.balance {
        taking_part = balance::balanced(&taking_part, settings.classes.len(), balance.seed);
    }
    let speakers = shares(&taking_part);
    if speakers.len() < 3 {
        return Err(CorpusError::TooFewSpeakers {
            classes: listed(&settings.classes),
            found: listed(speakers.keys()),
            labels: labels(utterances),
        });
    }
    let folds = speakers.keys().map(|test| fold(test, &speakers, manifest));
    let folds = folds.collect::<Result<Vec<_>, _>>()?;
    check_classes(&folds, &speakers, settings, utterances)?;
    let ambiguous = usable().filter(|u| speakers.contains_key(u.speaker.as_str()));
    let ambiguous = ambiguous.filter(|u| is_ambiguous(u, settings));
    let any_votes = utterances.iter().any(|u| !u.votes.is_empty());
    let unvoted = taking_part.iter().filter(|u| any_votes && !has_votes(u, settings));
    Ok(Splits {
        schema: 2,
        classes: settings.classes.clone(),
        folds,
        utterances: sorted_ids(taking_part.iter().copied()),
        ambiguous: sorted_ids(ambiguous),
        without_votes: sorted_ids(unvoted.copied()),
    })
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

fn shares<'a>(utterances: &[&'a Utterance]) -> Speakers<'a> {
    let mut speakers = Speakers::new();
    for utterance in utterances {
        let share = speakers.entry(&utterance.speaker).or_default();
        share.sessions.insert(&utterance.session);
        share.classes.extend(utterance.gold.as_deref());
    }
    speakers
}

fn fold(test: &str, speakers: &Speakers<'_>, manifest: &Manifest) -> Result<Fold, CorpusError> {
    let named = manifest.speakers.get(test).and_then(|speaker| speaker.validation.as_deref());
    let validation = named.or_else(|| session_partner(test, speakers)).or(next(test, speakers));
    let Some(validation) = validation.filter(|partner| speakers.contains_key(partner)) else {
        return Err(CorpusError::NoValidation {
            fold: test.to_owned(),
            partner: validation.unwrap_or_default().to_owned(),
        });
    };
    let others = speakers.keys().filter(|&&speaker| speaker != test && speaker != validation);
    Ok(Fold {
        name: test.to_owned(),
        test: test.to_owned(),
        validation: validation.to_owned(),
        training: others.map(|&speaker| speaker.to_owned()).collect(),
    })
}

/// The other speaker of the sessions that `test` is in, if there is just one.
fn session_partner<'a>(test: &str, speakers: &Speakers<'a>) -> Option<&'a str> {
    let sessions = &speakers.get(test)?.sessions;
    let mut others = speakers
        .iter()
        .filter(|&(&speaker, share)| speaker != test && !share.sessions.is_disjoint(sessions))
        .map(|(&speaker, _)| speaker);
    let partner = others.next()?;
    others.next().is_none().then_some(partner)
}

/// The speaker after `test` in sorted order, cyclically.
fn next<'a>(test: &str, speakers: &Speakers<'a>) -> Option<&'a str> {
    let after = speakers.keys().find(|&&speaker| speaker > test);
    after.or_else(|| speakers.keys().next()).copied()
}

fn check_classes(
    folds: &[Fold],
    speakers: &Speakers<'_>,
    settings: &SplitSettings,
    utterances: &[Utterance],
) -> Result<(), CorpusError> {
    for fold in folds {
        let trained: BTreeSet<&str> = fold
            .training
            .iter()
            .flat_map(|speaker| speakers[speaker.as_str()].classes.iter().copied())
            .collect();
        if let Some(class) = settings.classes.iter().find(|class| !trained.contains(class.as_str()))
        {
            return Err(CorpusError::ClassMissing {
                fold: fold.name.clone(),
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
