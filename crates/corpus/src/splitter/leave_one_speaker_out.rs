//! The split `leave-one-speaker-out`: a fold for every speaker (METHOD, "Data"), or for each of a speaker's
//! sentences.

use std::collections::{BTreeMap, BTreeSet};

use ambivox_settings::{Fold, Grouping, Manifest, Section};
use serde::{Deserialize, Serialize};

use super::{PlannedSplit, SplitKind, Splitter};
use crate::CorpusError;
use crate::split::{Division, Found, Groups, Included, Named, Validation};

/// Registry entry.
pub(super) const KIND: SplitKind = SplitKind {
    name: "leave-one-speaker-out",
    plan: |section| {
        let fold_per_speaker = !settings(section)?.and_sentence;
        Ok(PlannedSplit { fold_per_speaker, ..PlannedSplit::of(section) })
    },
    open: |section| Ok(Box::new(settings(section)?)),
};

/// Section `[split]` with this kind.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// Who validates; their partner, where left out.
    #[serde(default = "partner")]
    validation: Validation,
    /// Whether the sentence that is tested is left out too, whoever says it: a speaker then has a fold for
    /// each sentence.
    #[serde(default)]
    and_sentence: bool,
}

fn partner() -> Validation {
    Validation::Named(Named::Partner)
}

fn settings(section: &Section) -> Result<Settings, String> {
    let settings: Settings = section.read()?;
    settings.validation.fault().map_or(Ok(()), |fault| Err(fault.to_owned()))?;
    Ok(settings)
}

impl Splitter for Settings {
    fn grouping(&self) -> Grouping {
        Grouping::Speaker
    }

    /// Every speaker is tested in a fold of their name. Their partner is the manifest's `validation`; else
    /// the other speaker of the session, if there is just one; else the next speaker in sorted order, the
    /// first following the last. A validation speaker, named by the manifest, without utterances is an
    /// error.
    fn folds(&self, included: &Included<'_>) -> Result<Found, CorpusError> {
        let Included { groups, manifest, .. } = included;
        let least = if self.validation.is_none() { 2 } else { 3 };
        let found = included.by_groups(least, || {
            let division = |(fold, test): (usize, &&str)| {
                let tested = BTreeSet::from([(*test).to_owned()]);
                let validating = match &self.validation {
                    Validation::Named(Named::Partner) => partner_of(test, groups, manifest)?,
                    Validation::Named(Named::NextGroup) => {
                        next(test, groups).map(str::to_owned).into_iter().collect()
                    }
                    Validation::Named(Named::None) => BTreeSet::new(),
                    Validation::Drawn(drawn) => drawn.groups(groups, &tested, fold),
                };
                Ok(Division { name: (*test).to_owned(), tested, validating })
            };
            groups.keys().enumerate().map(division).collect()
        })?;
        if self.and_sentence { by_sentence(&found, included) } else { Ok(found) }
    }
}

/// Each fold once for every sentence of its speaker, which alone is tested and neither trains nor validates.
///
/// Error: an utterance whose sentence is unknown.
fn by_sentence(found: &Found, included: &Included<'_>) -> Result<Found, CorpusError> {
    let all = || included.utterances.iter().chain(&included.ambiguous);
    let unknown = all().filter(|utterance| utterance.sentence.is_none()).count();
    if unknown > 0 {
        let grouping = Grouping::Sentence.as_str();
        return Err(CorpusError::UnknownGroup { grouping, count: unknown });
    }
    let mut said: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for utterance in all() {
        let sentence = utterance.sentence.as_deref().unwrap_or_default();
        said.entry(sentence).or_default().insert(&utterance.utterance_id);
    }
    let folds = found.folds.iter().flat_map(|fold| {
        let own = said.iter().filter(|(_, ids)| fold.test.iter().any(|id| ids.contains(&**id)));
        own.map(|(sentence, ids)| of_sentence(fold, sentence, ids))
    });
    let notes = vec![
        "a fold tests what one speaker says of one sentence, a few utterances: rates over all folds \
         together count, not their mean"
            .to_owned(),
    ];
    Ok(Found { folds: folds.collect(), notes })
}

fn of_sentence(fold: &Fold, sentence: &str, said: &BTreeSet<&str>) -> Fold {
    let is_said = |id: &&String| said.contains(id.as_str());
    let (test, untested): (Vec<&String>, Vec<&String>) = fold.test.iter().partition(is_said);
    let validation = fold.validation.iter().filter(|id| !is_said(id)).cloned();
    let mut left_out: BTreeSet<&str> = said.clone();
    left_out.extend(untested.into_iter().map(String::as_str));
    left_out.retain(|id| !test.iter().any(|tested| tested == id));
    Fold {
        name: format!("{} {sentence}", fold.name),
        test: test.into_iter().cloned().collect(),
        validation: validation.collect(),
        left_out: left_out.into_iter().map(str::to_owned).collect(),
        ..fold.clone()
    }
}

fn partner_of(
    test: &str,
    speakers: &Groups<'_>,
    manifest: &Manifest,
) -> Result<BTreeSet<String>, CorpusError> {
    let named = manifest.speakers.get(test).and_then(|speaker| speaker.validation.as_deref());
    let validation = named.or_else(|| session_partner(test, speakers)).or(next(test, speakers));
    let Some(validation) = validation.filter(|partner| speakers.contains_key(partner)) else {
        return Err(CorpusError::NoValidation {
            fold: test.to_owned(),
            partner: validation.unwrap_or_default().to_owned(),
        });
    };
    Ok([validation.to_owned()].into())
}

/// The other speaker of the sessions that `test` is in, if there is just one.
fn session_partner<'a>(test: &str, speakers: &Groups<'a>) -> Option<&'a str> {
    let sessions = &speakers.get(test)?.sessions;
    let mut others = speakers
        .iter()
        .filter(|&(&speaker, share)| speaker != test && !share.sessions.is_disjoint(sessions))
        .map(|(&speaker, _)| speaker);
    let partner = others.next()?;
    others.next().is_none().then_some(partner)
}

/// The speaker after `test` in sorted order, cyclically.
fn next<'a>(test: &str, speakers: &Groups<'a>) -> Option<&'a str> {
    let after = speakers.keys().find(|&&speaker| speaker > test);
    after.or_else(|| speakers.keys().next()).copied()
}
