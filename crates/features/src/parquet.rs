//! A Parquet file whose row groups are encoded and compressed on any number of threads at once, and
//! whose memory hardly grows with their number.
//!
//! polars compresses a page when it is written, so that threads would wait for one another's
//! compression; and until a file is finished it keeps some kilobytes for every column of every row
//! group. Here each row group becomes a small Parquet file in memory. Its pages are appended to the
//! file on disk, and of what its footer says, serialised, the footer of the whole is made.

use std::io::Write;
use std::sync::{Mutex, PoisonError};

use ambivox_corpus::version_metadata;
use polars::prelude::{
    ArrowDataType, ArrowField, ArrowSchema, Column, CompatLevel, ParquetWriter, PolarsError,
    PolarsResult, Schema, SchemaExt, StatisticsOptions,
};
use polars_parquet::parquet::write::write_metadata_sidecar;
use polars_parquet::write::{
    CompressedPage, CompressionOptions, Compressor, DynIter, DynStreamingIterator, Encoding,
    FallibleStreamingIterator as _, FileWriter, ParquetType, Version, WriteOptions,
    array_to_columns, get_dtype_encoding, to_parquet_type,
};
use polars_parquet_format::thrift::protocol::{TCompactInputProtocol, TCompactOutputProtocol};
use polars_parquet_format::{self as format, FileMetaData};

/// What a Parquet file begins and ends with.
const MAGIC: &[u8] = b"PAR1";
/// What it ends with: the length of the footer, and [`MAGIC`].
const TAIL: usize = 8;

/// An open file.
pub(crate) struct ParquetFile {
    schema: ArrowSchema,
    columns: Vec<(ParquetType, Vec<Encoding>)>,
    written: Mutex<Written>,
}

/// A row group that is ready to be appended.
pub(crate) struct RowGroup {
    /// Its pages and their indexes.
    bytes: Vec<u8>,
    /// Where these are, as if [`MAGIC`] alone stood before them.
    footer: FileMetaData,
}

impl RowGroup {
    /// Its pages and its footer, as [`Self::from_parts`] takes them.
    pub(crate) fn to_parts(&self) -> PolarsResult<(&[u8], Vec<u8>)> {
        Ok((&self.bytes, serialised(&self.footer)?))
    }

    /// From the parts that another process wrote down, whole.
    pub(crate) fn from_parts(bytes: Vec<u8>, footer: &[u8]) -> PolarsResult<Self> {
        Ok(Self { bytes, footer: read(footer)? })
    }
}

/// What is in the file, and what its footer will say.
struct Written {
    out: Box<dyn Write + Send>,
    length: usize,
    rows: i64,
    /// The footer of every row group, serialised, which takes a tenth of the memory.
    groups: Vec<Vec<u8>>,
    /// The footer but for the row groups.
    footer: FileMetaData,
}

impl ParquetFile {
    /// Starts a file of these columns.
    pub(crate) fn create(mut out: Box<dyn Write + Send>, schema: &Schema) -> PolarsResult<Self> {
        let footer = empty_footer(schema)?;
        let schema = schema.to_arrow(CompatLevel::newest());
        let column = |field: &ArrowField| Ok((to_parquet_type(field)?, encodings(field)));
        let columns = schema.iter_values().map(column).collect::<PolarsResult<_>>()?;
        out.write_all(MAGIC)?;
        let written = Written { out, length: MAGIC.len(), rows: 0, groups: Vec::new(), footer };
        Ok(Self { schema, columns, written: Mutex::new(written) })
    }

    /// Encodes and compresses so many rows, column by column, in the calling thread alone, so that a
    /// stage keeps to its number of threads. `None` where there is no row.
    pub(crate) fn encode(
        &self,
        rows: usize,
        columns: impl Iterator<Item = Column> + Send + Sync,
    ) -> PolarsResult<Option<RowGroup>> {
        if rows == 0 {
            return Ok(None);
        }
        let mut writer = FileWriter::try_new(Vec::new(), self.schema.clone(), OPTIONS)?;
        let chunks = columns.zip(&self.columns);
        let chunks = chunks.map(|(column, (kind, encodings))| pages(&column, kind, encodings));
        writer.write(rows as u64, DynIter::new(chunks))?;
        writer.end(Some(Vec::new()))?;
        let (mut bytes, footer) = writer.into_inner_and_metadata();
        bytes.truncate(footer_of(&bytes)?.start);
        bytes.drain(..MAGIC.len());
        // The columns stand in the footer of the whole.
        Ok(Some(RowGroup { bytes, footer: FileMetaData { schema: Vec::new(), ..footer } }))
    }

