//! `predictions.parquet`: what a run's network says of its test and validation speakers.

use std::path::Path;

use polars::prelude::*;

use super::{class_column, class_columns, class_indices, class_rows};
use crate::StageError;

/// Prefix of the classes' columns.
const PROBABILITY: &str = "p";

/// Which of a fold's speakers an utterance belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Test,
    Validation,
}

impl Part {
    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Validation => "validation",
        }
    }
}

/// One row of the table.
pub(crate) struct Row<'a> {
    pub(crate) utterance_id: &'a str,
    pub(crate) speaker: &'a str,
    pub(crate) part: Part,
    /// Index of the gold label.
    pub(crate) gold: Option<usize>,
    /// Probability of every class.
    pub(crate) probabilities: Vec<f64>,
}

/// Writes the table.
pub(crate) fn write(file: &Path, classes: &[String], rows: &[Row<'_>]) -> Result<(), StageError> {
    let text = |name: &str, value: &dyn Fn(&Row<'_>) -> String| {
        Column::new(name.into(), rows.iter().map(value).collect::<Vec<_>>())
    };
    let gold = |row: &Row<'_>| row.gold.map(|gold| classes[gold].as_str());
    let mut columns = vec![
        text("utterance_id", &|row| row.utterance_id.to_owned()),
        text("speaker", &|row| row.speaker.to_owned()),
        text("part", &|row| row.part.id().to_owned()),
        Column::new("gold".into(), rows.iter().map(gold).collect::<Vec<_>>()),
    ];
    let probabilities: Vec<&[f64]> = rows.iter().map(|row| row.probabilities.as_slice()).collect();
    columns.extend(class_columns(PROBABILITY, classes, &probabilities));
    let mut table = DataFrame::new(rows.len(), columns).map_err(StageError::parquet(file))?;
    super::write(file, &mut table)
}

/// Gold label and probabilities of every test utterance.
pub(crate) fn read_test(
    file: &Path,
    classes: &[String],
) -> Result<Vec<(usize, Vec<f32>)>, StageError> {
    let probabilities = classes.iter().map(|class| class_column(PROBABILITY, class));
    let columns: Vec<String> =
        ["part", "gold"].map(str::to_owned).into_iter().chain(probabilities).collect();
    let table = super::read(file, &columns)?;
    let rows = class_rows(PROBABILITY, classes, &table).map_err(StageError::parquet(file))?;
    let column = |name| table.column(name).map_err(StageError::parquet(file));
    let gold = class_indices(file, classes, column("gold")?)?;
    let parts = column("part")?.str().map_err(StageError::parquet(file))?;
    let tested = parts.iter().map(|part| part == Some(Part::Test.id()));
    let all = gold.into_iter().zip(rows).zip(tested);
    Ok(all.filter_map(|(row, tested)| tested.then_some(row)).collect())
}
