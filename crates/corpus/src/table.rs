//! Tables of delimited text, read with file and line kept for messages.

use crate::error::listed;
use crate::tree::Tree;
use crate::{CorpusError, Place};

/// A table with a header row, all cells as text.
pub(crate) struct Table {
    file: String,
    header: Vec<String>,
    rows: Vec<Row>,
}

/// One row of a table.
pub(crate) struct Row {
    /// Where it stands.
    pub(crate) place: Place,
    cells: Vec<String>,
}

impl Row {
    /// The cell of a column that [`Table::column`] found.
    pub(crate) fn cell(&self, column: usize) -> &str {
        self.cells[column].trim()
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
    /// Reads a table of the corpus. Bytes that are not UTF-8 are replaced: they occur in columns
    /// nobody asks for, such as transcripts.
    pub(crate) fn read(tree: &Tree<'_>, file: &str, delimiter: u8) -> Result<Self, CorpusError> {
        Self::parse(file, &tree.bytes(file)?, delimiter)
    }

    /// As [`Self::read`], from a file's content; `file` is for messages.
    pub(crate) fn parse(file: &str, bytes: &[u8], delimiter: u8) -> Result<Self, CorpusError> {
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(bytes);
        let fault = |source| CorpusError::Table { file: file.to_owned(), source };
        let header = texts(reader.byte_headers().map_err(fault)?);
        let rows = reader.byte_records().map(|record| Ok(row(file, &record.map_err(fault)?)));
        Ok(Self { file: file.to_owned(), header, rows: rows.collect::<Result<_, CorpusError>>()? })
    }

    /// Position of a column.
    pub(crate) fn column(&self, name: &str) -> Result<usize, CorpusError> {
        self.header.iter().position(|header| header.trim() == name).ok_or_else(|| {
            CorpusError::MissingColumn {
                file: self.file.clone(),
                column: name.to_owned(),
                found: listed(self.header.iter().map(|name| format!("{name:?}"))),
            }
        })
    }

    /// The rows in the file's order.
    pub(crate) fn rows(&self) -> &[Row] {
        &self.rows
    }
}

/// `csv` refuses rows of another length than the header, so every column is in every row.
fn row(file: &str, record: &csv::ByteRecord) -> Row {
    let line = record.position().map_or(0, csv::Position::line);
    Row { place: Place::line(file, line), cells: texts(record) }
}

fn texts(record: &csv::ByteRecord) -> Vec<String> {
    record.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect()
}
