//! `labels.parquet`: what a run made of its training utterances' labels.

use std::path::Path;

use ambivox_train::LabelState;
use polars::prelude::*;

use super::{class_columns, class_indices};
use crate::StageError;
use crate::job::Run;

/// Prefix of the columns of the label distribution.
const SHARE: &str = "s";

/// Writes the labels of one run. `votes` has the column `votes` of the same utterances, as the
/// index keeps it.
pub(crate) fn write(
    file: &Path,
    run: &Run,
    classes: &[String],
    votes: Column,
    states: &[LabelState],
) -> Result<(), StageError> {
    let mut table = table(run, classes, votes, states).map_err(StageError::parquet(file))?;
    super::write(file, &mut table)
}

fn table(
    run: &Run,
    classes: &[String],
    votes: Column,
    states: &[LabelState],
) -> PolarsResult<DataFrame> {
    let rows = states.len();
    let same = |name: &str, value: &str| Column::new(name.into(), vec![value; rows]);
    let class = |index: usize| classes[index].as_str();
    let number = |name: &str, value: fn(&LabelState) -> f64| {
        Column::new(name.into(), states.iter().map(|s| value(s) as f32).collect::<Vec<_>>())
    };
    let ids: Vec<&str> = states.iter().map(|state| state.utterance_id.as_str()).collect();
    let gold: Vec<&str> = states.iter().map(|state| class(state.gold)).collect();
    let moved_to: Vec<Option<&str>> = states.iter().map(|s| s.moved_to.map(class)).collect();
    let mut columns = vec![
        same("method", run.method.id()),
        Column::new("seed".into(), vec![run.seed; rows]),
        same("fold", &run.fold),
        Column::new("utterance_id".into(), ids),
        Column::new("gold".into(), gold),
        votes,
    ];
    let shares: Vec<&[f64]> = states.iter().map(|state| state.s.as_slice()).collect();
    columns.extend(class_columns(SHARE, classes, &shares));
    columns.extend([
        number("weight_initial", |state| state.weight_initial),
        number("weight", |state| state.weight),
        number("loss", |state| state.loss),
        Column::new("moved_to".into(), moved_to),
    ]);
    DataFrame::new(rows, columns)
}

/// Reads a whole table.
pub(crate) fn read(file: &Path) -> Result<DataFrame, StageError> {
    super::open(file)?.set_rechunk(true).finish().map_err(StageError::parquet(file))
}

/// One training utterance's label before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Move {
    pub(crate) utterance_id: String,
    /// Index of the gold label.
    pub(crate) gold: usize,
    /// Index of the learned label.
    pub(crate) learned: usize,
}

/// Where the labels of a table went; `file` is for messages.
pub(crate) fn moves(
    file: &Path,
    classes: &[String],
    table: &DataFrame,
) -> Result<Vec<Move>, StageError> {
    let column = |name| table.column(name).map_err(StageError::parquet(file));
    let gold = column("gold")?;
    let learned = column("moved_to")?.str().map_err(StageError::parquet(file))?;
    let stayed = gold.str().map_err(StageError::parquet(file))?;
    let learned: StringChunked =
        learned.iter().zip(stayed.iter()).map(|(moved, gold)| moved.or(gold)).collect();
    let gold = class_indices(file, classes, gold)?;
    let learned = class_indices(file, classes, &learned.into_column())?;
    let ids = column("utterance_id")?.str().map_err(StageError::parquet(file))?;
    let rows = ids.iter().zip(gold).zip(learned);
    Ok(rows
        .map(|((id, gold), learned)| Move {
            utterance_id: id.unwrap_or_default().to_owned(),
            gold,
            learned,
        })
        .collect())
}
