//! Tables of columns: `.csv`, `.parquet`.

use std::fs::File;

use polars::prelude::*;

use ambivox_settings::some_listed;

use super::found::{Array, Found};
use super::{FRAME, ID, RowsOf, Settings};

/// A `.csv` in UTF-8, whose first line names the columns.
pub(super) fn csv(bytes: &[u8], settings: &Settings) -> Result<Found, String> {
    let mut reader = csv::Reader::from_reader(bytes);
    let names = reader.headers().map_err(text)?.iter().map(|name| name.trim().to_owned());
    let names: Vec<String> = names.collect();
    let plan = Plan::new(&names, settings)?;
    let mut rows = Rows::new(settings.rows);
    for record in reader.records() {
        let record = record.map_err(text)?;
        let line = record.position().map_or(0, csv::Position::line);
        let cell = |at: usize| record.get(at).unwrap_or_default();
        let number = |&at: &usize| {
            let value = cell(at).trim();
            // As pandas writes what is no number.
            if value.is_empty() {
                return Ok(f32::NAN);
            }
            value.parse::<f32>().map_err(|_| {
                format!(
                    "line {line}, column {}: {value:?} is no number\nhint: frontend.values has the \
                     beginning of the names of those columns that count",
                    names[at]
                )
            })
        };
        let values = plan.values.iter().map(number).collect::<Result<Vec<_>, _>>()?;
        let frame = plan.frame.map(|at| {
            let number = cell(at).trim();
            number.parse().map_err(|_| format!("line {line}: {FRAME} {number:?} is no number"))
        });
        rows.add(cell(plan.id), frame.transpose()?, &values)?;
    }
    Ok(rows.found(plan.names(&names)))
}

/// Where the columns are.
struct Plan {
    id: usize,
    frame: Option<usize>,
    values: Vec<usize>,
}

impl Plan {
    fn new(names: &[String], settings: &Settings) -> Result<Self, String> {
        let mut sorted = names.to_vec();
        sorted.sort_unstable();
        let twice = sorted.windows(2).filter(|pair| pair[0] == pair[1]);
        let twice: Vec<String> = twice.map(|pair| pair[0].clone()).collect();
        if !twice.is_empty() {
            return Err(format!(
                "columns of one name: {}; rename all but one",
                some_listed(&twice)
            ));
        }
        let at = |wanted: &str| names.iter().position(|name| name == wanted);
        let missing = |wanted: &str, key: &str| {
            format!("there is no column {wanted:?}{key}; it has: {}", some_listed(names))
        };
        let id =
            at(settings.id()).ok_or_else(|| missing(settings.id(), ", which frontend.id names"))?;
        let frame = match settings.rows {
            RowsOf::Utterance => None,
            RowsOf::Frame => Some(at(FRAME).ok_or_else(|| missing(FRAME, ""))?),
        };
        let is_value = |at: &usize| match &settings.values {
            // A whole name is meant before the beginning of others.
            Some(wanted) if names.contains(wanted) => names[*at] == *wanted,
            Some(wanted) => names[*at].starts_with(wanted),
            None => true,
        };
        let keys = [ID, FRAME];
        let others = (0..names.len()).filter(|&at| at != id && !keys.contains(&names[at].as_str()));
        let values: Vec<usize> = others.filter(is_value).collect();
        if values.is_empty() {
            let wanted = settings.values.as_deref().unwrap_or("a column of values");
            return Err(missing(wanted, ", nor one whose name begins so"));
        }
        Ok(Self { id, frame, values })
    }

    fn names(&self, names: &[String]) -> Vec<String> {
        self.values.iter().map(|&at| names[at].clone()).collect()
    }
}

/// Rows as they come, those of one utterance one after the other.
struct Rows {
    of: RowsOf,
    found: Found,
    name: String,
    open: Option<Array>,
}

impl Rows {
    fn new(of: RowsOf) -> Self {
        Self { of, found: Found::default(), name: String::new(), open: None }
    }

