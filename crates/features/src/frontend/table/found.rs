//! What a table has, whatever its form: arrays by name.

use std::collections::BTreeMap;

use super::RowsOf;

/// So many names are listed in a message; of more, the number is told.
const MOST_NAMED: usize = 20;

/// Values of one utterance, row-major.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Array {
    pub(super) shape: Vec<usize>,
    pub(super) values: Vec<f32>,
}

impl Array {
    /// Its part at this index of the first axis; nothing where there is none.
    fn part(&self, at: usize) -> Option<Self> {
        let (&first, rest) = self.shape.split_first()?;
        let size: usize = rest.iter().product();
        let values = self.values.get(at * size..(at + 1) * size).filter(|_| at < first)?.to_vec();
        (!rest.is_empty()).then(|| Self { shape: rest.to_vec(), values })
    }
}

/// Arrays by name, and the names of their values where the table has any.
#[derive(Debug, Default)]
pub(super) struct Found {
    arrays: BTreeMap<String, Array>,
    /// Names that came more than once.
    doubled: Vec<String>,
    pub(super) columns: Option<Vec<String>>,
}

impl Found {
    pub(super) fn add(&mut self, name: String, array: Array) {
        if self.arrays.contains_key(&name) {
            self.doubled.push(name);
        } else {
            self.arrays.insert(name, array);
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Array> {
        self.arrays.get(name)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.arrays.keys().map(String::as_str)
    }

    /// The arrays of a layer, where one is chosen. Errors: names that came twice, all of them; arrays
    /// that have no such layer.
    pub(super) fn chosen(mut self, layer: Option<usize>) -> Result<Self, String> {
        if !self.doubled.is_empty() {
            let names = listed(&self.doubled);
            return Err(format!("there more than once: {names}; leave one row for each"));
        }
        let Some(layer) = layer else { return Ok(self) };
        let mut without = Vec::new();
        for (name, array) in &mut self.arrays {
            match array.part(layer) {
                Some(part) => *array = part,
                None => without.push(format!("{name} {:?}", array.shape)),
            }
        }
        if without.is_empty() {
            return Ok(self);
        }
        Err(format!("no layer {layer} on the first axis of: {}", listed(&without)))
    }

    /// Names of the values of a row. Errors: no array has the shape of a vector, or of frames.
    pub(super) fn columns(&self, rows: RowsOf) -> Result<Vec<String>, String> {
        let axes = if rows == RowsOf::Utterance { 1 } else { 2 };
        let first = self.arrays.values().find(|array| array.shape.len() == axes);
        let width = first.and_then(|array| array.shape.last().copied()).unwrap_or(0);
        if width == 0 {
            let example = self.arrays.iter().next();
            let example = example.map_or("it has no row".to_owned(), |(name, array)| {
                format!("{name} has shape {:?}", array.shape)
            });
            let expected = expected(rows, "values");
            return Err(format!(
                "{example}; expected {expected}\nhint: frontend.rows says what a row is of, \
                 frontend.layer chooses one of several on the first axis"
            ));
        }
        let numbered = || (0..width).map(|at| format!("value_{at}")).collect();
        Ok(self.columns.clone().unwrap_or_else(numbered))
    }
}

/// The shape that arrays have to have.
pub(super) fn expected(rows: RowsOf, width: impl std::fmt::Display) -> String {
    match rows {
        RowsOf::Utterance => format!("[{width}], one vector of an utterance"),
        RowsOf::Frame => format!("[frames, {width}]"),
    }
}

/// The first of some names, and how many more there are.
pub(crate) fn listed(names: &[String]) -> String {
    let mut text = names[..names.len().min(MOST_NAMED)].join(", ");
    if names.len() > MOST_NAMED {
        text += &format!(" and {} more", names.len() - MOST_NAMED);
    }
    text
}
