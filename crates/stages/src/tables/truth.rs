//! `truth.parquet` of a synthetic corpus.

use std::collections::BTreeMap;
use std::path::Path;

use fs_err as fs;
use polars::prelude::*;

use crate::StageError;

/// Index of every utterance's true emotion among the classes; the number of classes where it is
/// none of them.
pub(crate) fn read(file: &Path, classes: &[String]) -> Result<BTreeMap<String, usize>, StageError> {
    let columns = ["utterance_id", "truth"];
    // It belongs to the corpus, not to a run, and carries no version.
    let reader = ParquetReader::new(fs::File::open(file)?.into_file());
    let table = super::select(reader, file, &columns.map(str::to_owned))?;
    let column = |name| table.column(name).and_then(|column| column.str());
    let [ids, truths] = columns.map(column);
    let ids = ids.map_err(StageError::parquet(file))?;
    let truths = truths.map_err(StageError::parquet(file))?;
    let index = |truth: Option<&str>| {
        classes.iter().position(|class| Some(class.as_str()) == truth).unwrap_or(classes.len())
    };
    let rows = ids.iter().zip(truths.iter());
    Ok(rows.map(|(id, truth)| (id.unwrap_or_default().to_owned(), index(truth))).collect())
}
