//! The version of a Parquet file's form, in the file's own metadata.

use std::fs::File;

use polars::io::parquet::write::KeyValueMetadata;
use polars::prelude::{ParquetReader, PolarsError, PolarsResult};

const KEY: &str = "ambivox.schema";
const VERSION: &str = "1";

/// For `ParquetWriter::with_key_value_metadata`: the version of the tables that stages exchange.
pub fn version_metadata() -> Option<KeyValueMetadata> {
    Some(KeyValueMetadata::from_static(vec![(KEY.to_owned(), VERSION.to_owned())]))
}

/// Checks the version of a table of another stage before any of its columns is read.
///
/// # Errors
/// No Parquet; another version or none, with the remedy. Whoever calls names the file.
pub fn check_version(reader: &mut ParquetReader<File>) -> PolarsResult<()> {
    let pairs = reader.get_metadata()?.key_value_metadata.as_deref().unwrap_or_default();
    let found = pairs.iter().find(|pair| pair.key == KEY).and_then(|pair| pair.value.as_deref());
    if found == Some(VERSION) {
        return Ok(());
    }
    let found = found.map_or_else(|| "nothing".to_owned(), |version| format!("{version:?}"));
    Err(PolarsError::ComputeError(
        format!(
            "the metadata say {found} for {KEY}; this version reads {VERSION:?}\n\
             hint: delete the file and make it again"
        )
        .into(),
    ))
}
