//! Any folder of audio with a table of labels, in the manner of audformat and nkululeko.
//!
//! One row is one utterance: a whole file, or a cut of it between start and end. Column names and
//! delimiter are the manifest's.

use ambivox_settings::{CsvColumns, Sex};

use super::Layout;
use crate::duration::parse_seconds;
use crate::error::listed;
use crate::table::{Row, Table};
use crate::tree::{Tree, stem};
use crate::{CorpusError, Place, Utterance};

/// The layout of a table beside sound files.
pub(super) struct Csv;

impl Layout for Csv {
    fn utterances(&self, tree: &Tree<'_>) -> Result<Vec<Utterance>, CorpusError> {
        let Some(layout) = &tree.manifest.csv else {
            return Err(manifest_fault("", "a [csv] table in the manifest"));
        };
        let &[delimiter] = layout.delimiter.as_bytes() else {
            return Err(manifest_fault(&layout.delimiter, "one ASCII character as csv.delimiter"));
        };
        if !tree.lists(&layout.table) {
            return Err(CorpusError::NotCovered {
                path: layout.table.clone(),
                patterns: listed(&tree.manifest.files),
            });
        }
        let table = Table::read(tree, &layout.table, delimiter)?;
        let columns = Columns::find(&table, &layout.columns)?;
        table.rows().iter().map(|row| columns.utterance(tree, row)).collect()
    }
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
    file: usize,
    speaker: usize,
    emotion: usize,
    session: Option<usize>,
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
            file: table.column(&names.file)?,
            speaker: table.column(&names.speaker)?,
            emotion: table.column(&names.emotion)?,
            session: optional(&names.session)?,
            sex: optional(&names.sex)?,
            start: optional(&names.start)?,
            end: optional(&names.end)?,
            votes: optional(&names.votes)?,
        })
    }

    fn utterance(&self, tree: &Tree<'_>, row: &Row) -> Result<Utterance, CorpusError> {
        let path = relative(row, row.cell(self.file))?;
        let (start_s, end_s) = self.cut(row)?;
        let id = match (start_s, end_s) {
            (None, None) => stem(path).to_owned(),
            (start, _) => format!("{}_{:.0}", stem(path), start.unwrap_or(0.0) * 1000.0),
        };
        let mut utterance = tree.utterance(&id, path, row.cell(self.speaker), &row.place)?;
        (utterance.start_s, utterance.end_s) = (start_s, end_s);
        utterance.gold = tree.label(row.cell(self.emotion), &row.place)?;
        if let Some(session) = filled(row, self.session) {
            session.clone_into(&mut utterance.session);
        }
        if let Some(cell) = filled(row, self.sex) {
            utterance.sex = Some(sex(row, cell)?);
        }
        if let Some(cell) = filled(row, self.votes) {
            utterance.votes = tree.votes(votes(row, cell)?, &row.place)?;
        }
        Ok(utterance)
    }

    /// Start and end of the cut, both `None` for a whole file: a start of 0 without an end too.
    fn cut(&self, row: &Row) -> Result<(Option<f64>, Option<f64>), CorpusError> {
        let start = filled(row, self.start).map(|cell| time(row, cell)).transpose()?;
        let end = filled(row, self.end).map(|cell| time(row, cell)).transpose()?;
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

/// The cell of an optional column, unless it says that there is nothing.
fn filled(row: &Row, column: Option<usize>) -> Option<&str> {
    column.map(|column| row.cell(column)).filter(|cell| !["", "NaT", "nan", "NaN"].contains(cell))
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

fn sex(row: &Row, cell: &str) -> Result<Sex, CorpusError> {
    match cell.to_ascii_lowercase().as_str() {
        "female" | "f" => Ok(Sex::Female),
        "male" | "m" => Ok(Sex::Male),
        _ => Err(row.malformed(cell, "female or male")),
    }
}

/// Codes and counts of `happy:3;neutral:1`.
fn votes<'r>(row: &Row, cell: &'r str) -> Result<Vec<(&'r str, u32)>, CorpusError> {
    let pair = |part: &'r str| {
        let (code, count) = part.rsplit_once(':')?;
        Some((code.trim(), count.trim().parse().ok()?))
    };
    let parts = cell.split(';').map(str::trim).filter(|part| !part.is_empty());
    parts
        .map(|part| pair(part).ok_or_else(|| row.malformed(part, "a vote such as happy:3")))
        .collect()
}

#[cfg(test)]
mod tests;
