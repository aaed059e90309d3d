//! Columns with a list in every row: votes as label and count, ratings as annotator and label.

use std::collections::{BTreeMap, BTreeSet};

use polars::chunked_array::builder::get_list_builder;
use polars::prelude::{
    Column, DataFrame, DataType, Field, IntoColumn, IntoSeries, PolarsResult, Series,
};

const LABEL: &str = "label";
const COUNT: &str = "count";
const ANNOTATOR: &str = "annotator";

/// The column of everybody's votes, sorted by label within a row.
pub(super) fn from_votes<'a>(
    name: &str,
    rows: impl ExactSizeIterator<Item = &'a BTreeMap<String, u32>>,
) -> PolarsResult<Column> {
    let item = [(LABEL, DataType::String), (COUNT, DataType::UInt32)];
    let pairs = |votes: &BTreeMap<String, u32>| {
        let labels: Vec<&str> = votes.keys().map(String::as_str).collect();
        let counts: Vec<u32> = votes.values().copied().collect();
        vec![Column::new(LABEL.into(), labels), Column::new(COUNT.into(), counts)]
    };
    column(name, item, rows.map(pairs))
}

/// The votes of every row of such a column.
pub(super) fn votes(column: &Column) -> PolarsResult<Vec<BTreeMap<String, u32>>> {
    rows(column, |items| {
        let items = items.struct_()?;
        let (labels, counts) = (items.field_by_name(LABEL)?, items.field_by_name(COUNT)?);
        let pairs = labels.str()?.iter().zip(counts.u32()?.iter());
        Ok(pairs.filter_map(|(label, count)| Some((label?.to_owned(), count?))).collect())
    })
}

/// The column of who named what, sorted by annotator, then by label within a row.
pub(super) fn from_ratings<'a>(
    name: &str,
    rows: impl ExactSizeIterator<Item = &'a BTreeMap<String, BTreeSet<String>>>,
) -> PolarsResult<Column> {
    let item = [(ANNOTATOR, DataType::String), (LABEL, DataType::String)];
    let pairs = |ratings: &BTreeMap<String, BTreeSet<String>>| {
        let pairs = ratings.iter().flat_map(|(who, labels)| {
            labels.iter().map(move |label| (who.as_str(), label.as_str()))
        });
        let (who, labels): (Vec<&str>, Vec<&str>) = pairs.unzip();
        vec![Column::new(ANNOTATOR.into(), who), Column::new(LABEL.into(), labels)]
    };
    column(name, item, rows.map(pairs))
}

/// The ratings of every row of such a column.
pub(super) fn ratings(column: &Column) -> PolarsResult<Vec<BTreeMap<String, BTreeSet<String>>>> {
    rows(column, |items| {
        let items = items.struct_()?;
        let (who, labels) = (items.field_by_name(ANNOTATOR)?, items.field_by_name(LABEL)?);
        let mut ratings = BTreeMap::<String, BTreeSet<String>>::new();
        for (who, label) in who.str()?.iter().zip(labels.str()?.iter()) {
            let (Some(who), Some(label)) = (who, label) else { continue };
            ratings.entry(who.to_owned()).or_default().insert(label.to_owned());
        }
        Ok(ratings)
    })
}

/// A column whose rows are lists of a pair.
fn column(
    name: &str,
    item: [(&str, DataType); 2],
    rows: impl ExactSizeIterator<Item = Vec<Column>>,
) -> PolarsResult<Column> {
    let fields = item.map(|(name, kind)| Field::new(name.into(), kind));
    let mut column = get_list_builder(&DataType::Struct(fields.into()), 0, rows.len(), name.into());
    for pair in rows {
        let items = DataFrame::new(pair.first().map_or(0, Column::len), pair)?;
        column.append_series(&items.into_struct("".into()).into_series())?;
    }
    Ok(column.finish().into_column())
}

/// What is read of every row; of one without a list, nothing.
fn rows<T: Default>(
    column: &Column,
    read: impl Fn(&Series) -> PolarsResult<T>,
) -> PolarsResult<Vec<T>> {
    let rows = column.list()?.series_iter();
    rows.map(|row| row.map_or_else(|| Ok(T::default()), |items| read(&items))).collect()
}
