//! The split `leave-one-speaker-out`: a fold for every speaker (METHOD, "Data").

use ambivox_settings::{Grouping, LeaveOneSpeakerOutSettings, Manifest};

use super::{Division, Found, Groups, Splitter, TakingPart};
use crate::CorpusError;

impl Splitter for LeaveOneSpeakerOutSettings {
    fn grouping(&self) -> Grouping {
        Grouping::Speaker
    }

    /// Every speaker is tested in a fold of their name. Who validates it is the manifest's
    /// `validation`; else the other speaker of the session, if there is just one; else the next speaker
    /// in sorted order, the first following the last. A validation speaker, named by the manifest,
    /// without utterances is an error.
    fn folds(&self, taking_part: &TakingPart<'_>) -> Result<Found, CorpusError> {
        let TakingPart { groups, manifest, .. } = taking_part;
        taking_part
            .by_groups(|| groups.keys().map(|test| division(test, groups, manifest)).collect())
    }
}

fn division(
    test: &str,
    speakers: &Groups<'_>,
    manifest: &Manifest,
) -> Result<Division, CorpusError> {
    let named = manifest.speakers.get(test).and_then(|speaker| speaker.validation.as_deref());
    let validation = named.or_else(|| session_partner(test, speakers)).or(next(test, speakers));
    let Some(validation) = validation.filter(|partner| speakers.contains_key(partner)) else {
        return Err(CorpusError::NoValidation {
            fold: test.to_owned(),
            partner: validation.unwrap_or_default().to_owned(),
        });
    };
    Ok(Division {
        name: test.to_owned(),
        tested: [test.to_owned()].into(),
        validating: [validation.to_owned()].into(),
    })
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
