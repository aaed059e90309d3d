//! `features.parquet`, written one row group at a time.

use std::fs::File;
use std::path::{Path, PathBuf};

use ambivox_corpus::version_metadata;
use fs_err as fs;
use polars::io::parquet::write::BatchedWriter;
use polars::prelude::{
    Column, DataFrame, DataType, Field, IntoColumn, NewChunkedArray, ParquetCompression,
    ParquetWriter, PolarsError, PolarsResult, Schema, StringChunked,
};

use crate::FeatureError;
use crate::columns::{FRAME, UTTERANCE};

/// One utterance's descriptors.
pub(crate) struct Frames {
    /// The utterance.
    pub(crate) utterance_id: String,
    /// Row-major frames × width.
    pub(crate) data: Vec<f32>,
}

/// An open feature table. Columns are compressed on the calling thread, so that a stage keeps to
/// its own number of threads.
pub(crate) struct TableWriter {
    file: PathBuf,
    columns: Vec<String>,
    parquet: BatchedWriter<File>,
}

impl TableWriter {
    /// Creates `file` for descriptors of these names.
    pub(crate) fn create(file: &Path, columns: &[String]) -> Result<Self, FeatureError> {
        let out = fs::File::create(file)?.into_file();
        let parquet = ParquetWriter::new(out)
            .with_compression(ParquetCompression::Zstd(None))
            .set_parallel(false)
            .with_key_value_metadata(version_metadata())
            .batched(&schema(columns))
            .map_err(|source| FeatureError::Parquet { file: file.to_path_buf(), source })?;
        Ok(Self { file: file.to_path_buf(), columns: columns.to_vec(), parquet })
    }

    /// Appends one row group: all frames of these utterances, in their order.
    pub(crate) fn write(&mut self, utterances: &[Frames]) -> Result<(), FeatureError> {
        row_group(&self.columns, utterances)
            .and_then(|frame| self.parquet.write_batch(&frame))
            .map_err(|source| self.fault(source))
    }

    /// Writes the file's footer.
    pub(crate) fn finish(self) -> Result<(), FeatureError> {
        self.parquet.finish().map(drop).map_err(|source| self.fault(source))
    }

    fn fault(&self, source: PolarsError) -> FeatureError {
        FeatureError::Parquet { file: self.file.clone(), source }
    }
}

fn schema(columns: &[String]) -> Schema {
    let keys = [(UTTERANCE, DataType::String), (FRAME, DataType::UInt32)];
    let keys = keys.into_iter().map(|(name, dtype)| Field::new(name.into(), dtype));
    let values = columns.iter().map(|name| Field::new(name.as_str().into(), DataType::Float32));
    keys.chain(values).collect()
}

/// The rows of one row group, from row-major utterances to columns.
fn row_group(columns: &[String], utterances: &[Frames]) -> PolarsResult<DataFrame> {
    let width = columns.len();
    let lengths = || utterances.iter().map(|u| u.data.len() / width);
    let ids = utterances.iter().zip(lengths());
    let ids = StringChunked::from_iter_values(
        UTTERANCE.into(),
        ids.flat_map(|(u, frames)| std::iter::repeat_n(u.utterance_id.as_str(), frames)),
    );
    let numbers: Vec<u32> = lengths().flat_map(|frames| 0..frames as u32).collect();
    let mut series = vec![ids.into_column(), Column::new(FRAME.into(), numbers)];
    series.extend(columns.iter().enumerate().map(|(at, name)| {
        let rows = utterances.iter().flat_map(|u| u.data.chunks_exact(width));
        let values: Vec<f32> = rows.map(|row| row[at]).collect();
        Column::new(name.as_str().into(), values)
    }));
    DataFrame::new_infer_height(series)
}
