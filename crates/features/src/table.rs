//! `features.parquet` or `vectors.parquet` made into rows that models read.

use std::borrow::Cow;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use ambivox_corpus::check_version;
use ambivox_frontends::Precision;
use fs_err as fs;
use polars::prelude::*;

use crate::FeatureError;
use crate::columns::{FRAME, UTTERANCE, dtype};
use crate::room::check_room;
use crate::rows::RowWriter;

/// Writes the rows of a `features.parquet` to `out`, for [`FeatureTable::open`](crate::FeatureTable::open), in
/// the precision that the table has.
///
/// # Errors
/// A file cannot be read or written, the disk has no room for it, or the table has another form.
pub fn map_frames(table: &Path, out: &Path) -> Result<(), FeatureError> {
    map(table, &FRAME_KEYS, out)
}

/// As [`map_frames`], of a `vectors.parquet`.
///
/// # Errors
/// As of [`map_frames`].
pub fn map_vectors(table: &Path, out: &Path) -> Result<(), FeatureError> {
    map(table, &FRAME_KEYS[..1], out)
}

fn map(path: &Path, keys: &[Key], out: &Path) -> Result<(), FeatureError> {
    let parquet = |source| FeatureError::Parquet { file: path.to_path_buf(), source };
    let mut reader = ParquetReader::new(fs::File::open(path)?.into_file());
    check_version(&mut reader).map_err(parquet)?;
    let schema = reader.schema().map_err(parquet)?;
    let metadata = reader.get_metadata().map_err(parquet)?.clone();
    let (columns, precision) = descriptor_columns(path, &schema, keys)?;
    check_room(Some((metadata.num_rows * columns.len() * precision.bytes()) as u64), Some(out))?;
    let mut writer = RowWriter::create(out, columns.clone(), precision)?;
    let mut start = 0;
    // One row group after the other, so that memory does not grow with the table.
    for group in &metadata.row_groups {
        let height = group.num_rows();
        let mut reader = ParquetReader::new(fs::File::open(path)?.into_file());
        reader.set_metadata(Arc::clone(&metadata));
        let group = reader
            .read_parallel(ParallelStrategy::None)
            .set_rechunk(true)
            .with_slice(Some((start, height)))
            .finish()
            .map_err(parquet)?;
        let group = Group::new(path, &group, keys, &columns)?;
        for (utterance_id, rows) in group.utterances()? {
            writer.push(utterance_id, &group.rows(rows))?;
        }
        start += height;
    }
    writer.finish()
}

/// A key column's name and type.
type Key = (&'static str, DataType);

/// Key columns of a table of frames; one of vectors has the first alone.
const FRAME_KEYS: [Key; 2] = [(UTTERANCE, DataType::String), (FRAME, DataType::UInt32)];

/// One row group's columns.
struct Group<'a> {
    path: &'a Path,
    ids: &'a StringChunked,
    /// None where every row is an utterance.
    frames: Option<&'a [u32]>,
    values: Vec<Cow<'a, [f32]>>,
}

impl<'a> Group<'a> {
    fn new(
        path: &'a Path,
        group: &'a DataFrame,
        keys: &[Key],
        columns: &[String],
    ) -> Result<Self, FeatureError> {
        let column = |name: &str| {
            let found = group.column(name).map(Column::as_materialized_series);
            found.map_err(|e| schema_fault(path, name, e.to_string()))
        };
        let fault = |name: &str| {
            let name = name.to_owned();
            move |e: PolarsError| schema_fault(path, &name, e.to_string())
        };
        let value = |name: &String| widened(column(name)?).map_err(fault(name));
        let frames =
            || column(FRAME)?.u32().and_then(|numbers| numbers.cont_slice()).map_err(fault(FRAME));
        let of_frames = keys.iter().any(|(name, _)| *name == FRAME);
        Ok(Self {
            path,
            ids: column(UTTERANCE)?.str().map_err(fault(UTTERANCE))?,
            frames: of_frames.then(frames).transpose()?,
            values: columns.iter().map(value).collect::<Result<_, _>>()?,
        })
    }

    /// The runs of rows with one id, each with its rows; without frames every row by itself.
    fn utterances(&self) -> Result<Vec<(&'a str, Range<usize>)>, FeatureError> {
        let mut runs: Vec<(&str, Range<usize>)> = Vec::new();
        for (row, id) in self.ids.iter().enumerate() {
            let id = id.ok_or_else(|| {
                schema_fault(self.path, UTTERANCE, format!("row {row} of a row group is null"))
            })?;
            match runs.last_mut() {
                Some((last, rows)) if self.frames.is_some() && *last == id => rows.end = row + 1,
                _ => runs.push((id, row..row + 1)),
            }
            if let Some(frames) = self.frames {
                self.check_frame(&runs, frames[row])?;
            }
        }
        Ok(runs)
    }

    fn check_frame(&self, runs: &[(&str, Range<usize>)], frame: u32) -> Result<(), FeatureError> {
        match runs.last() {
            Some((id, rows)) if rows.len() != frame as usize + 1 => Err(schema_fault(
                self.path,
                FRAME,
                format!("expected frame {} of {id} and found {frame}", rows.len() - 1),
            )),
            _ => Ok(()),
        }
    }

    /// Row-major values of these rows.
    fn rows(&self, rows: Range<usize>) -> Vec<f32> {
        rows.flat_map(|row| self.values.iter().map(move |column| column[row])).collect()
    }
}

/// The values of a column in 32 bits.
///
/// polars' reader asserts that no column is of 16 bits, though it reads them well; the profiles of the workspace
/// have the assertions of dependencies off.
fn widened(column: &Series) -> PolarsResult<Cow<'_, [f32]>> {
    match column.try_f16() {
        Some(halves) => Ok(halves.cont_slice()?.iter().map(|half| half.0.to_f32()).collect()),
        None => Ok(Cow::Borrowed(column.f32()?.cont_slice()?)),
    }
}

/// Checks the schema and returns the names of the descriptors, and what their values are kept in.
fn descriptor_columns(
    path: &Path,
    schema: &ArrowSchema,
    keys: &[Key],
) -> Result<(Vec<String>, Precision), FeatureError> {
    let found = Schema::from_arrow_schema(schema);
    for (at, (name, expected)) in keys.iter().enumerate() {
        match found.get_at_index(at) {
            Some((column, dtype)) if column == name && dtype == expected => {}
            other => {
                let message =
                    format!("expected as column {at} of type {expected}, found {other:?}");
                return Err(schema_fault(path, name, message));
            }
        }
    }
    let first = found.get_at_index(keys.len()).map(|(_, dtype)| dtype);
    let halves = first == Some(&DataType::Float16);
    let precision = if halves { Precision::F16 } else { Precision::F32 };
    let names = found.iter().skip(keys.len());
    let names = names.map(|(name, found)| descriptor(path, name, found, &dtype(precision)));
    Ok((names.collect::<Result<_, _>>()?, precision))
}

fn descriptor(
    path: &Path,
    name: &str,
    found: &DataType,
    expected: &DataType,
) -> Result<String, FeatureError> {
    if found == expected {
        return Ok(name.to_owned());
    }
    Err(schema_fault(path, name, format!("expected type {expected}, found {found}")))
}

fn schema_fault(path: &Path, column: &str, message: String) -> FeatureError {
    FeatureError::Schema { file: path.to_path_buf(), column: column.to_owned(), message }
}

#[cfg(test)]
mod tests;
