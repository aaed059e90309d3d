//! Lists of utterances by part, in the forms in which they are published.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use fs_err as fs;
use serde::Deserialize;

use super::{Part, Settings};
use crate::error::listed;
use crate::table::{Delimited, Table};
use crate::{CorpusError, Place};

/// The parts of one fold.
pub(super) struct Parts {
    /// The fold's name.
    pub(super) name: String,
    pub(super) rows: Vec<Row>,
    /// What is worth a word.
    pub(super) notes: BTreeSet<String>,
}

/// An utterance in a part.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// What the list calls it, the surest first.
    pub(super) names: Vec<String>,
    pub(super) part: Part,
    pub(super) place: Place,
}

/// The folds of a table of parts, or of a folder of folds, sorted by name.
pub(super) fn read(path: &Path, settings: &Settings) -> Result<Vec<Parts>, CorpusError> {
    let form = |message| CorpusError::PartsForm { path: path.to_path_buf(), message };
    match (path.is_dir(), settings.id.is_some()) {
        (true, false) => folder(path),
        (false, true) => table(path, settings),
        (true, true) => Err(form("a folder of folds; leave split.id and split.part out")),
        (false, false) => {
            Err(form("a table; set split.id, split.part, split.train and split.test"))
        }
    }
}

/// A fold for every part that is tested.
fn table(path: &Path, settings: &Settings) -> Result<Vec<Parts>, CorpusError> {
    let file = name_of(path);
    let table = Table::parse(&file, &fs::read(path).map_err(CorpusError::Read)?, Delimited::COMMA)?;
    let column = |name: &Option<String>| table.column(name.as_deref().unwrap_or_default());
    let (id, part) = (column(&settings.id)?, column(&settings.part)?);
    let mut by_part: BTreeMap<String, Vec<(String, Place)>> = BTreeMap::new();
    for row in table.rows() {
        let of_part = by_part.entry(row.cell(part)?.to_owned()).or_default();
        of_part.push((row.cell(id)?.to_owned(), row.place.clone()));
    }
    let Settings { train, test, .. } = settings;
    let validation = settings.validating();
    let named = || train.iter().chain(validation).chain(test);
    if let Some(missing) = named().find(|name| !by_part.contains_key(*name)) {
        let (part, found) = (missing.clone(), listed(by_part.keys()));
        return Err(CorpusError::NoSuchPart { file, part, found });
    }
    let named: BTreeSet<&String> = named().collect();
    let others = by_part.iter().filter(|(name, _)| !named.contains(name));
    let others: Vec<String> =
        others.map(|(name, rows)| format!("{name:?} ({})", rows.len())).collect();
    let notes: BTreeSet<String> = if others.is_empty() {
        BTreeSet::new()
    } else {
        [format!("parts of the list that [split] does not name, left out: {}", listed(&others))]
            .into()
    };
    let rows = |names: &[String], part| {
        let rows = names.iter().flat_map(|name| &by_part[name]);
        let row = move |(utterance, place): &(String, Place)| Row {
            names: vec![utterance.clone()],
            part,
            place: place.clone(),
        };
        rows.map(row).collect::<Vec<_>>()
    };
    let fold = |name: &String| Parts {
        name: name.clone(),
        rows: [
            rows(train, Part::Training),
            rows(validation, Part::Validation),
            rows(std::slice::from_ref(name), Part::Test),
        ]
        .concat(),
        notes: notes.clone(),
    };
    let mut folds: Vec<Parts> = test.iter().map(fold).collect();
    folds.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(folds)
}

/// A fold for every folder in this one.
fn folder(path: &Path) -> Result<Vec<Parts>, CorpusError> {
    let is_fold = |path: &PathBuf| path.is_dir() && !name_of(path).starts_with('.');
    let folders: Vec<PathBuf> = entries(path)?.into_iter().filter(is_fold).collect();
    if folders.is_empty() {
        return Err(CorpusError::NoFolds { folder: path.to_path_buf() });
    }
    folders.iter().map(|folder| fold(folder)).collect()
}

fn fold(folder: &Path) -> Result<Parts, CorpusError> {
    let mut files: Vec<(Part, PathBuf, Vec<Row>)> = Vec::new();
    for file in
        entries(folder)?.into_iter().filter(|file| file.extension() == Some("jsonl".as_ref()))
    {
        let part = part_of(&file).ok_or_else(|| CorpusError::NoPartOf { file: file.clone() })?;
        let rows = lines(&file, part)?;
        match files.iter().find(|(of, ..)| *of == part) {
            None => files.push((part, file, rows)),
            // Some folds are published in two spellings of one list.
            Some((_, _, others)) if keys(others) == keys(&rows) => {}
            Some((_, other, _)) => {
                return Err(CorpusError::PartTwice { files: Box::new([other.clone(), file]) });
            }
        }
    }
    let rows = files.into_iter().flat_map(|(_, _, rows)| rows).collect();
    Ok(Parts { name: name_of(folder), rows, notes: BTreeSet::new() })
}

/// What a list's rows are called beside their files.
fn keys(rows: &[Row]) -> BTreeSet<&String> {
    rows.iter().filter_map(|row| row.names.last()).collect()
}

/// The part that the name of a file says, by one of its words; nothing where none or several do.
fn part_of(file: &Path) -> Option<Part> {
    let name = name_of(&file.with_extension("")).to_lowercase();
    let of_word = |word: &str| match word {
        "train" => Some(Part::Training),
        "valid" | "validation" | "val" | "dev" => Some(Part::Validation),
        "test" => Some(Part::Test),
        _ => None,
    };
    let mut parts = name.split('_').filter_map(of_word);
    parts.next().filter(|_| parts.next().is_none())
}

/// A line of such a file; the keys that nobody asks for are passed over.
#[derive(Deserialize)]
struct Line {
    key: String,
    #[serde(alias = "audio")]
    wav: Option<String>,
}

fn lines(file: &Path, part: Part) -> Result<Vec<Row>, CorpusError> {
    let (name, text) = (name_of(file), fs::read_to_string(file).map_err(CorpusError::Read)?);
    let lines = text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty());
    let row = |(line, number)| {
        let place = Place::line(&name, number);
        let Line { key, wav } =
            serde_json::from_str(line).map_err(|error| CorpusError::Malformed {
                place: place.clone(),
                found: error.to_string(),
                expected: "an object with \"key\" and, where there is one, \"wav\" or \"audio\""
                    .to_owned(),
            })?;
        Ok(Row { names: wav.into_iter().chain([key]).collect(), part, place })
    };
    lines.map(row).collect()
}

/// What is in a folder, sorted.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, CorpusError> {
    let entries = fs::read_dir(folder).map_err(CorpusError::Read)?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path()).map_err(CorpusError::Read));
    let mut paths = paths.collect::<Result<Vec<_>, _>>()?;
    paths.sort();
    Ok(paths)
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}
