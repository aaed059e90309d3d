//! A manifest and a pipeline, tried on the corpus before they are written.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ambivox_corpus::{Utterance, plan_split, read_corpus, splits};
use ambivox_settings::{Exclusions, Manifest, Pipeline, some_listed};
use anyhow::Result;

use crate::failure::Failure;
use crate::from_table::text::{self, Linear};

/// Each part of a fold has one: those tested, those who validate, those who train.
const PARTS: usize = 3;
/// Of more speakers, several are tested at a time.
const MOST_FOLDS: usize = 20;

/// A front end of seconds: one vector of every utterance.
const FUNCTIONALS: &str = "[frontend]
kind = \"lld\"
set = \"is09\"

[pooling]
kind = \"functionals\"
";

/// What an own pipeline begins with, after its first line.
const WHAT_TO_CHANGE: &str = "\
# What to change, and when (pipelines/README.md has every key, docs/method.md what it means):
# - corpus.on_broken = \"skip\" leaves unreadable audio out by name, where \"stop\" ends the run with a list.
# - [frontend] and [pooling] make 384 numbers of every utterance, which train in seconds. A network of
#   frames wants some hundred utterances: take [frontend], [model], [training] and [methods] from
#   pipelines/emodb.toml, and leave [pooling] out.
# - split.classes are the labels to tell apart, as [labels] of the manifest names them.
# - model.kind = \"linear-svm\" is a support vector machine; candidates of C are tried in every fold.
# - methods: baseline trusts every label; lw learns labels and weights, and is what `audit` goes by.
";

/// What is known of a corpus before it has been read.
pub(super) struct Source {
    /// The corpus's folder.
    pub(super) root: String,
    /// The manifest's text.
    pub(super) manifest: String,
    /// The pipeline's, where there is a fitting built-in one.
    pub(super) pipeline: Option<String>,
    /// The classes of a corpus that is known; those of a table are its labels.
    pub(super) classes: Option<&'static [&'static str]>,
    /// The layout: `csv` for a table.
    pub(super) layout: &'static str,
    /// The table's path, below the root.
    pub(super) table: Option<String>,
}

/// What is written and told.
pub(super) struct Draft {
    pub(super) source: Source,
    pub(super) manifest: Manifest,
    pub(super) pipeline: String,
    /// Utterances of every class.
    pub(super) classes: BTreeMap<String, usize>,
    /// Labels that are no class, since they are too rare, with their utterances.
    pub(super) rare: BTreeMap<String, usize>,
    pub(super) speakers: usize,
    pub(super) folds: usize,
}

impl Draft {
    /// Reads the corpus and divides it.
    ///
    /// # Errors
    /// What the index or the split would complain of; fewer than three speakers; fewer than two classes.
    pub(super) fn of(source: Source, name: &str) -> Result<Self> {
        let root = Path::new(&source.root);
        let manifest = Manifest::parse(Path::new("the manifest"), &source.manifest)?;
        let corpus = read_corpus(root, &manifest).map_err(|error| fault(&error))?;
        let found = Labels::of(&corpus.utterances);
        found.check_speakers(&manifest)?;
        let (classes, rare) = found.classes(source.classes)?;
        let pipeline = match &source.pipeline {
            Some(text) => text.clone(),
            None => found.pipeline(&source, name, &manifest.title, &classes),
        };
        let mut draft = Self {
            manifest,
            pipeline,
            classes,
            rare,
            speakers: found.speakers.len(),
            folds: 0,
            source,
        };
        draft.folds = draft.divide(&corpus.utterances)?;
        Ok(draft)
    }

    /// Number of folds.
    fn divide(&self, utterances: &[Utterance]) -> Result<usize> {
        let mut pipeline = Pipeline::parse(Path::new("the pipeline"), &self.pipeline)?;
        let planned = plan_split(&pipeline.split.section)?;
        pipeline.split.section = planned.section;
        let none = Exclusions::default();
        let parts = planned.parts.as_deref();
        let found = splits(utterances, &none, &pipeline.split, &self.manifest, parts);
        Ok(found.map_err(|error| fault(&error))?.folds.len())
    }
}

fn fault(error: &dyn std::fmt::Display) -> anyhow::Error {
    Failure::data(error.to_string())
}

/// Who says which label how often.
struct Labels<'a> {
    speakers: BTreeSet<&'a str>,
    /// Utterances, and their speakers, of every label.
    given: BTreeMap<&'a str, (usize, BTreeSet<&'a str>)>,
    rows: usize,
}

