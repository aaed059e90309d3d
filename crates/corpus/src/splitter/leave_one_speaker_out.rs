//! The split `leave-one-speaker-out`: a fold for every speaker (METHOD, "Data").

use std::collections::BTreeSet;

use ambivox_settings::{Grouping, Manifest, Section};
use serde::{Deserialize, Serialize};

use super::{PlannedSplit, SplitKind, Splitter};
use crate::CorpusError;
use crate::split::{Division, Found, Groups, Named, TakingPart, Validation};

/// Registry entry.
pub(super) const KIND: SplitKind = SplitKind {
    name: "leave-one-speaker-out",
    plan: |section| {
        settings(section)?;
        Ok(PlannedSplit { fold_per_speaker: true, ..PlannedSplit::of(section) })
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
    fn folds(&self, taking_part: &TakingPart<'_>) -> Result<Found, CorpusError> {
        let TakingPart { groups, manifest, .. } = taking_part;
        let least = if self.validation.is_none() { 2 } else { 3 };
        taking_part.by_groups(least, || {
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
        })
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