    /// Takes a row. Errors: its frame is not the next.
    fn add(&mut self, name: &str, frame: Option<usize>, values: &[f32]) -> Result<(), String> {
        match (&mut self.open, frame) {
            (Some(array), Some(frame)) if name == self.name => {
                let next = array.shape[0];
                if frame != next {
                    return Err(format!("frame {frame} of {name} where {next} is the next"));
                }
                if array.shape[1] != values.len() {
                    return Err(format!("frame {frame} of {name} has {} values", values.len()));
                }
                array.shape[0] += 1;
                array.values.extend_from_slice(values);
            }
            (_, Some(frame)) if frame != 0 => {
                return Err(format!("frame {frame} of {name} where 0 is the first"));
            }
            _ => {
                self.close();
                let shape = match self.of {
                    RowsOf::Utterance => vec![values.len()],
                    RowsOf::Frame => vec![1, values.len()],
                };
                name.clone_into(&mut self.name);
                self.open = Some(Array { shape, values: values.to_vec() });
            }
        }
        Ok(())
    }

    fn close(&mut self) {
        if let Some(array) = self.open.take() {
            self.found.add(self.name.clone(), array);
        }
    }

    fn found(mut self, columns: Vec<String>) -> Found {
        self.close();
        self.found.columns = Some(columns);
        self.found
    }
}

/// A `.parquet`.
pub(super) fn parquet(file: File, settings: &Settings) -> Result<Found, String> {
    let frame = ParquetReader::new(file).finish().map_err(text)?;
    let names: Vec<String> =
        frame.get_column_names().into_iter().map(|name| name.as_str().to_owned()).collect();
    let plan = Plan::new(&names, settings)?;
    let columns = frame.columns();
    let ids = columns[plan.id].str().map_err(text)?;
    let numbers =
        plan.frame.map(|at| columns[at].cast(&DataType::UInt64)).transpose().map_err(text)?;
    let numbers = numbers.as_ref().map(Column::u64).transpose().map_err(text)?;
    let values = Values::new(plan.values.iter().map(|&at| &columns[at]))?;
    let mut rows = Rows::new(settings.rows);
    for at in 0..frame.height() {
        let id = ids.get(at).ok_or_else(|| format!("row {at}: its {} is null", settings.id()))?;
        let frame = numbers.map(|numbers| {
            let number = numbers.get(at).ok_or_else(|| format!("row {at}: its {FRAME} is null"))?;
            usize::try_from(number).map_err(text)
        });
        rows.add(id, frame.transpose()?, &values.row(at)?)?;
    }
    let names = values.is_scalar().then(|| plan.names(&names));
    let mut found = rows.found(Vec::new());
    found.columns = names;
    Ok(found)
}

/// The columns of values: of numbers, or one of lists.
enum Values {
    Scalars(Vec<Float32Chunked>),
    Lists(ListChunked),
}

impl Values {
    fn new<'a>(columns: impl Iterator<Item = &'a Column>) -> Result<Self, String> {
        let columns: Vec<&Column> = columns.collect();
        if let [column] = columns[..]
            && matches!(column.dtype(), DataType::List(_) | DataType::Array(..))
        {
            let lists = column.cast(&DataType::List(Box::new(DataType::Float32))).map_err(text)?;
            return Ok(Self::Lists(lists.list().map_err(text)?.clone()));
        }
        let is_number = |dtype: &DataType| dtype.is_primitive_numeric();
        let others: Vec<String> = columns
            .iter()
            .filter(|column| !is_number(column.dtype()))
            .map(|column| format!("{} ({})", column.name(), column.dtype()))
            .collect();
        if !others.is_empty() {
            return Err(format!(
                "no columns of numbers: {}\nhint: frontend.values names the column of lists, or the \
                 beginning of the names of those columns that count",
                some_listed(&others)
            ));
        }
        let narrow = |column: &&Column| column.cast(&DataType::Float32)?.f32().cloned();
        Ok(Self::Scalars(columns.iter().map(narrow).collect::<PolarsResult<_>>().map_err(text)?))
    }

    fn is_scalar(&self) -> bool {
        matches!(self, Self::Scalars(_))
    }

    /// A row's values; one that is null is no number.
    fn row(&self, at: usize) -> Result<Vec<f32>, String> {
        match self {
            Self::Scalars(columns) => {
                Ok(columns.iter().map(|column| column.get(at).unwrap_or(f32::NAN)).collect())
            }
            Self::Lists(lists) => {
                let Some(list) = lists.get_as_series(at) else { return Ok(Vec::new()) };
                let values = list.f32().map_err(text)?;
                Ok(values.iter().map(|value| value.unwrap_or(f32::NAN)).collect())
            }
        }
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
