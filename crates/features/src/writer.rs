//! `features.parquet` and `vectors.parquet`, written one row group at a time.

use std::io::Write;
use std::path::{Path, PathBuf};

use ambivox_frontends::{Precision, halves};
use ambivox_settings::Exclusion;
use fs_err as fs;
use polars::prelude::{
    Column, DataType, Field, IntoColumn, NewChunkedArray, PolarsError, Schema, StringChunked, pf16,
};

use crate::columns::{FRAME, UTTERANCE, dtype};
use crate::parquet::{ParquetFile, RowGroup};
use crate::{FeatureError, Outputs};

/// One utterance's values.
pub(crate) struct Described {
    /// The utterance.
    pub(crate) utterance_id: String,
    /// Row-major frames × width; nothing of a front end that gives vectors.
    pub(crate) frames: Vec<f32>,
    /// Its vector, where there is one.
    pub(crate) vector: Option<Vec<f32>>,
    /// What is doubtful about its recording.
    pub(crate) warnings: Vec<Exclusion>,
}

impl Described {
    /// A digest of the values: equal ones have the same.
    pub(crate) fn digest(&self) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_derive_key("ambivox values of an utterance");
        for values in [&self.frames[..], self.vector.as_deref().unwrap_or_default()] {
            hasher.update(&(values.len() as u64).to_le_bytes());
            let mut bytes = Vec::with_capacity(4 * values.len());
            bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
            hasher.update(&bytes);
        }
        hasher.finalize()
    }
}

/// Names of the values of a frame and of an utterance's vector, where there are such.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Columns<'a> {
    pub(crate) frame: Option<&'a [String]>,
    /// What the values of a frame are kept in; those of a vector are in 32 bits.
    pub(crate) precision: Precision,
    pub(crate) vector: Option<&'a [String]>,
}

/// The open tables of an extraction.
pub(crate) struct Tables {
    features: Option<TableWriter>,
    vectors: Option<TableWriter>,
}

impl Tables {
    /// Creates those files that there are values for.
    pub(crate) fn create(outputs: &Outputs, columns: Columns<'_>) -> Result<Self, FeatureError> {
        let open = |file: &Path| Ok(Box::new(fs::File::create(file)?.into_file()) as Out);
        Self::open(outputs.features.as_deref(), outputs.vectors.as_deref(), columns, open)
    }

    /// Tables that only encode: what is written to them goes nowhere. Errors name `place`.
    pub(crate) fn nowhere(place: &Path, columns: Columns<'_>) -> Result<Self, FeatureError> {
        let open = |_: &Path| Ok(Box::new(std::io::sink()) as Out);
        Self::open(Some(place), Some(place), columns, open)
    }

    fn open(
        features: Option<&Path>,
        vectors: Option<&Path>,
        columns: Columns<'_>,
        open: impl Fn(&Path) -> std::io::Result<Out> + Copy,
    ) -> Result<Self, FeatureError> {
        let table = |file: Option<&Path>, keys: &[_], columns: Option<&[String]>, precision| {
            let create =
                |(file, columns)| TableWriter::create(file, open, keys, columns, precision);
            file.zip(columns).map(create).transpose()
        };
        Ok(Self {
            features: table(features, &KEYS, columns.frame, columns.precision)?,
            vectors: table(vectors, &KEYS[..1], columns.vector, Precision::F32)?,
        })
    }

    /// The rows of these utterances, in their order, as a row group of each table.
    pub(crate) fn encode(&self, utterances: &[Described]) -> Result<Encoded, FeatureError> {
        let frames =
            |table: &TableWriter| table.encode(&Frames { utterances, width: table.width() });
        let vectors = |table: &TableWriter| table.encode(&Vectors { utterances });
        Ok(Encoded {
            features: self.features.as_ref().map(frames).transpose()?.flatten(),
            vectors: self.vectors.as_ref().map(vectors).transpose()?.flatten(),
        })
    }

    /// Appends a row group to each table.
    pub(crate) fn write(&self, rows: &Encoded) -> Result<(), FeatureError> {
        let write = |table: &Option<TableWriter>, rows: &Option<RowGroup>| {
            table.as_ref().map_or(Ok(()), |table| table.write(rows.as_ref()))
        };
        write(&self.features, &rows.features)?;
        write(&self.vectors, &rows.vectors)
    }

    /// Writes the files' footers.
    pub(crate) fn finish(self) -> Result<(), FeatureError> {
        [self.features, self.vectors].into_iter().flatten().try_for_each(TableWriter::finish)
    }
}

/// A row group of each table, or none where there is no row.
pub(crate) struct Encoded {
    pub(crate) features: Option<RowGroup>,
    pub(crate) vectors: Option<RowGroup>,
}

/// Where a table's bytes go.
type Out = Box<dyn Write + Send>;

