//! A Parquet file whose row groups are encoded and compressed on any number of threads at once.
//!
//! polars compresses a page when it is written, so that threads would wait for one another's
//! compression; here only the bytes are appended in turn.

use std::fs::File;
use std::sync::{Mutex, PoisonError};

use ambivox_corpus::version_metadata;
use polars::io::parquet::write::BatchedWriter;
use polars::prelude::{
    ArrowDataType, ArrowField, CompatLevel, DataFrame, ParquetCompression, ParquetWriter,
    PolarsError, PolarsResult, Schema, SchemaExt, StatisticsOptions,
};
use polars_parquet::write::{
    CompressedPage, CompressionOptions, Encoding, Page, ParquetType, Version, WriteOptions,
    array_to_columns, compress, get_dtype_encoding, to_parquet_type,
};

const COMPRESSION: CompressionOptions = CompressionOptions::Zstd(None);

/// An open file.
pub(crate) struct ParquetFile {
    writer: Mutex<BatchedWriter<File>>,
    columns: Vec<(ParquetType, Vec<Encoding>)>,
}

/// A row group that is ready to be appended: the pages of each column.
pub(crate) struct RowGroup {
    rows: u64,
    columns: Vec<Vec<CompressedPage>>,
}

impl ParquetFile {
    /// Starts a file of these columns.
    pub(crate) fn create(out: File, schema: &Schema) -> PolarsResult<Self> {
        let writer = ParquetWriter::new(out)
            .with_compression(ParquetCompression::Zstd(None))
            .with_key_value_metadata(version_metadata())
            .batched(schema)?;
        let fields = schema.to_arrow(CompatLevel::newest());
        let column = |field: &ArrowField| Ok((to_parquet_type(field)?, encodings(field)));
        let columns = fields.iter_values().map(column).collect::<PolarsResult<_>>()?;
        Ok(Self { writer: Mutex::new(writer), columns })
    }

    /// Encodes and compresses rows, none or more, in the calling thread alone, so that a stage keeps
    /// to its number of threads.
    pub(crate) fn encode(&self, rows: &DataFrame) -> PolarsResult<Vec<RowGroup>> {
        let chunks = rows.iter_chunks(CompatLevel::newest(), false);
        let full = chunks.filter(|chunk| !chunk.is_empty());
        full.map(|chunk| {
            let columns = chunk.columns().iter().zip(&self.columns);
            let pages = columns.map(|(values, (kind, encodings))| {
                let leaves = array_to_columns(values, kind.clone(), OPTIONS, encodings)?;
                leaves.into_iter().flatten().map(compressed).collect()
            });
            Ok(RowGroup { rows: chunk.len() as u64, columns: pages.collect::<PolarsResult<_>>()? })
        })
        .collect()
    }

    /// Appends row groups.
    pub(crate) fn append(&self, groups: &[RowGroup]) -> PolarsResult<()> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        groups.iter().try_for_each(|group| writer.write_row_group(group.rows, &group.columns))
    }

    /// Writes the footer.
    pub(crate) fn finish(self) -> PolarsResult<()> {
        self.writer.into_inner().unwrap_or_else(PoisonError::into_inner).finish().map(drop)
    }
}

/// What polars' writer takes when it is told no more than the compression.
const OPTIONS: WriteOptions = WriteOptions {
    statistics: StatisticsOptions {
        min_value: true,
        max_value: true,
        distinct_count: false,
        null_count: true,
        binary_statistics_truncate_length: None,
    },
    version: Version::V1,
    compression: COMPRESSION,
    data_page_size: None,
};

/// Values of descriptors hardly ever repeat, so that looking for a dictionary would be in vain.
fn encodings(field: &ArrowField) -> Vec<Encoding> {
    if *field.dtype() == ArrowDataType::Float32 {
        return vec![Encoding::Plain];
    }
    get_dtype_encoding(field.dtype())
}

fn compressed(page: PolarsResult<Page>) -> PolarsResult<CompressedPage> {
    compress(page?, Vec::new(), COMPRESSION).map_err(PolarsError::from)
}
