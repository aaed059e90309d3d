//! `predictions.parquet`: what a run's model says of those it tests and validates on.

use std::path::Path;

use ambivox_eval::Tested as Rated;
use polars::prelude::*;

use super::{class_column, class_columns, class_indices, class_rows};
use crate::StageError;

/// Prefix of the classes' columns.
const PROBABILITY: &str = "p";

/// Which part of a fold an utterance is in.
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

/// An utterance that was tested or validated on, its gold label and what the model predicts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tested {
    pub(crate) utterance_id: String,
    pub(crate) speaker: String,
    /// Index of the gold label.
    pub(crate) gold: usize,
    /// Probability of every class.
    pub(crate) probabilities: Vec<f32>,
}

/// The mean over a run's validation utterances of −log of the gold label's probability by the model that the run
/// kept, be it of one epoch or of several; `None` where nothing validates. Of those tested nothing is read.
///
/// Errors: the file is no table of predictions of these classes.
pub fn validation_loss(file: &Path, classes: &[String]) -> Result<Option<f64>, StageError> {
    let validated = read(file, classes, Part::Validation)?;
    let pairs = validated.iter().map(|one| (one.gold, one.probabilities.as_slice()));
    Ok(Rated::from_probabilities(classes.len(), pairs)?.rates().nll)
}

/// Every test utterance of a run.
pub(crate) fn read_test(file: &Path, classes: &[String]) -> Result<Vec<Tested>, StageError> {
    read(file, classes, Part::Test)
}

fn read(file: &Path, classes: &[String], part: Part) -> Result<Vec<Tested>, StageError> {
    let probabilities = classes.iter().map(|class| class_column(PROBABILITY, class));
    let columns = ["utterance_id", "speaker", "part", "gold"].map(str::to_owned);
    let columns: Vec<String> = columns.into_iter().chain(probabilities).collect();
    let table = super::read(file, &columns)?;
    let rows = class_rows(PROBABILITY, classes, &table).map_err(StageError::parquet(file))?;
    let column = |name| table.column(name).map_err(StageError::parquet(file));
    let text = |name| column(name)?.str().map_err(StageError::parquet(file));
    let gold = class_indices(file, classes, column("gold")?)?;
    let names = text("utterance_id")?.iter().zip(text("speaker")?.iter());
    let all = names.zip(text("part")?.iter()).zip(gold).zip(rows);
    let owned = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let tested = all.filter(|(((_, of), _), _)| *of == Some(part.id()));
    let tested = tested.map(|((((id, speaker), _), gold), probabilities)| Tested {
        utterance_id: owned(id),
        speaker: owned(speaker),
        gold,
        probabilities,
    });
    Ok(tested.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_validation_loss_knows_nothing_of_those_tested() {
        let classes = ["calm", "angry"].map(str::to_owned);
        let row = |utterance_id, part, gold, p: f64| {
            let probabilities = vec![p, 1.0 - p];
            Row { utterance_id, speaker: "ann", part, gold: Some(gold), probabilities }
        };
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("predictions.parquet");
        let tested = row("c", Part::Test, 1, 0.99);
        let rows =
            [row("a", Part::Validation, 0, 0.5), row("b", Part::Validation, 1, 0.75), tested];
        write(&file, &classes, &rows).unwrap();
        let loss = validation_loss(&file, &classes).unwrap().unwrap();
        assert!((loss - f64::midpoint(2.0_f64.ln(), 4.0_f64.ln())).abs() < 1e-6, "{loss}");
        assert_eq!(read_test(&file, &classes).unwrap().len(), 1);
        write(&file, &classes, &rows[2..]).unwrap();
        assert_eq!(validation_loss(&file, &classes).unwrap(), None);
    }
}