/// The key columns: of both tables the first, of frames the second too.
const KEYS: [(&str, DataType); 2] = [(UTTERANCE, DataType::String), (FRAME, DataType::UInt32)];

/// An open table.
struct TableWriter {
    file: PathBuf,
    columns: Vec<String>,
    precision: Precision,
    parquet: ParquetFile,
}

impl TableWriter {
    /// Creates `file` for these key columns and, below these names, values.
    fn create(
        file: &Path,
        open: impl Fn(&Path) -> std::io::Result<Out>,
        keys: &[(&str, DataType)],
        columns: &[String],
        precision: Precision,
    ) -> Result<Self, FeatureError> {
        let parquet = ParquetFile::create(open(file)?, &schema(keys, columns, precision))
            .map_err(|source| FeatureError::Parquet { file: file.to_path_buf(), source })?;
        Ok(Self { file: file.to_path_buf(), columns: columns.to_vec(), precision, parquet })
    }

    fn width(&self) -> usize {
        self.columns.len()
    }

    fn encode(&self, rows: &impl Rows) -> Result<Option<RowGroup>, FeatureError> {
        let values = self.columns.iter().enumerate();
        let values = values.map(|(at, name)| column(name, rows.values(at), self.precision));
        let columns = rows.keys().into_iter().chain(values);
        self.parquet.encode(rows.count(), columns).map_err(|source| self.fault(source))
    }

    fn write(&self, rows: Option<&RowGroup>) -> Result<(), FeatureError> {
        rows.map_or(Ok(()), |rows| self.parquet.append(rows)).map_err(|source| self.fault(source))
    }

    fn finish(self) -> Result<(), FeatureError> {
        let Self { file, parquet, .. } = self;
        parquet.finish().map_err(|source| FeatureError::Parquet { file, source })
    }

    fn fault(&self, source: PolarsError) -> FeatureError {
        FeatureError::Parquet { file: self.file.clone(), source }
    }
}

/// A column of values, rounded to a precision.
fn column(name: &str, values: Vec<f32>, precision: Precision) -> Column {
    match precision {
        Precision::F32 => Column::new(name.into(), values),
        Precision::F16 => {
            let halves: Vec<pf16> = halves(&values).into_iter().map(pf16).collect();
            Column::new(name.into(), halves)
        }
    }
}

fn schema(keys: &[(&str, DataType)], columns: &[String], precision: Precision) -> Schema {
    let keys = keys.iter().map(|(name, dtype)| Field::new((*name).into(), dtype.clone()));
    let values = columns.iter().map(|name| Field::new(name.as_str().into(), dtype(precision)));
    keys.chain(values).collect()
}

/// What a table has of some utterances.
trait Rows: Sync {
    /// Number of rows.
    fn count(&self) -> usize;
    /// The key columns.
    fn keys(&self) -> Vec<Column>;
    /// The values of the column at this place, counted without the keys.
    fn values(&self, column: usize) -> Vec<f32>;
}

/// A row per frame.
struct Frames<'a> {
    utterances: &'a [Described],
    width: usize,
}

impl Frames<'_> {
    /// Frames of each utterance.
    fn lengths(&self) -> impl Iterator<Item = usize> {
        self.utterances.iter().map(|u| u.frames.len() / self.width)
    }
}

impl Rows for Frames<'_> {
    fn count(&self) -> usize {
        self.lengths().sum()
    }

    fn keys(&self) -> Vec<Column> {
        let ids = self.utterances.iter().map(|u| u.utterance_id.as_str()).zip(self.lengths());
        let ids = ids.flat_map(|(id, frames)| std::iter::repeat_n(id, frames));
        let numbers: Vec<u32> = self.lengths().flat_map(|frames| 0..frames as u32).collect();
        vec![texts(ids), Column::new(FRAME.into(), numbers)]
    }

    fn values(&self, column: usize) -> Vec<f32> {
        let rows = self.utterances.iter().flat_map(|u| u.frames.chunks_exact(self.width));
        rows.map(|row| row[column]).collect()
    }
}

/// A row per utterance.
struct Vectors<'a> {
    utterances: &'a [Described],
}

impl Rows for Vectors<'_> {
    fn count(&self) -> usize {
        self.utterances.len()
    }

    fn keys(&self) -> Vec<Column> {
        vec![texts(self.utterances.iter().map(|u| u.utterance_id.as_str()))]
    }

    fn values(&self, column: usize) -> Vec<f32> {
        let rows = self.utterances.iter().filter_map(|u| u.vector.as_deref());
        rows.map(|row| row[column]).collect()
    }
}

fn texts<'a>(ids: impl Iterator<Item = &'a str>) -> Column {
    StringChunked::from_iter_values(UTTERANCE.into(), ids).into_column()
}
