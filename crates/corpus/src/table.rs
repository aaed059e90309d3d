//! Tables of delimited text, read with file and line kept for messages.
//!
//! A table says who spoke and what people heard, so nothing in it is guessed at: a quote that would
//! swallow rows, a name in an unknown encoding, two columns of one name are errors that name the line.

mod check;

use std::borrow::Cow;

use crate::error::listed;
use crate::name::{identity, is_filled};
use crate::tree::Tree;
use crate::{CorpusError, Place};

/// How cells are divided.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Delimited {
    /// Between cells.
    pub(crate) delimiter: u8,
    /// Around a cell that holds the delimiter; `None` where quotes are characters like any other.
    pub(crate) quote: Option<u8>,
}

impl Delimited {
    /// CSV as most programs write it.
    pub(crate) const COMMA: Self = Self { delimiter: b',', quote: Some(b'"') };
}

/// A table with a header row.
#[derive(Debug)]
pub(crate) struct Table {
    file: String,
    header: Vec<String>,
    rows: Vec<Row>,
}

/// One row of a table.
#[derive(Debug)]
pub(crate) struct Row {
    /// Where it stands.
    pub(crate) place: Place,
    cells: csv::ByteRecord,
}

impl Row {
    /// The cell of a column that [`Table::column`] found, without blanks around it. Errors: bytes that
    /// are not UTF-8. Columns that nobody asks for, such as transcripts, may hold any.
    pub(crate) fn cell(&self, column: usize) -> Result<&str, CorpusError> {
        let bytes = self.cells.get(column).unwrap_or_default();
        str::from_utf8(bytes).map(str::trim).map_err(|_| CorpusError::NotText {
            place: self.place.clone(),
            latin_1: bytes.iter().copied().map(char::from).collect(),
        })
    }

    /// The cell as a name, by [`identity`]; `None` where it says that there is none.
    pub(crate) fn name(&self, column: usize) -> Result<Option<String>, CorpusError> {
        Ok(Some(identity(self.cell(column)?)).filter(|name| is_filled(name)))
    }

    /// Its line, counted from 1.
    pub(crate) fn line(&self) -> u64 {
        self.place.line.unwrap_or(0)
    }

    /// An error about a cell of this row.
    pub(crate) fn malformed(&self, found: &str, expected: &str) -> CorpusError {
        CorpusError::Malformed {
            place: self.place.clone(),
            found: found.to_owned(),
            expected: expected.to_owned(),
        }
    }
}

impl Table {
    /// Reads a table of the corpus.
    pub(crate) fn read(
        tree: &Tree<'_>,
        file: &str,
        format: Delimited,
    ) -> Result<Self, CorpusError> {
        Self::parse(file, &tree.bytes(file)?, format)
    }

    /// As [`Self::read`], from a file's content; `file` is for messages. Errors: another encoding than
    /// UTF-8, as far as it shows in the file as a whole; a quoted cell that does not end in its line;
    /// a row of another length than the header.
    pub(crate) fn parse(file: &str, bytes: &[u8], format: Delimited) -> Result<Self, CorpusError> {
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        check::check(file, bytes, format)?;
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(format.delimiter)
            .quoting(format.quote.is_some())
            .quote(format.quote.unwrap_or(b'"'))
            .from_reader(bytes);
        let fault = |source| CorpusError::Table { file: file.to_owned(), source };
        let header = reader.byte_headers().map_err(fault)?;
        let header = header.iter().map(String::from_utf8_lossy).map(Cow::into_owned).collect();
        let rows = reader.into_byte_records().map(|record| Ok(row(file, record.map_err(fault)?)));
        Ok(Self { file: file.to_owned(), header, rows: rows.collect::<Result<_, CorpusError>>()? })
    }

    /// Position of a column. Errors: there is none of that name, or more than one.
    pub(crate) fn column(&self, name: &str) -> Result<usize, CorpusError> {
        self.find(name)?.ok_or_else(|| CorpusError::MissingColumn {
            file: self.file.clone(),
            column: name.to_owned(),
            found: listed(self.headers().map(|name| format!("{name:?}"))),
        })
    }

    /// As [`Self::column`], where there may be none.
    pub(crate) fn find(&self, name: &str) -> Result<Option<usize>, CorpusError> {
        let wanted = identity(name);
        let mut found = (0..self.header.len()).filter(|&at| identity(&self.header[at]) == wanted);
        match (found.next(), found.next()) {
            (Some(first), Some(second)) => Err(CorpusError::DoubleColumn {
                file: self.file.clone(),
                column: name.to_owned(),
                positions: [first + 1, second + 1],
            }),
            (first, _) => Ok(first),
        }
    }

    /// The file's name, for messages.
    pub(crate) fn file(&self) -> &str {
        &self.file
    }

    /// The name of a column that was found.
    pub(crate) fn header(&self, column: usize) -> &str {
        self.header.get(column).map_or("", String::as_str)
    }

    /// The names of all columns.
    pub(crate) fn headers(&self) -> impl Iterator<Item = &str> {
        self.header.iter().map(String::as_str)
    }

    /// The rows in the file's order.
    pub(crate) fn rows(&self) -> &[Row] {
        &self.rows
    }
}

/// `csv` refuses rows of another length than the header, so every column is in every row.
fn row(file: &str, cells: csv::ByteRecord) -> Row {
    let line = cells.position().map_or(0, csv::Position::line);
    Row { place: Place::line(file, line), cells }
}

#[cfg(test)]
mod tests;
