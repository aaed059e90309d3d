//! Faults that many rows of a table have, each kind told once with all its rows.

use std::collections::BTreeMap;

use ambivox_settings::counted;

use super::{Columns, sex, votes};
use crate::CorpusError;
use crate::error::{listed, some_listed};
use crate::table::{Row, Table};
use crate::tree::{Tree, forgiven};

/// A table under examination.
pub(super) struct Faults<'a> {
    pub(super) tree: &'a Tree<'a>,
    pub(super) table: &'a Table,
    pub(super) columns: &'a Columns,
}

impl Faults<'_> {
    /// Errors: rows without an id or a speaker; words that the manifest's labels do not list; rows whose file is
    /// not there, while one is that is written a little differently.
    pub(super) fn check(&self) -> Result<(), CorpusError> {
        self.check_names("id", self.columns.id)?;
        self.check_names("speaker", self.columns.speaker)?;
        self.check_words()?;
        self.check_paths()
    }

    fn rows(&self) -> impl Iterator<Item = &Row> {
        self.table.rows().iter()
    }

    fn check_names(&self, what: &'static str, column: Option<usize>) -> Result<(), CorpusError> {
        let Some(column) = column else { return Ok(()) };
        let mut nameless = Vec::new();
        for row in self.rows() {
            if row.name(column)?.is_none() {
                nameless.push(format!("{} ({:?})", row.line(), row.cell(column)?));
            }
        }
        if nameless.is_empty() {
            return Ok(());
        }
        Err(CorpusError::NoName {
            what,
            file: self.table.file().to_owned(),
            column: self.table.header(column).to_owned(),
            count: nameless.len(),
            rows: some_listed(&nameless),
        })
    }

    fn check_words(&self) -> Result<(), CorpusError> {
        let mut unknown: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for row in self.rows() {
            for word in self.words(row)? {
                if self.tree.label(word, &row.place).is_err() {
                    unknown.entry(word.to_owned()).or_default().push(row.line());
                }
            }
        }
        if unknown.is_empty() {
            return Ok(());
        }
        let rows = |lines: &[u64]| counted(lines.len(), "time");
        let words = unknown
            .iter()
            .map(|(word, lines)| format!("{word:?} ({}, first in line {})", rows(lines), lines[0]));
        Err(CorpusError::UnknownWords {
            file: self.table.file().to_owned(),
            words: some_listed(&words.collect::<Vec<_>>()),
            known: listed(self.tree.manifest.labels.keys()),
        })
    }

    /// Words for emotions: the label, and what annotators voted for.
    fn words<'r>(&self, row: &'r Row) -> Result<Vec<&'r str>, CorpusError> {
        let label = self.columns.emotion.map(|column| row.cell(column)).transpose()?;
        let mut words: Vec<&str> = label.into_iter().collect();
        if let Some(cell) = super::filled(row, self.columns.votes)? {
            words.extend(votes(row, cell)?.into_iter().map(|(word, _)| word));
        }
        Ok(words)
    }

    fn check_paths(&self) -> Result<(), CorpusError> {
        let forgiving = self.tree.forgiving();
        let mut near = Vec::new();
        for row in self.rows() {
            let Some(path) = self.columns.path(row)? else { continue };
            let found = forgiving.get(&forgiven(path)).filter(|_| self.tree.meant(path).is_none());
            near.extend(found.map(|found| format!("{path} for {found} (line {})", row.line())));
        }
        if near.is_empty() {
            return Ok(());
        }
        Err(CorpusError::NearPath {
            file: self.table.file().to_owned(),
            count: near.len(),
            rows: some_listed(&near),
        })
    }

    /// A warning with the words for sexes that are neither female nor male.
    pub(super) fn sexes(&self) -> Result<Option<String>, CorpusError> {
        let Some(column) = self.columns.sex else { return Ok(None) };
        let mut words: BTreeMap<&str, usize> = BTreeMap::new();
        for row in self.rows() {
            let cell = row.cell(column)?;
            if sex(cell).is_none() {
                *words.entry(cell).or_default() += 1;
            }
        }
        let count = counted(words.values().sum(), "row");
        let counts = words.iter().map(|(word, rows)| format!("{word:?} {rows}"));
        let counts = some_listed(&counts.collect::<Vec<_>>());
        Ok((!words.is_empty()).then(|| {
            let file = self.table.file();
            format!(
                "{file}: neither female nor male in {count} ({counts}); their sex is not stated"
            )
        }))
    }
}
