//! `features.parquet` and `functionals.parquet`, written one row group at a time.

use std::path::{Path, PathBuf};

use ambivox_lld::Functionals;
use fs_err as fs;
use polars::prelude::{
    Column, DataFrame, DataType, Field, IntoColumn, NewChunkedArray, PolarsError, PolarsResult,
    Schema, StringChunked,
};

use crate::columns::{FRAME, UTTERANCE};
use crate::parquet::{ParquetFile, RowGroup};
use crate::{FeatureError, Outputs};

/// One utterance's values.
pub(crate) struct Described {
    /// The utterance.
    pub(crate) utterance_id: String,
    /// Row-major frames × width.
    pub(crate) frames: Vec<f32>,
    /// Its functionals, where asked for.
    pub(crate) functionals: Option<Vec<f32>>,
}

/// The open tables of an extraction.
pub(crate) struct Tables {
    features: TableWriter,
    functionals: Option<TableWriter>,
}

impl Tables {
    /// Creates the files for descriptors of these names.
    pub(crate) fn create(
        outputs: &Outputs,
        columns: &[String],
        functionals: Option<&Functionals>,
    ) -> Result<Self, FeatureError> {
        let keys = [(UTTERANCE, DataType::String), (FRAME, DataType::UInt32)];
        let features = TableWriter::create(&outputs.features, &keys, columns)?;
        let functionals = outputs.functionals.as_ref().zip(functionals);
        let functionals = functionals.map(|(file, functionals)| {
            TableWriter::create(file, &keys[..1], functionals.columns())
        });
        Ok(Self { features, functionals: functionals.transpose()? })
    }

    /// The rows of these utterances, in their order, as a row group of each table.
    pub(crate) fn encode(&self, utterances: &[Described]) -> Result<Encoded, FeatureError> {
        let features = self.features.encode(frame_rows(&self.features.columns, utterances))?;
        let functionals = self.functionals.as_ref();
        let functionals =
            functionals.map(|table| table.encode(utterance_rows(&table.columns, utterances)));
        Ok(Encoded { features, functionals: functionals.transpose()? })
    }

    /// Appends a row group to each table.
    pub(crate) fn write(&self, rows: &Encoded) -> Result<(), FeatureError> {
        self.features.write(&rows.features)?;
        match self.functionals.as_ref().zip(rows.functionals.as_ref()) {
            Some((table, rows)) => table.write(rows),
            None => Ok(()),
        }
    }

    /// Writes the files' footers.
    pub(crate) fn finish(self) -> Result<(), FeatureError> {
        self.features.finish()?;
        self.functionals.map_or(Ok(()), TableWriter::finish)
    }
}

/// A row group of each table, or none where there is no row.
pub(crate) struct Encoded {
    features: Vec<RowGroup>,
    functionals: Option<Vec<RowGroup>>,
}

/// An open table.
struct TableWriter {
    file: PathBuf,
    columns: Vec<String>,
    parquet: ParquetFile,
}

impl TableWriter {
    /// Creates `file` for these key columns and, below these names, values.
    fn create(
        file: &Path,
        keys: &[(&str, DataType)],
        columns: &[String],
    ) -> Result<Self, FeatureError> {
        let out = fs::File::create(file)?.into_file();
        let parquet = ParquetFile::create(out, &schema(keys, columns))
            .map_err(|source| FeatureError::Parquet { file: file.to_path_buf(), source })?;
        Ok(Self { file: file.to_path_buf(), columns: columns.to_vec(), parquet })
    }

    fn encode(&self, rows: PolarsResult<DataFrame>) -> Result<Vec<RowGroup>, FeatureError> {
        rows.and_then(|rows| self.parquet.encode(&rows)).map_err(|source| self.fault(source))
    }

    fn write(&self, rows: &[RowGroup]) -> Result<(), FeatureError> {
        self.parquet.append(rows).map_err(|source| self.fault(source))
    }

    fn finish(self) -> Result<(), FeatureError> {
        let Self { file, parquet, .. } = self;
        parquet.finish().map_err(|source| FeatureError::Parquet { file, source })
    }

    fn fault(&self, source: PolarsError) -> FeatureError {
        FeatureError::Parquet { file: self.file.clone(), source }
    }
}

fn schema(keys: &[(&str, DataType)], columns: &[String]) -> Schema {
    let keys = keys.iter().map(|(name, dtype)| Field::new((*name).into(), dtype.clone()));
    let values = columns.iter().map(|name| Field::new(name.as_str().into(), DataType::Float32));
    keys.chain(values).collect()
}

/// A row per frame.
fn frame_rows(columns: &[String], utterances: &[Described]) -> PolarsResult<DataFrame> {
    let width = columns.len();
    let lengths = || utterances.iter().map(|u| u.frames.len() / width);
    let ids = utterances.iter().zip(lengths());
    let ids = StringChunked::from_iter_values(
        UTTERANCE.into(),
        ids.flat_map(|(u, frames)| std::iter::repeat_n(u.utterance_id.as_str(), frames)),
    );
    let numbers: Vec<u32> = lengths().flat_map(|frames| 0..frames as u32).collect();
    let keys = vec![ids.into_column(), Column::new(FRAME.into(), numbers)];
    let rows = || utterances.iter().flat_map(|u| u.frames.chunks_exact(width));
    DataFrame::new_infer_height(with_values(keys, columns, rows))
}

/// A row per utterance.
fn utterance_rows(columns: &[String], utterances: &[Described]) -> PolarsResult<DataFrame> {
    let ids = utterances.iter().map(|u| u.utterance_id.as_str());
    let ids = StringChunked::from_iter_values(UTTERANCE.into(), ids);
    let rows = || utterances.iter().filter_map(|u| u.functionals.as_deref());
    DataFrame::new_infer_height(with_values(vec![ids.into_column()], columns, rows))
}

/// The key columns and, from rows, those of the values.
fn with_values<'a, I: Iterator<Item = &'a [f32]>>(
    mut keys: Vec<Column>,
    columns: &[String],
    rows: impl Fn() -> I,
) -> Vec<Column> {
    keys.extend(columns.iter().enumerate().map(|(at, name)| {
        let values: Vec<f32> = rows().map(|row| row[at]).collect();
        Column::new(name.as_str().into(), values)
    }));
    keys
}
