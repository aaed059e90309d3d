//! The column of votes: a list of label and count in every row.

use std::collections::BTreeMap;

use polars::chunked_array::builder::get_list_builder;
use polars::prelude::{
    Column, DataFrame, DataType, Field, IntoColumn, IntoSeries, PolarsResult, Series,
};

const LABEL: &str = "label";
const COUNT: &str = "count";

/// The column of everybody's votes, sorted by label within a row.
pub(super) fn to_column<'a>(
    name: &str,
    rows: impl ExactSizeIterator<Item = &'a BTreeMap<String, u32>>,
) -> PolarsResult<Column> {
    let item = DataType::Struct(vec![
        Field::new(LABEL.into(), DataType::String),
        Field::new(COUNT.into(), DataType::UInt32),
    ]);
    let mut column = get_list_builder(&item, 0, rows.len(), name.into());
    for votes in rows {
        column.append_series(&items(votes)?)?;
    }
    Ok(column.finish().into_column())
}

fn items(votes: &BTreeMap<String, u32>) -> PolarsResult<Series> {
    let labels: Vec<&str> = votes.keys().map(String::as_str).collect();
    let counts: Vec<u32> = votes.values().copied().collect();
    let columns = vec![Column::new(LABEL.into(), labels), Column::new(COUNT.into(), counts)];
    Ok(DataFrame::new(votes.len(), columns)?.into_struct("".into()).into_series())
}

/// The votes of every row of such a column.
pub(super) fn from_column(column: &Column) -> PolarsResult<Vec<BTreeMap<String, u32>>> {
    let rows = column.list()?.series_iter();
    rows.map(|row| row.map_or_else(|| Ok(BTreeMap::new()), |items| votes(&items))).collect()
}

fn votes(items: &Series) -> PolarsResult<BTreeMap<String, u32>> {
    let items = items.struct_()?;
    let (labels, counts) = (items.field_by_name(LABEL)?, items.field_by_name(COUNT)?);
    let pairs = labels.str()?.iter().zip(counts.u32()?.iter());
    Ok(pairs.filter_map(|(label, count)| Some((label?.to_owned(), count?))).collect())
}
