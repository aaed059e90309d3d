//! `labels.parquet`: what a run made of its training utterances' labels.

use std::collections::BTreeMap;
use std::path::Path;

use ambivox_rules::LabelState;
use ambivox_settings::Method;
use polars::prelude::*;

use super::{class_columns, class_indices, class_rows};
use crate::StageError;
use crate::job::Run;

/// Prefix of the columns of the label distribution.
const SHARE: &str = "s";

/// Columns of the class that a label has moved to, at the epoch kept and after the last.
const MOVED_TO: [&str; 2] = ["moved_to", "moved_to_at_last"];

/// Columns of the course of training, which are there where runs keep it.
const COURSE: [&str; 2] = ["margin", "confidence"];

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
    let number = |name: &str, value: fn(&LabelState) -> Option<f64>| {
        let values = states.iter().map(|state| value(state).map(|x| x as f32));
        Column::new(name.into(), values.collect::<Vec<Option<f32>>>())
    };
    let ids: Vec<&str> = states.iter().map(|state| state.utterance_id.as_str()).collect();
    let gold: Vec<Option<&str>> = states.iter().map(|state| state.gold.map(class)).collect();
    let moved = |name: &str, value: fn(&LabelState) -> Option<usize>| {
        let classes = states.iter().map(|state| value(state).map(class));
        Column::new(name.into(), classes.collect::<Vec<Option<&str>>>())
    };
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
        number("weight_initial", |state| Some(state.weight_initial)),
        number("weight", |state| Some(state.weight)),
        number("loss", |state| state.loss),
        moved(MOVED_TO[0], |state| state.moved_to),
        moved(MOVED_TO[1], |state| state.moved_to_at_last),
    ]);
    if states.iter().any(|state| state.course.is_some()) {
        columns.extend([
            number(COURSE[0], |state| Some(state.course?.margin)),
            number(COURSE[1], |state| Some(state.course?.confidence)),
            number("variability", |state| Some(state.course?.variability)),
        ]);
    }
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
    /// Index of the learned label, at the epoch kept.
    pub(crate) learned: usize,
    /// The same after the last epoch.
    pub(crate) learned_at_last: usize,
}

/// Where the gold labels of a table went; `file` is for messages.
pub(crate) fn moves(
    file: &Path,
    classes: &[String],
    table: &DataFrame,
) -> Result<Vec<Move>, StageError> {
    let labelled = table.column("gold").and_then(|gold| table.filter(&gold.is_not_null()));
    let table = labelled.map_err(StageError::parquet(file))?;
    let column = |name| table.column(name).map_err(StageError::parquet(file));
    let gold = column("gold")?;
    let stayed = gold.str().map_err(StageError::parquet(file))?;
    let learned = |name| {
        let moved = column(name)?.str().map_err(StageError::parquet(file))?;
        let learned: StringChunked =
            moved.iter().zip(stayed.iter()).map(|(moved, gold)| moved.or(gold)).collect();
        class_indices(file, classes, &learned.into_column())
    };
    let [learned, at_last] = MOVED_TO.map(learned);
    let gold = class_indices(file, classes, gold)?;
    let ids = column("utterance_id")?.str().map_err(StageError::parquet(file))?;
    let rows = ids.iter().zip(gold).zip(learned?.into_iter().zip(at_last?));
    Ok(rows
        .map(|((id, gold), (learned, learned_at_last))| Move {
            utterance_id: id.unwrap_or_default().to_owned(),
            gold,
            learned,
            learned_at_last,
        })
        .collect())
}

/// What a run learned about one training utterance's label.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LearnedLabel {
    pub(crate) utterance_id: String,
    /// Index of the label that was trained on.
    pub(crate) gold: usize,
    pub(crate) weight_initial: f64,
    pub(crate) weight: f64,
    /// Label distribution s.
    pub(crate) shares: Vec<f64>,
    /// −log y of the gold label.
    pub(crate) loss: f64,
    /// Mean margin and mean confidence over epochs, where the run kept them.
    pub(crate) course: Option<[f64; 2]>,
}

/// What each run of a table of labels learned; utterances without a gold label are passed over.
pub(crate) fn read_learned(
    file: &Path,
    classes: &[String],
) -> Result<BTreeMap<Run, Vec<LearnedLabel>>, StageError> {
    let mut learned: BTreeMap<_, Vec<_>> = BTreeMap::new();
    let rows = learned_rows(classes, &read(file)?).map_err(StageError::parquet(file))?;
    for ((method, seed, fold), label) in rows {
        let fault = |fault| StageError::Data(format!("{}: {fault}", file.display()));
        let run = Run { method: Method::new(&method).map_err(fault)?, seed, fold };
        learned.entry(run).or_default().push(label);
    }
    Ok(learned)
}

/// The names of a run, as a table has them.
type Names = (String, u64, String);

fn learned_rows(classes: &[String], table: &DataFrame) -> PolarsResult<Vec<(Names, LearnedLabel)>> {
    let text = |name| table.column(name)?.str();
    let number = |name| table.column(name)?.f32();
    let [ids, golds, methods, folds] = ["utterance_id", "gold", "method", "fold"].map(text);
    let (ids, golds, methods, folds) = (ids?, golds?, methods?, folds?);
    let seeds = table.column("seed")?.u64()?;
    let [initial, weight, loss] = ["weight_initial", "weight", "loss"].map(number);
    let (initial, weight, loss) = (initial?, weight?, loss?);
    let [margin, confidence] = COURSE.map(|name| number(name).ok());
    let shares = class_rows(SHARE, classes, table)?;
    let value = |column: &Float32Chunked, row| column.get(row).map(f64::from);
    let learned = |(row, shares): (usize, &Vec<f32>)| {
        let gold = golds.get(row)?;
        let gold = classes.iter().position(|class| class == gold)?;
        let label = LearnedLabel {
            utterance_id: ids.get(row)?.to_owned(),
            gold,
            weight_initial: value(initial, row)?,
            weight: value(weight, row)?,
            shares: shares.iter().copied().map(f64::from).collect(),
            loss: value(loss, row)?,
            course: margin.zip(confidence).and_then(|(margin, confidence)| {
                Some([value(margin, row)?, value(confidence, row)?])
            }),
        };
        let run = (methods.get(row)?.to_owned(), seeds.get(row)?, folds.get(row)?.to_owned());
        Some((run, label))
    };
    Ok(shares.iter().enumerate().filter_map(learned).collect())
}
