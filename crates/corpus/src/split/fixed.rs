//! The split `fixed`: parts that somebody has published or written down.
//!
//! Two forms are read: a table in CSV with a column of utterances and one of parts, as EMO-SUPERB's and
//! MSP-Podcast's `labels_consensus.csv` have them (`FileName`, `Split_Set`), and a folder of folds as EmoBox
//! publishes them: folders `fold_1`, `fold_2`, … with one file of JSON lines for each part, whose name says
//! which, `…_train_…`, `…_valid_…`, `…_test_…`.

mod parts;

use std::collections::{BTreeMap, BTreeSet};

use ambivox_settings::{FixedSettings, Fold, Grouping, counted};
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::{Found, Splitter, TakingPart, sorted_ids};
use crate::error::some_listed;
use crate::{CorpusError, Names, Utterance};
use parts::{Parts, Row};

/// A part of a fold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Training,
    Validation,
    Test,
}

impl Splitter for FixedSettings {
    fn grouping(&self) -> Grouping {
        Grouping::Speaker
    }

    /// A fold for every part that is tested, or for every folder of folds, by its name. What validates is
    /// the part that says so; else whole speakers of those who train, drawn by the seed until they have
    /// the share asked for.
    fn folds(&self, taking_part: &TakingPart<'_>) -> Result<Found, CorpusError> {
        let file = taking_part.parts.ok_or(CorpusError::NoParts)?;
        let names = Names::new(taking_part.all);
        let (mut folds, mut notes) = (Vec::new(), BTreeSet::new());
        for mut parts in parts::read(file, self)? {
            notes.append(&mut parts.notes);
            let placed = placed(&parts, &names, &mut notes)?;
            let mut divided = Divided::new(parts.name, taking_part, &placed);
            if divided.validation.is_empty()
                && let Some((share, seed)) = self.validation_share.zip(self.seed)
            {
                divided.take_validation(share, seed);
            }
            divided.check(self.validation_share.is_some())?;
            notes.extend(divided.note());
            folds.push(divided.fold());
        }
        Ok(Found { folds, notes: notes.into_iter().collect() })
    }

    fn check(&self, folds: &[Fold]) -> Result<(), CorpusError> {
        let shared = folds.iter().find(|fold| !fold.in_two_parts.is_empty() && !self.allow_overlap);
        shared.map_or(Ok(()), |fold| {
            let (fold, speakers) = (fold.name.clone(), some_listed(&fold.in_two_parts));
            Err(CorpusError::SharedSpeakers { fold, speakers })
        })
    }
}

/// The part of every utterance that the list names.
fn placed<'a>(
    parts: &Parts,
    names: &Names<'a>,
    notes: &mut BTreeSet<String>,
) -> Result<BTreeMap<&'a str, Part>, CorpusError> {
    let mut strangers = Vec::new();
    let mut placed: BTreeMap<&str, &Row> = BTreeMap::new();
    for row in &parts.rows {
        let Some(utterance) = row.names.iter().find_map(|name| names.find(name)) else {
            strangers.extend(row.names.first().cloned());
            continue;
        };
        let before = placed.insert(&utterance.utterance_id, row);
        if let Some(before) = before.filter(|before| before.part != row.part) {
            return Err(CorpusError::InTwoParts {
                utterance_id: utterance.utterance_id.clone(),
                rows: Box::new([before.place.clone(), row.place.clone()]),
            });
        }
    }
    if !strangers.is_empty() {
        let (count, some) = (counted(strangers.len(), "row"), some_listed(&strangers));
        let name = &parts.name;
        notes.insert(format!("fold {name}: {count} of no utterance of the corpus: {some}"));
    }
    Ok(placed.into_iter().map(|(id, row)| (id, row.part)).collect())
}

/// Utterances that take part, each in the part of one fold that it is in.
#[derive(Default)]
struct Divided<'a> {
    name: String,
    training: Vec<&'a Utterance>,
    validation: Vec<&'a Utterance>,
    test: Vec<&'a Utterance>,
    left_out: Vec<&'a Utterance>,
    /// Ambiguous ones that train, and those that do not.
    ambiguous: Vec<&'a Utterance>,
    left_out_ambiguous: Vec<&'a Utterance>,
}

impl<'a> Divided<'a> {
    fn new(name: String, taking_part: &TakingPart<'a>, placed: &BTreeMap<&str, Part>) -> Self {
        let mut divided = Self { name, ..Self::default() };
        let part = |utterance: &Utterance| placed.get(utterance.utterance_id.as_str());
        for &utterance in &taking_part.utterances {
            let into = match part(utterance) {
                Some(Part::Training) => &mut divided.training,
                Some(Part::Validation) => &mut divided.validation,
                Some(Part::Test) => &mut divided.test,
                None => &mut divided.left_out,
            };
            into.push(utterance);
        }
        let ambiguous = taking_part.ambiguous.iter().copied();
        (divided.ambiguous, divided.left_out_ambiguous) =
            ambiguous.partition(|u| part(u) == Some(&Part::Training));
        divided
    }

    /// Moves whole speakers from those who train, until they have this share of the utterances; one
    /// speaker at least goes on to train.
    fn take_validation(&mut self, share: f64, seed: u64) {
        let wanted = (share * self.training.len() as f64).ceil() as usize;
        let mut order: Vec<&str> = speakers(&self.training).into_iter().collect();
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        order.pop();
        for speaker in order {
            if self.validation.len() >= wanted {
                break;
            }
            let is_theirs = |u: &&Utterance| u.speaker == speaker;
            let (taken, rest): (Vec<_>, _) = self.training.drain(..).partition(is_theirs);
            self.training = rest;
            self.validation.extend(taken);
            let (theirs, rest): (Vec<_>, _) = self.ambiguous.drain(..).partition(is_theirs);
            self.ambiguous = rest;
            self.left_out_ambiguous.extend(theirs);
        }
    }

    fn check(&self, drawn: bool) -> Result<(), CorpusError> {
        if self.validation.is_empty() && drawn {
            return Err(CorpusError::OneSpeaker { fold: self.name.clone() });
        }
        let parts =
            [("training", &self.training), ("validation", &self.validation), ("test", &self.test)];
        let empty = parts.into_iter().find(|(_, utterances)| utterances.is_empty());
        empty.map_or(Ok(()), |(part, _)| {
            Err(CorpusError::EmptyPart { fold: self.name.clone(), part })
        })
    }

    fn note(&self) -> Option<String> {
        let (name, count) = (&self.name, counted(self.left_out.len(), "utterance"));
        (!self.left_out.is_empty())
            .then(|| format!("fold {name}: {count} of the classes in none of its parts"))
    }

    fn fold(self) -> Fold {
        let names = |utterances: &[&Utterance]| {
            speakers(utterances).into_iter().map(str::to_owned).collect()
        };
        Fold {
            tested: names(&self.test),
            validating: names(&self.validation),
            test: sorted_ids(self.test.into_iter()),
            validation: sorted_ids(self.validation.into_iter()),
            left_out: sorted_ids(self.left_out.into_iter().chain(self.left_out_ambiguous)),
            in_two_parts: Vec::new(),
            name: self.name,
        }
    }
}

fn speakers<'a>(utterances: &[&'a Utterance]) -> BTreeSet<&'a str> {
    utterances.iter().map(|u| u.speaker.as_str()).collect()
}

#[cfg(test)]
mod tests;
