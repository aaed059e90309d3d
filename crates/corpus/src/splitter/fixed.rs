//! The split `fixed`: parts that somebody has published or written down.
//!
//! Two forms are read: a table in CSV with a column of utterances and one of parts, as EMO-SUPERB's and
//! MSP-Podcast's `labels_consensus.csv` have them (`FileName`, `Split_Set`), and a folder of folds as EmoBox
//! publishes them: folders `fold_1`, `fold_2`, … with one file of JSON lines for each part, whose name says
//! which, `…_train_…`, `…_valid_…`, `…_test_…`.

mod parts;

use std::collections::{BTreeMap, BTreeSet};

use ambivox_settings::{Fold, Grouping, Section, counted};
use serde::{Deserialize, Serialize};

use super::{PlannedSplit, SplitKind, Splitter, parts_of};
use crate::error::some_listed;
use crate::split::{
    Drawn, Found, Included, Validation as Choice, parts as in_parts, shares, sorted_ids,
};
use crate::{CorpusError, Names, Utterance};
use parts::{Parts, Row};

/// Registry entry.
pub(super) const KIND: SplitKind =
    SplitKind { name: "fixed", plan, open: |section| Ok(Box::new(section.read::<Settings>()?)) };

/// Section `[split]` with this kind, without `file`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// A table's column of utterances: ids, paths or names of files.
    id: Option<String>,
    /// A table's column of parts.
    part: Option<String>,
    /// The words of that column for what trains.
    #[serde(default)]
    train: Vec<String>,
    /// What validates.
    validation: Option<Validation>,
    /// The words for what is tested, each in a fold of that name.
    #[serde(default)]
    test: Vec<String>,
    /// Whether speakers may be in two parts of a fold. Not where left out.
    #[serde(default)]
    allow_overlap: bool,
}

/// What validates: parts of the list, or, where none does, another choice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "validation: expected a list of parts, \"none\", { share = …, seed = … } or { parts = …, seed = … }"
)]
enum Validation {
    /// The words of a table's column.
    Parts(Vec<String>),
    /// Where no part validates: each of several parts of those who train, in a model of its own.
    InTurn(InTurn),
    /// Where no part validates.
    Else(Choice),
}

/// Whole speakers of those who train in parts of like size. Each part validates one fold, in which the others
/// train, so that a test set has as many models, which are an ensemble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct InTurn {
    /// How many.
    parts: usize,
    /// Seed of the choice of speakers for each.
    seed: u64,
}

fn plan(section: &Section) -> Result<PlannedSplit, String> {
    let mut section = section.clone();
    let parts = section.take_path("file");
    let settings: Settings = section.read()?;
    settings.fault().map_or(Ok(()), |fault| Err(fault.to_owned()))?;
    if parts.is_none() {
        return Err("file: name the list of parts, relative to the pipeline file".to_owned());
    }
    Ok(PlannedSplit { section, parts, fold_per_speaker: false })
}

impl Settings {
    /// The words of a table's column for what validates.
    fn validating(&self) -> &[String] {
        match &self.validation {
            Some(Validation::Parts(parts)) => parts,
            _ => &[],
        }
    }

    /// What is to be done where no part validates.
    fn or_else(&self) -> Option<&Choice> {
        match &self.validation {
            Some(Validation::Else(choice)) => Some(choice),
            _ => None,
        }
    }

    /// Whether nothing is said of who validates where no part does.
    fn is_silent(&self) -> bool {
        matches!(self.validation, None | Some(Validation::Parts(_)))
    }

    fn fault(&self) -> Option<&'static str> {
        let words: Vec<&String> =
            self.train.iter().chain(self.validating()).chain(&self.test).collect();
        let repeated = (1..words.len()).any(|at| words[..at].contains(&words[at]));
        let of_table = [self.id.is_some(), self.part.is_some(), !words.is_empty()];
        let whole = !self.train.is_empty() && !self.test.is_empty();
        let named = self
            .or_else()
            .is_some_and(|choice| matches!(choice, Choice::Named(_)) && !choice.is_none());
        let faults = [
            (
                of_table.contains(&true) && (of_table.contains(&false) || !whole),
                "a table needs id, part, train and test; a folder of folds none of them",
            ),
            (repeated, "a part is named twice in train, validation and test"),
            (
                named,
                "validation: a list of parts, \"none\", { share = …, seed = … } or { parts = …, seed = … }",
            ),
            (
                whole && self.validating().is_empty() && self.is_silent(),
                "validation: name what validates, or \"none\", { share = …, seed = … } or { parts = …, seed = … }",
            ),
            (
                matches!(&self.validation, Some(Validation::InTurn(turn)) if turn.parts < 2),
                "validation.parts: at least 2, so that one validates and one trains",
            ),
            (
                matches!(self.validation, Some(Validation::InTurn(_))) && !whole,
                "validation.parts: of a table, which has one training part; a folder of folds has several",
            ),
        ];
        let fault = faults.into_iter().find_map(|(bad, fault)| bad.then_some(fault));
        fault.or_else(|| self.or_else()?.fault())
    }
}

/// A part of a fold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Training,
    Validation,
    Test,
}

impl Splitter for Settings {
    fn grouping(&self) -> Grouping {
        Grouping::Speaker
    }

