//! The Parquet tables of runs, and what their readers and writers share.

pub(crate) mod audit;
pub(crate) mod labels;
pub(crate) mod noise;
pub(crate) mod predictions;
pub(crate) mod results;
pub(crate) mod truth;

use std::fs::File;
use std::path::Path;

use ambivox_corpus::{check_version, version_metadata};
use fs_err as fs;
use polars::prelude::*;

use crate::StageError;

/// Reads the named columns of a Parquet file, in this order, each in one piece.
pub(crate) fn read(file: &Path, columns: &[String]) -> Result<DataFrame, StageError> {
    select(open(file)?, file, columns)
}

/// Opens a table that [`write`] or another stage has written, and checks its version.
fn open(file: &Path) -> Result<ParquetReader<File>, StageError> {
    let mut reader = ParquetReader::new(fs::File::open(file)?.into_file());
    check_version(&mut reader).map_err(StageError::parquet(file))?;
    Ok(reader)
}

fn select(
    reader: ParquetReader<File>,
    file: &Path,
    columns: &[String],
) -> Result<DataFrame, StageError> {
    reader
        .with_columns(Some(columns.to_vec()))
        .set_rechunk(true)
        .finish()
        .and_then(|frame| frame.select(columns.iter().map(String::as_str)))
        .map_err(StageError::parquet(file))
}

/// The rows at these places of one column of a Parquet file.
pub(crate) fn take(file: &Path, column: &str, rows: &[usize]) -> Result<Column, StageError> {
    let table = read(file, &[column.to_owned()])?;
    let rows: Vec<IdxSize> = rows.iter().map(|&row| row as IdxSize).collect();
    let taken = table.column(column).and_then(|values| values.take_slice(&rows));
    taken.map_err(StageError::parquet(file))
}

/// Writes a table, compressed by zstd.
pub(crate) fn write(file: &Path, table: &mut DataFrame) -> Result<(), StageError> {
    let out = fs::File::create(file)?.into_file();
    ParquetWriter::new(out)
        .with_compression(ParquetCompression::Zstd(None))
        .set_parallel(false)
        .with_key_value_metadata(version_metadata())
        .finish(table)
        .map(drop)
        .map_err(StageError::parquet(file))
}

/// One f32 column per class, named `<prefix>_<class>`, from a value per class of every row.
pub(crate) fn class_columns(prefix: &str, classes: &[String], rows: &[&[f64]]) -> Vec<Column> {
    let column = |(at, class): (usize, &String)| {
        let values: Vec<f32> = rows.iter().map(|row| row[at] as f32).collect();
        Column::new(class_column(prefix, class).into(), values)
    };
    classes.iter().enumerate().map(column).collect()
}

/// Name of a class's column.
pub(crate) fn class_column(prefix: &str, class: &str) -> String {
    format!("{prefix}_{class}")
}

/// The rows of the class columns that [`class_columns`] writes.
pub(crate) fn class_rows(
    prefix: &str,
    classes: &[String],
    table: &DataFrame,
) -> PolarsResult<Vec<Vec<f32>>> {
    let columns = classes
        .iter()
        .map(|class| table.column(&class_column(prefix, class))?.f32()?.cont_slice())
        .collect::<PolarsResult<Vec<_>>>()?;
    Ok((0..table.height()).map(|row| columns.iter().map(|column| column[row]).collect()).collect())
}

/// Indices of the classes that a column of names holds.
pub(crate) fn class_indices(
    file: &Path,
    classes: &[String],
    names: &Column,
) -> Result<Vec<usize>, StageError> {
    let index = |name: Option<&str>| {
        let found = classes.iter().position(|class| Some(class.as_str()) == name);
        found.ok_or_else(|| {
            let (file, column) = (file.display(), names.name());
            StageError::Data(format!(
                "{file}: column {column} holds {name:?}, which is none of the classes {classes:?}"
            ))
        })
    };
    names.str().map_err(StageError::parquet(file))?.iter().map(index).collect()
}

/// Writes a table for a spreadsheet; the cells are guarded by who makes them.
pub(crate) fn write_csv<R, C>(
    file: &Path,
    head: R,
    rows: impl IntoIterator<Item = Vec<String>>,
) -> Result<(), StageError>
where
    R: IntoIterator<Item = C>,
    C: AsRef<[u8]>,
{
    let mut csv = csv::Writer::from_writer(Vec::new());
    let fault = |error: csv::Error| StageError::Io(error.into());
    csv.write_record(head).map_err(fault)?;
    for row in rows {
        csv.write_record(row).map_err(fault)?;
    }
    let bytes = csv.into_inner().map_err(|error| StageError::Io(error.into_error()))?;
    Ok(fs_err::write(file, bytes)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_of_another_version_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("labels.parquet");
        let mut table = DataFrame::new(1, vec![Column::new("gold".into(), ["joy"])]).unwrap();
        write(&file, &mut table).unwrap();
        assert_eq!(read(&file, &["gold".to_owned()]).unwrap(), table);
        assert_eq!(labels::read(&file).unwrap(), table);

        ParquetWriter::new(fs::File::create(&file).unwrap()).finish(&mut table).unwrap();
        for error in [read(&file, &["gold".to_owned()]), labels::read(&file)] {
            let text = error.unwrap_err().to_string();
            assert!(text.contains("labels.parquet: the metadata say nothing"), "{text}");
            assert!(text.contains("hint: "), "{text}");
        }
    }
}
