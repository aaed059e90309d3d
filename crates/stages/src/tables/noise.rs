//! `noise.parquet`: which labels have been exchanged on purpose, and for what.

use std::collections::BTreeMap;
use std::path::Path;

use ambivox_corpus::NoisyLabel;
use polars::prelude::*;

use super::class_indices;
use crate::StageError;

const COLUMNS: [&str; 3] = ["utterance_id", "clean", "given"];

/// Labels by utterance.
pub(crate) type NoisyLabels = BTreeMap<String, NoisyLabel>;

/// Writes the table: a row per utterance, whether its label is another or not.
pub(crate) fn write(
    file: &Path,
    classes: &[String],
    labels: &[NoisyLabel],
) -> Result<(), StageError> {
    let class = |index: fn(&NoisyLabel) -> usize| -> Vec<&str> {
        labels.iter().map(|label| classes[index(label)].as_str()).collect()
    };
    let ids: Vec<&str> = labels.iter().map(|label| label.utterance_id.as_str()).collect();
    let columns = [ids, class(|label| label.clean), class(|label| label.given)];
    let columns = COLUMNS.into_iter().zip(columns);
    let columns = columns.map(|(name, values)| Column::new(name.into(), values)).collect();
    let mut table = DataFrame::new(labels.len(), columns).map_err(StageError::parquet(file))?;
    super::write(file, &mut table)
}

/// Reads the table.
pub(crate) fn read(file: &Path, classes: &[String]) -> Result<NoisyLabels, StageError> {
    let table = super::read(file, &COLUMNS.map(str::to_owned))?;
    let column = |name| table.column(name).map_err(StageError::parquet(file));
    let ids = column("utterance_id")?.str().map_err(StageError::parquet(file))?;
    let clean = class_indices(file, classes, column("clean")?)?;
    let given = class_indices(file, classes, column("given")?)?;
    let label = |((id, clean), given): ((Option<&str>, usize), usize)| {
        let utterance_id = id.unwrap_or_default().to_owned();
        (utterance_id.clone(), NoisyLabel { utterance_id, clean, given })
    };
    Ok(ids.iter().zip(clean).zip(given).map(label).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_reads_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("noise.parquet");
        let classes = ["joy", "anger"].map(str::to_owned);
        let label =
            |id: &str, clean, given| NoisyLabel { utterance_id: id.to_owned(), clean, given };
        let labels = [label("a", 0, 1), label("b", 1, 1)];
        write(&file, &classes, &labels).unwrap();
        let expected = labels.map(|label| (label.utterance_id.clone(), label));
        assert_eq!(read(&file, &classes).unwrap(), BTreeMap::from(expected));
        let message = read(&file, &classes[1..]).unwrap_err().to_string();
        assert!(message.contains("noise.parquet") && message.contains("joy"), "{message}");
    }
}
