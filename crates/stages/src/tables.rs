//! The Parquet tables of runs, and what their readers and writers share.

pub(crate) mod labels;
pub(crate) mod predictions;
pub(crate) mod truth;

use std::path::Path;

use fs_err as fs;
use polars::prelude::*;

use crate::StageError;

/// Reads the named columns of a Parquet file, in this order, each in one piece.
pub(crate) fn read(file: &Path, columns: &[String]) -> Result<DataFrame, StageError> {
    let reader = ParquetReader::new(fs::File::open(file)?.into_file());
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
