//! Any folder of audio with a table of labels, in the manner of audformat and nkululeko.
//!
//! One row is one utterance: a whole file, or a cut of it between start and end. Column names and
//! delimiter are the manifest's, and so is a file of corrections, if there is one. An utterance's id
//! is that of its column or, where there is none, keeps the folders of its file, since many corpora
//! number their files again in every folder. Without a column of files there are no recordings.

mod faults;
mod ratings;

use std::collections::{BTreeMap, BTreeSet};

use ambivox_settings::{CsvColumns, CsvLayout, Sex};
use faults::Faults;

use super::Layout;
use crate::duration::parse_seconds;
use crate::error::listed;
use crate::name::{is_filled, nfc};
use crate::table::{Delimited, Row, Table};
use crate::tree::Tree;
use crate::{CorpusError, Corrections, Place, Utterance, consensus};

/// The layout of a table beside sound files.
pub(super) struct Csv;

impl Layout for Csv {
    fn utterances(
        &self,
        tree: &Tree<'_>,
        warnings: &mut Vec<String>,
    ) -> Result<Vec<Utterance>, CorpusError> {
        let Some(layout) = &tree.manifest.csv else {
            return Err(manifest_fault("", "a [csv] table in the manifest"));
        };
        check_listed(tree, &layout.table, "csv.table")?;
        let format = format(layout)?;
        let table = Table::read(tree, &layout.table, format)?;
        let columns = Columns::find(&table, &layout.columns)?;
        let faults = Faults { tree, table: &table, columns: &columns };
        faults.check()?;
        warnings.extend(faults.sexes()?);
        let read = |row| columns.utterance(tree, row);
        let mut utterances = table.rows().iter().map(read).collect::<Result<Vec<_>, _>>()?;
        check_rows(&table, &utterances)?;
        if let Some(rated) = &layout.ratings {
            let voted = columns.votes.is_some();
            ratings::add(tree, (rated, format, voted), &mut utterances, warnings)?;
        }
        if columns.emotion.is_none() {
            for utterance in &mut utterances {
                utterance.gold = consensus(&utterance.votes).map(str::to_owned);
            }
        }
        if let Some(file) = &layout.corrections {
            correct(tree, file, &mut utterances)?;
        }
        Ok(utterances)
    }
}

/// The manifest's word on how the table is written.
fn format(layout: &CsvLayout) -> Result<Delimited, CorpusError> {
    let &[delimiter] = layout.delimiter.as_bytes() else {
        return Err(manifest_fault(&layout.delimiter, "one ASCII character as csv.delimiter"));
    };
    match layout.quote.as_deref().unwrap_or("\"").as_bytes() {
        [] => Ok(Delimited { delimiter, quote: None }),
        &[quote] => Ok(Delimited { delimiter, quote: Some(quote) }),
        _ => Err(manifest_fault("csv.quote", "one ASCII character or none")),
    }
}

/// Corrects the table's labels by a file that lies beside it.
fn correct(tree: &Tree<'_>, file: &str, utterances: &mut [Utterance]) -> Result<(), CorpusError> {
    check_listed(tree, file, "csv.corrections")?;
    let labels: BTreeSet<&String> = tree.manifest.labels.values().collect();
    let labels: Vec<String> =
        labels.into_iter().filter(|label| !label.is_empty()).cloned().collect();
    Corrections::parse(file, &tree.bytes(file)?)?.apply(utterances, &labels)
}

/// A table must be there, and one that the manifest's patterns miss is no input.
fn check_listed(tree: &Tree<'_>, file: &str, key: &'static str) -> Result<(), CorpusError> {
    if tree.lists(file) {
        return Ok(());
    }
    if tree.covers(file) {
        let (file, root_env) = (tree.root.join(file), tree.manifest.root_env.clone());
        return Err(CorpusError::FileMissing { file, key, root_env });
    }
    let patterns = listed(&tree.manifest.files);
    Err(CorpusError::NotCovered { path: file.to_owned(), patterns })
}

/// Only here is it known in which rows two utterances of one id stand.
fn check_rows(table: &Table, utterances: &[Utterance]) -> Result<(), CorpusError> {
    let mut places: BTreeMap<&str, &Place> = BTreeMap::new();
    for (row, utterance) in table.rows().iter().zip(utterances) {
        if let Some(first) = places.insert(&utterance.utterance_id, &row.place) {
            return Err(CorpusError::DuplicateRow {
                utterance_id: utterance.utterance_id.clone(),
                first: first.clone(),
                second: row.place.clone(),
            });
        }
    }
    Ok(())
}

fn manifest_fault(found: &str, expected: &str) -> CorpusError {
    CorpusError::Malformed {
        place: Place::file("manifest"),
        found: found.to_owned(),
        expected: expected.to_owned(),
    }
}

/// Where the columns are in the table.
struct Columns {
    file: Option<usize>,
    id: Option<usize>,
    speaker: Option<usize>,
    emotion: Option<usize>,
    session: Option<usize>,
    sentence: Option<usize>,
    sex: Option<usize>,
    start: Option<usize>,
    end: Option<usize>,
    votes: Option<usize>,
}

impl Columns {
    fn find(table: &Table, names: &CsvColumns) -> Result<Self, CorpusError> {
        let optional =
            |name: &Option<String>| name.as_ref().map(|name| table.column(name)).transpose();
        Ok(Self {
            file: optional(&names.file)?,
            id: optional(&names.id)?,
            speaker: optional(&names.speaker)?,
            emotion: optional(&names.emotion)?,
            session: optional(&names.session)?,
            sentence: optional(&names.sentence)?,
            sex: optional(&names.sex)?,
            start: optional(&names.start)?,
            end: optional(&names.end)?,
            votes: optional(&names.votes)?,
        })
    }

