//! `features.parquet` or `vectors.parquet` in memory: rows by utterance.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use ambivox_corpus::check_version;
use ambivox_frontends::of_layer;
use fs_err as fs;
use polars::prelude::*;

use crate::FeatureError;
use crate::columns::{FRAME, UTTERANCE};
use crate::extract::{GROUP_UTTERANCES, Outputs};
use crate::writer::{Columns, Described, Tables};

/// The frames of some utterances, row-major frames × [`FeatureTable::width`]; or their vectors, one row
/// each.
#[derive(Debug)]
pub struct FeatureTable {
    columns: Vec<String>,
    values: Vec<f32>,
    /// Rows of each utterance.
    rows: BTreeMap<String, Range<usize>>,
}

impl FeatureTable {
    /// A table of these columns, and of rows by utterance.
    pub fn of(columns: Vec<String>, rows: impl IntoIterator<Item = (String, Vec<f32>)>) -> Self {
        let mut table = Self { columns, values: Vec::new(), rows: BTreeMap::new() };
        for (id, values) in rows {
            let start = table.values.len() / table.width();
            table.values.extend(values);
            table.rows.insert(id, start..table.values.len() / table.width());
        }
        table
    }

    /// Reads the `wanted` utterances, or all. An utterance that the file does not hold is no fault
    /// here; [`FeatureTable::get`] tells.
    pub fn read(path: &Path, wanted: Option<&BTreeSet<String>>) -> Result<Self, FeatureError> {
        Self::read_keyed(path, &FRAME_KEYS, wanted)
    }

    /// As [`FeatureTable::read`], of a `vectors.parquet`.
    pub fn read_vectors(
        path: &Path,
        wanted: Option<&BTreeSet<String>>,
    ) -> Result<Self, FeatureError> {
        Self::read_keyed(path, &FRAME_KEYS[..1], wanted)
    }