    /// Appends a row group.
    pub(crate) fn append(&self, group: &RowGroup) -> PolarsResult<()> {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        written.append(group)
    }

    /// Writes the footer.
    pub(crate) fn finish(self) -> PolarsResult<()> {
        self.written.into_inner().unwrap_or_else(PoisonError::into_inner).finish()
    }
}

impl Written {
    fn append(&mut self, group: &RowGroup) -> PolarsResult<()> {
        let mut footer = group.footer.clone();
        for metadata in &mut footer.row_groups {
            move_by(metadata, (self.length - MAGIC.len()) as i64);
            metadata.ordinal = self.groups.len().try_into().ok();
        }
        let serialised = serialised(&footer)?;
        self.out.write_all(&group.bytes)?;
        self.length += group.bytes.len();
        self.rows += footer.num_rows;
        self.groups.push(serialised);
        Ok(())
    }

    fn finish(mut self) -> PolarsResult<()> {
        for group in &self.groups {
            self.footer.row_groups.extend(read(group)?.row_groups);
        }
        self.footer.num_rows = self.rows;
        let mut file = Vec::new();
        write_metadata_sidecar(&mut file, &self.footer)?;
        Ok(self.out.write_all(&file[MAGIC.len()..])?)
    }
}

/// The footer of a file that has these columns and no row.
fn empty_footer(schema: &Schema) -> PolarsResult<FileMetaData> {
    let mut file = Vec::new();
    let writer = ParquetWriter::new(&mut file).with_key_value_metadata(version_metadata());
    writer.batched(schema)?.finish()?;
    read(&file[footer_of(&file)?])
}

/// Where the footer of a file is.
fn footer_of(file: &[u8]) -> PolarsResult<std::ops::Range<usize>> {
    let end = file.len().checked_sub(TAIL);
    let length = end.and_then(|end| file[end..].first_chunk()).map(|n| u32::from_le_bytes(*n));
    let range = end.zip(length).map(|(end, length)| end.saturating_sub(length as usize)..end);
    range.ok_or_else(|| PolarsError::ComputeError("a Parquet file without footer".into()))
}

fn serialised(footer: &FileMetaData) -> PolarsResult<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut protocol = TCompactOutputProtocol::new(&mut bytes);
    footer.write_to_out_protocol(&mut protocol).map_err(|error| thrift(&error))?;
    Ok(bytes)
}

fn read(footer: &[u8]) -> PolarsResult<FileMetaData> {
    // It was written by this program, and may take any memory.
    let mut protocol = TCompactInputProtocol::new(footer, usize::MAX);
    FileMetaData::read_from_in_protocol(&mut protocol).map_err(|error| thrift(&error))
}

fn thrift(error: &format::thrift::Error) -> PolarsError {
    PolarsError::ComputeError(error.to_string().into())
}

/// Moves a row group by so many bytes.
fn move_by(group: &mut format::RowGroup, by: i64) {
    let add = |offset: &mut Option<i64>| *offset = offset.map(|offset| offset + by);
    add(&mut group.file_offset);
    for column in &mut group.columns {
        column.file_offset += by;
        add(&mut column.column_index_offset);
        add(&mut column.offset_index_offset);
        if let Some(metadata) = &mut column.meta_data {
            metadata.data_page_offset += by;
            add(&mut metadata.dictionary_page_offset);
        }
    }
}

const COMPRESSION: CompressionOptions = CompressionOptions::Zstd(None);

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
    if matches!(field.dtype(), ArrowDataType::Float32 | ArrowDataType::Float16) {
        return vec![Encoding::Plain];
    }
    get_dtype_encoding(field.dtype())
}

/// A column's pages, compressed when they are written.
fn pages(
    column: &Column,
    kind: &ParquetType,
    encodings: &[Encoding],
) -> PolarsResult<DynStreamingIterator<'static, CompressedPage, PolarsError>> {
    let values = column.as_materialized_series().rechunk().to_arrow(0, CompatLevel::newest());
    let leaves = array_to_columns(&values, kind.clone(), OPTIONS, encodings)?;
    let pages = leaves.into_iter().flatten().map(|page| page.map_err(Into::into));
    let compressed = Compressor::new(pages, COMPRESSION, Vec::new());
    Ok(DynStreamingIterator::new(compressed.map_err(PolarsError::from)))
}
