//! What is in two parts of a fold: speakers, sentences, and recordings that are there under two names.

use std::collections::{BTreeMap, BTreeSet};

use ambivox_settings::{Fold, Grouping};

use super::Included;
use crate::Utterance;

/// Notes in every fold what is tested or validates and is in another part of it too. `identical` are ids of
/// utterances with the same recording.
pub(super) fn mark(folds: &mut [Fold], included: &Included<'_>, identical: &[Vec<String>]) {
    let all = included.utterances.iter().chain(&included.ambiguous);
    let all: BTreeMap<&str, &Utterance> = all.map(|u| (u.utterance_id.as_str(), *u)).collect();
    // Where speakers are what is divided, none is in two parts.
    let divided = included.parts.is_none() && included.grouping == Grouping::Speaker;
    let sentences = all.values().any(|u| u.sentence.is_some());
    let recordings: BTreeMap<&str, usize> = identical
        .iter()
        .enumerate()
        .flat_map(|(number, ids)| ids.iter().map(move |id| (id.as_str(), number)))
        .collect();
    if divided && !sentences && recordings.is_empty() {
        return;
    }
    for fold in folds {
        let parts = Parts::of(fold, &all);
        let speakers = parts.in_two(|id| all[id].known_speaker().filter(|_| !divided));
        let of_sentences = parts.in_two(|id| all[id].sentence.as_deref());
        let twice = parts.in_two(|id| recordings.get(id));
        let speakers: Vec<String> = speakers.into_iter().map(str::to_owned).collect();
        let ids = parts.test.iter().chain(&parts.validation);
        let twins = ids.filter(|id| recordings.get(**id).is_some_and(|of| twice.contains(&of)));
        let mut twins: Vec<String> = twins.map(|id| (*id).to_owned()).collect();
        twins.sort_unstable();
        fold.sentences_in_two_parts = sentences.then_some(of_sentences.len());
        (fold.in_two_parts, fold.same_recordings) = (speakers, twins);
    }
}

/// Ids by part.
struct Parts<'a> {
    training: Vec<&'a str>,
    validation: Vec<&'a str>,
    test: Vec<&'a str>,
}

impl<'a> Parts<'a> {
    fn of(fold: &Fold, all: &BTreeMap<&'a str, &Utterance>) -> Self {
        let elsewhere = fold.elsewhere();
        let training = all.keys().filter(|id| !elsewhere.contains(**id)).copied().collect();
        let [validation, test] = [&fold.validation, &fold.test].map(|ids| {
            ids.iter().filter_map(|id| all.get_key_value(id.as_str())).map(|(id, _)| *id).collect()
        });
        Self { training, validation, test }
    }

    /// What the utterances have, as `of` says, that are tested or validate, and others of another part
    /// have too.
    fn in_two<T: Ord>(&self, of: impl Fn(&'a str) -> Option<T>) -> BTreeSet<T> {
        let [training, validation, test] = [&self.training, &self.validation, &self.test]
            .map(|ids| ids.iter().filter_map(|id| of(id)).collect::<BTreeSet<T>>());
        let mut twice = BTreeSet::new();
        for one in validation {
            if test.contains(&one) || training.contains(&one) {
                twice.insert(one);
            }
        }
        twice.extend(test.into_iter().filter(|one| training.contains(one)));
        twice
    }
}