    fn read_keyed(
        path: &Path,
        keys: &[Key],
        wanted: Option<&BTreeSet<String>>,
    ) -> Result<Self, FeatureError> {
        let parquet = |source| FeatureError::Parquet { file: path.to_path_buf(), source };
        let mut reader = ParquetReader::new(fs::File::open(path)?.into_file());
        check_version(&mut reader).map_err(parquet)?;
        let schema = reader.schema().map_err(parquet)?;
        let metadata = reader.get_metadata().map_err(parquet)?.clone();
        let mut table = Self {
            columns: descriptor_columns(path, &schema, keys)?,
            values: Vec::new(),
            rows: BTreeMap::new(),
        };
        // One row group after the other: the whole file as columns beside the rows made of them
        // would double the memory needed.
        let mut start = 0;
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
            table.append(path, &group, keys, wanted)?;
            start += height;
        }
        Ok(table)
    }

    /// The utterance's descriptors, row-major frames × [`FeatureTable::width`].
    pub fn get(&self, utterance_id: &str) -> Option<&[f32]> {
        let rows = self.rows.get(utterance_id)?;
        Some(&self.values[rows.start * self.width()..rows.end * self.width()])
    }

    /// The same, to change.
    pub fn get_mut(&mut self, utterance_id: &str) -> Option<&mut [f32]> {
        let (rows, width) = (self.rows.get(utterance_id)?, self.width());
        Some(&mut self.values[rows.start * width..rows.end * width])
    }

    /// Writes a `features.parquet`, sorted by utterance.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), FeatureError> {
        self.write_as(path, true)
    }

    /// Writes a `vectors.parquet`, sorted by utterance.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_vectors(&self, path: &Path) -> Result<(), FeatureError> {
        self.write_as(path, false)
    }

    fn write_as(&self, path: &Path, frames: bool) -> Result<(), FeatureError> {
        let file = Some(path.to_path_buf());
        let (features, vectors) = if frames { (file, None) } else { (None, file) };
        let columns = Columns {
            frame: frames.then_some(&self.columns),
            vector: (!frames).then_some(&self.columns),
        };
        let tables = Tables::create(&Outputs { features, vectors, pieces: None }, columns)?;
        let ids: Vec<&String> = self.rows.keys().collect();
        for group in ids.chunks(GROUP_UTTERANCES) {
            let described = |id: &&String| {
                let values = self.get(id).unwrap_or_default().to_vec();
                let (frames, vector) =
                    if frames { (values, None) } else { (Vec::new(), Some(values)) };
                Described { utterance_id: (*id).clone(), frames, vector, warnings: Vec::new() }
            };
            let described: Vec<Described> = group.iter().map(described).collect();
            tables.write(&tables.encode(&described)?)?;
        }
        tables.finish()
    }

    /// Names of the descriptors, in the feature set's order.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The tables of the layers that it has, from the lowest; itself where there is but one.
    pub fn layers(self) -> Vec<Self> {
        let mut layers = Vec::new();
        loop {
            let prefix = of_layer(layers.len());
            let columns = self.columns.iter().enumerate();
            let own = columns.filter(|(_, name)| name.starts_with(&prefix)).map(|(at, _)| at);
            let own: Vec<usize> = own.collect();
            if own.is_empty() {
                break;
            }
            layers.push(self.part(&own));
        }
        if layers.is_empty() { vec![self] } else { layers }
    }

    /// These columns of it.
    fn part(&self, columns: &[usize]) -> Self {
        let rows = self.values.chunks_exact(self.width());
        Self {
            columns: columns.iter().map(|&at| self.columns[at].clone()).collect(),
            values: rows.flat_map(|row| columns.iter().map(|&at| row[at])).collect(),
            rows: self.rows.clone(),
        }
    }

    /// Descriptors per frame.
    pub fn width(&self) -> usize {
        self.columns.len()
    }

    fn append(
        &mut self,
        path: &Path,
        group: &DataFrame,
        keys: &[Key],
        wanted: Option<&BTreeSet<String>>,
    ) -> Result<(), FeatureError> {
        let group = Group::new(path, group, keys, &self.columns)?;
        for (utterance_id, rows) in group.utterances()? {
            if wanted.is_none_or(|wanted| wanted.contains(utterance_id)) {
                self.add(path, utterance_id, rows.len())?;
                group.copy_rows(rows, &mut self.values);
            }
        }
        Ok(())
    }

    fn add(&mut self, path: &Path, utterance_id: &str, frames: usize) -> Result<(), FeatureError> {
        let start = self.values.len() / self.width();
        let before = self.rows.insert(utterance_id.to_owned(), start..start + frames);
        match before {
            None => Ok(()),
            Some(_) => Err(schema_fault(
                path,
                UTTERANCE,
                format!("the rows of {utterance_id} do not follow one another"),
            )),
        }
    }
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
    values: Vec<&'a [f32]>,
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
        let value = |name: &String| -> Result<&'a [f32], FeatureError> {
            column(name)?.f32().and_then(|values| values.cont_slice()).map_err(fault(name))
        };
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

    fn copy_rows(&self, rows: Range<usize>, into: &mut Vec<f32>) {
        into.reserve(rows.len() * self.values.len());
        for row in rows {
            into.extend(self.values.iter().map(|column| column[row]));
        }
    }
}

/// Checks the schema and returns the names of the descriptors.
fn descriptor_columns(
    path: &Path,
    schema: &ArrowSchema,
    keys: &[Key],
) -> Result<Vec<String>, FeatureError> {
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
    found.iter().skip(keys.len()).map(|(name, dtype)| descriptor(path, name, dtype)).collect()
}

fn descriptor(path: &Path, name: &str, dtype: &DataType) -> Result<String, FeatureError> {
    if *dtype == DataType::Float32 {
        return Ok(name.to_owned());
    }
    Err(schema_fault(path, name, format!("expected type f32, found {dtype}")))
}

fn schema_fault(path: &Path, column: &str, message: String) -> FeatureError {
    FeatureError::Schema { file: path.to_path_buf(), column: column.to_owned(), message }
}

#[cfg(test)]
mod tests;