impl<'a> Labels<'a> {
    fn of(utterances: &'a [Utterance]) -> Self {
        let mut found = Self { speakers: BTreeSet::new(), given: BTreeMap::new(), rows: 0 };
        for utterance in utterances {
            let Some(gold) = &utterance.gold else { continue };
            let (count, speakers) = found.given.entry(gold).or_default();
            *count += 1;
            found.rows += 1;
            if !utterance.speaker.is_empty() {
                speakers.insert(&utterance.speaker);
                found.speakers.insert(&utterance.speaker);
            }
        }
        found
    }

    fn check_speakers(&self, manifest: &Manifest) -> Result<()> {
        if self.speakers.is_empty() || self.speakers.len() >= PARTS {
            return Ok(());
        }
        let speakers: Vec<String> = self.speakers.iter().map(|&name| name.to_owned()).collect();
        let speakers = some_listed(&speakers);
        let column = manifest.csv.as_ref().and_then(|csv| csv.columns.speaker.clone());
        let hint = match column {
            Some(column) => format!(
                "{column:?} was taken for the column of speakers; name another with --speaker COLUMN, or \
                 divide utterances whoever speaks with --speaker \"\": rates are too good then, since \
                 voices are tested that were trained on"
            ),
            None => "name the folder of a larger part of the corpus".to_owned(),
        };
        Err(Failure::data(format!(
            "the labelled utterances are of fewer than three speakers: {speakers}; a fold tests one, \
             validates by another and trains on the others\nhint: {hint}"
        )))
    }

    /// Classes and rare labels. A class is said by as many speakers as a fold has parts or, where nobody
    /// knows who speaks, so often.
    fn classes(
        &self,
        known: Option<&[&str]>,
    ) -> Result<(BTreeMap<String, usize>, BTreeMap<String, usize>)> {
        let is_class = |label: &str, rows: usize, speakers: usize| match known {
            Some(known) => known.contains(&label),
            None if self.speakers.is_empty() => rows >= PARTS,
            None => speakers >= PARTS,
        };
        let labels = self.given.iter();
        let (classes, rare): (Vec<_>, Vec<_>) =
            labels.partition(|(label, (rows, by))| is_class(label, *rows, by.len()));
        let counts = |labels: Vec<(&&str, &(usize, BTreeSet<&str>))>| {
            labels.into_iter().map(|(label, (rows, _))| ((*label).to_owned(), *rows)).collect()
        };
        let (classes, rare): (BTreeMap<_, _>, BTreeMap<_, _>) = (counts(classes), counts(rare));
        if classes.len() > 1 {
            return Ok((classes, rare));
        }
        let said = if self.speakers.is_empty() { "in three rows" } else { "by three speakers" };
        Err(Failure::data(format!(
            "fewer than two labels are given to utterances {said}; there are: {}\n\
             hint: label more speech, or name the column of labels with --label",
            counted(self.given.iter().map(|(label, (rows, _))| (*label, *rows)))
        )))
    }

    fn pipeline(
        &self,
        source: &Source,
        name: &str,
        title: &str,
        classes: &BTreeMap<String, usize>,
    ) -> String {
        let rarest = classes.values().min().copied().unwrap_or_default();
        let names: Vec<String> = match source.classes {
            Some(known) => known.iter().map(|&class| class.to_owned()).collect(),
            None => classes.keys().cloned().collect(),
        };
        text::pipeline(&Linear {
            head: &format!("# Written by `init` for a first result in seconds.\n{WHAT_TO_CHANGE}"),
            name,
            title,
            manifest: &format!("../data-manifests/{name}.toml"),
            root: &source.root,
            frontend: FUNCTIONALS,
            split: &self.split(),
            classes: &names,
            audited: Some(self.rows),
            model: &format!("[model]\nkind = \"linear\"\nc = {}\n", text::c(rarest)),
            methods: &[text::BASELINE, text::LW],
        })
    }

    /// Section `[split]`: every speaker is tested once, alone where they are few.
    fn split(&self) -> String {
        match self.speakers.len() {
            0 => text::folds_of("utterance", self.rows),
            1..=MOST_FOLDS => "[split]\nkind = \"leave-one-speaker-out\"\n".to_owned(),
            many => text::folds_of("speaker", many),
        }
    }
}

/// Labels with their utterances, as one reads them.
pub(super) fn counted<'a>(labels: impl IntoIterator<Item = (&'a str, usize)>) -> String {
    let labels = labels.into_iter().map(|(label, rows)| format!("{label} ({rows})"));
    some_listed(&labels.collect::<Vec<_>>())
}