    fn utterance(&self, tree: &Tree<'_>, row: &Row) -> Result<Utterance, CorpusError> {
        let (path, (start_s, end_s)) = (self.path(row)?, self.cut(row)?);
        // Where there is a column of ids, every row has been checked to have one.
        let own = self.id.map_or(Ok(None), |column| row.name(column))?;
        let of_path = || path.map(|path| id(&nfc(path), start_s, end_s));
        let id = own.or_else(of_path).unwrap_or_default();
        let listed = path.map_or(id.as_str(), |path| tree.meant(path).unwrap_or(path));
        // Where there is a column of speakers, every row has been checked to name one.
        let speaker = self.speaker.map_or(Ok(None), |column| row.name(column))?.unwrap_or_default();
        let mut utterance = tree.utterance(&id, listed, &speaker, &row.place)?;
        (utterance.start_s, utterance.end_s) = (start_s, end_s);
        let word = self.emotion.map(|column| row.cell(column)).transpose()?;
        utterance.gold = word.map_or(Ok(None), |word| tree.label(word, &row.place))?;
        if let Some(session) = self.session.map_or(Ok(None), |column| row.name(column))? {
            utterance.session = session;
        }
        utterance.sentence = self.sentence.map_or(Ok(None), |column| row.name(column))?;
        utterance.sex = filled(row, self.sex)?.and_then(sex).or(utterance.sex);
        if let Some(cell) = filled(row, self.votes)? {
            utterance.votes = tree.votes(votes(row, cell)?, &row.place)?;
        }
        Ok(utterance)
    }

    /// The recording, where there are such.
    fn path<'r>(&self, row: &'r Row) -> Result<Option<&'r str>, CorpusError> {
        self.file.map(|column| relative(row, row.cell(column)?)).transpose()
    }

    /// Start and end of the cut, both `None` for a whole file: a start of 0 without an end too.
    fn cut(&self, row: &Row) -> Result<(Option<f64>, Option<f64>), CorpusError> {
        let start = filled(row, self.start)?.map(|cell| time(row, cell)).transpose()?;
        let end = filled(row, self.end)?.map(|cell| time(row, cell)).transpose()?;
        let from = start.unwrap_or(0.0);
        match end {
            Some(end) if end <= from => {
                let expected = format!("an end after the start at {from} s");
                Err(row.malformed(&end.to_string(), &expected))
            }
            None if from == 0.0 => Ok((None, None)),
            _ => Ok((start, end)),
        }
    }
}

/// The path without its extension; for a cut, its limits in milliseconds too.
fn id(path: &str, start_s: Option<f64>, end_s: Option<f64>) -> String {
    let name = path.rfind('/').map_or(0, |slash| slash + 1);
    let length = path[name..].rfind('.').map_or(path.len(), |dot| name + dot);
    let whole = &path[..length];
    let milliseconds = |seconds: f64| format!("{:.0}", seconds * 1000.0);
    if start_s.is_none() && end_s.is_none() {
        return whole.to_owned();
    }
    let end = end_s.map_or_else(|| "end".to_owned(), milliseconds);
    format!("{whole}_{}_{end}", milliseconds(start_s.unwrap_or(0.0)))
}

/// The cell of an optional column, unless it says that there is nothing.
fn filled(row: &Row, column: Option<usize>) -> Result<Option<&str>, CorpusError> {
    let cell = column.map(|column| row.cell(column)).transpose()?;
    Ok(cell.filter(|cell| is_filled(cell)))
}

/// A path below the root: an absolute path or one with `..` could leave it, and with it what is
/// hashed.
fn relative<'r>(row: &Row, cell: &'r str) -> Result<&'r str, CorpusError> {
    let path = cell.strip_prefix("./").unwrap_or(cell);
    let leaves = path.split('/').any(|part| matches!(part, "" | "." | ".."));
    if leaves { Err(row.malformed(cell, "a path relative to the corpus's root")) } else { Ok(path) }
}

fn time(row: &Row, cell: &str) -> Result<f64, CorpusError> {
    parse_seconds(cell)
        .ok_or_else(|| row.malformed(cell, "seconds, or a duration such as 0 days 00:00:01.5"))
}

/// `None` for any word but these two: corpora write `u`, `other` or `child` where they state none.
fn sex(cell: &str) -> Option<Sex> {
    match cell.to_ascii_lowercase().as_str() {
        "female" | "f" => Some(Sex::Female),
        "male" | "m" => Some(Sex::Male),
        _ => None,
    }
}

/// Codes and counts of `happy:3;neutral:1`.
fn votes<'r>(row: &Row, cell: &'r str) -> Result<Vec<(&'r str, u32)>, CorpusError> {
    let pair = |part: &'r str| {
        let (code, count) = part.rsplit_once(':')?;
        Some((code.trim(), whole(count.trim())?))
    };
    let parts = cell.split(';').map(str::trim).filter(|part| !part.is_empty());
    parts
        .map(|part| pair(part).ok_or_else(|| row.malformed(part, "a vote such as happy:3")))
        .collect()
}

/// A count as `3` or, from programs whose column has gaps, as `3.0`.
fn whole(count: &str) -> Option<u32> {
    let (digits, zeros) = count.split_once('.').unwrap_or((count, ""));
    zeros.bytes().all(|zero| zero == b'0').then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests;
