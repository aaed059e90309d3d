//! What a table must not be: faults that a reader of delimited text passes over without a word.

use super::Delimited;
use crate::{CorpusError, Place};

/// Where a byte stands in the cell it belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    /// Before the first byte of a cell.
    Start,
    /// In a cell without quotes, in which a quote is a character like any other.
    Plain,
    Quoted,
    /// After a quote inside a quoted cell: its end, or the first of two that stand for one.
    Quote,
    /// In blanks after the end of a quoted cell.
    Blank,
}

/// Refuses what is no table of UTF-8 text, and quotes that do not enclose a cell of one line.
pub(super) fn check(file: &str, bytes: &[u8], format: Delimited) -> Result<(), CorpusError> {
    if let Some(encoding) = other_encoding(bytes) {
        return Err(CorpusError::Encoding { file: file.to_owned(), encoding });
    }
    if bytes.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"sep=")) {
        return Err(CorpusError::SeparatorLine { file: file.to_owned() });
    }
    match format.quote.and_then(|quote| quoting_fault(bytes, format.delimiter, quote)) {
        None => Ok(()),
        Some((line, fault)) => Err(CorpusError::Quoting { place: Place::line(file, line), fault }),
    }
}

/// The encoding that byte order marks or zero bytes speak of, as spreadsheets export it.
fn other_encoding(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => Some("UTF-16"),
        _ if bytes.contains(&0) => Some("UTF-16, or binary data"),
        _ => None,
    }
}

/// The first line with a quote that does not close in it, or with text after one that does.
fn quoting_fault(bytes: &[u8], delimiter: u8, quote: u8) -> Option<(u64, &'static str)> {
    let mut line = 1;
    let mut at = At::Start;
    for &byte in bytes.iter().chain(b"\n") {
        at = match (at, byte) {
            (At::Quoted, b'\n' | b'\r') => return Some((line, "a quoted cell has no end")),
            (_, b'\n' | b'\r') => At::Start,
            (At::Quoted, _) if byte == quote => At::Quote,
            (At::Quoted, _) => At::Quoted,
            (_, _) if byte == delimiter => At::Start,
            (At::Start | At::Quote, _) if byte == quote => At::Quoted,
            (At::Quote | At::Blank, b' ' | b'\t') => At::Blank,
            (At::Quote | At::Blank, _) => return Some((line, "text follows a quoted cell")),
            (At::Start | At::Plain, _) => At::Plain,
        };
        line += u64::from(byte == b'\n');
    }
    None
}