    /// A fold for every part that is tested, or for every folder of folds, by its name. What validates is
    /// the part that says so; else, where a share is asked for, whole speakers of those who train, drawn by
    /// the seed until they have it; or each of several parts of those who train in turn, in folds that test
    /// the same.
    fn folds(&self, included: &Included<'_>) -> Result<Found, CorpusError> {
        let file = parts_of(included)?;
        let names = Names::new(included.all);
        let (mut folds, mut notes) = (Vec::new(), BTreeSet::new());
        for mut parts in parts::read(file, self)? {
            notes.append(&mut parts.notes);
            let placed = placed(&parts, &names, &mut notes)?;
            let divided = Divided::new(parts.name, included, &placed);
            notes.extend(divided.note());
            for divided in self.validated(divided)? {
                divided.check(self.or_else())?;
                folds.push(divided.fold());
            }
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

impl Settings {
    /// A fold with those who validate it, or several that test the same.
    fn validated<'a>(&self, mut divided: Divided<'a>) -> Result<Vec<Divided<'a>>, CorpusError> {
        match &self.validation {
            _ if !divided.validation.is_empty() => {}
            Some(Validation::Else(Choice::Drawn(drawn))) => divided.take_validation(drawn),
            Some(Validation::InTurn(turn)) => return divided.in_turn(*turn),
            _ => {}
        }
        Ok(vec![divided])
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
#[derive(Clone, Default)]
struct Divided<'a> {
    name: String,
    /// What it tests, where other folds test the same.
    test_set: Option<String>,
    training: Vec<&'a Utterance>,
    validation: Vec<&'a Utterance>,
    test: Vec<&'a Utterance>,
    left_out: Vec<&'a Utterance>,
    /// Ambiguous ones that train, and those that do not.
    ambiguous: Vec<&'a Utterance>,
    left_out_ambiguous: Vec<&'a Utterance>,
}

impl<'a> Divided<'a> {
    fn new(name: String, included: &Included<'a>, placed: &BTreeMap<&str, Part>) -> Self {
        let mut divided = Self { name, ..Self::default() };
        let part = |utterance: &Utterance| placed.get(utterance.utterance_id.as_str());
        for &utterance in &included.utterances {
            let into = match part(utterance) {
                Some(Part::Training) => &mut divided.training,
                Some(Part::Validation) => &mut divided.validation,
                Some(Part::Test) => &mut divided.test,
                None => &mut divided.left_out,
            };
            into.push(utterance);
        }
        let ambiguous = included.ambiguous.iter().copied();
        (divided.ambiguous, divided.left_out_ambiguous) =
            ambiguous.partition(|u| part(u) == Some(&Part::Training));
        divided
    }

    /// Moves whole speakers from those who train, until they have the share asked for; one speaker at least
    /// goes on to train.
    fn take_validation(&mut self, drawn: &Drawn) {
        let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
        for speaker in self.training.iter().filter_map(|u| u.known_speaker()) {
            *sizes.entry(speaker).or_default() += 1;
        }
        let speakers: Vec<&str> = sizes.keys().copied().collect();
        let drawn = drawn.names(&speakers, 0, |speaker| sizes[speaker]);
        self.validate_by(|speaker| drawn.contains(speaker));
    }

    /// Moves speakers from those who train.
    fn validate_by(&mut self, is_theirs: impl Fn(&str) -> bool) {
        let taken = self.training.extract_if(.., |u| is_theirs(&u.speaker));
        self.validation.extend(taken);
        let theirs = self.ambiguous.extract_if(.., |u| is_theirs(&u.speaker));
        self.left_out_ambiguous.extend(theirs);
    }

    /// A fold for each part of the known speakers who train, which validates it.
    fn in_turn(self, InTurn { parts, seed }: InTurn) -> Result<Vec<Self>, CorpusError> {
        let known: Vec<&Utterance> =
            self.training.iter().filter(|u| u.known_speaker().is_some()).copied().collect();
        let speakers = shares(&known, Grouping::Speaker);
        if parts > speakers.len() {
            let found = speakers.len();
            return Err(CorpusError::TooManyParts { fold: self.name, parts, found });
        }
        let digits = parts.to_string().len();
        let fold = |(number, speakers): (usize, BTreeSet<String>)| {
            let mut fold = self.clone();
            fold.name = format!("{}-{:0digits$}", self.name, number + 1);
            fold.test_set = Some(self.name.clone());
            fold.validate_by(|speaker| speakers.contains(speaker));
            fold
        };
        let parts = in_parts(&speakers, parts, seed);
        Ok(parts.into_iter().enumerate().map(fold).collect())
    }

    fn check(&self, validation: Option<&Choice>) -> Result<(), CorpusError> {
        if self.validation.is_empty() && matches!(validation, Some(Choice::Drawn(_))) {
            return Err(CorpusError::OneSpeaker { fold: self.name.clone() });
        }
        let parts =
            [("training", &self.training), ("validation", &self.validation), ("test", &self.test)];
        let may_be_empty = |part| part == "validation" && validation.is_some_and(Choice::is_none);
        let empty = parts
            .into_iter()
            .find(|(part, utterances)| utterances.is_empty() && !may_be_empty(*part));
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
            name: self.name,
            test_set: self.test_set,
            ..Fold::default()
        }
    }
}

fn speakers<'a>(utterances: &[&'a Utterance]) -> BTreeSet<&'a str> {
    utterances.iter().filter_map(|u| u.known_speaker()).collect()
}

#[cfg(test)]
mod tests;
