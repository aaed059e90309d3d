//! What a table has, whatever its form: arrays by name.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use ambivox_frontends::of_layer;
use ambivox_settings::some_listed;

use super::{Layer, RowsOf};

/// Values of one utterance, row-major.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Array {
    pub(super) shape: Vec<usize>,
    pub(super) values: Vec<f32>,
}

impl Array {
    /// Its part at this index of the first axis; nothing where there is none.
    fn part(&self, at: usize) -> Option<Self> {
        let (first, rest) = self.shape.split_first().filter(|(first, _)| at < **first)?;
        let size = self.values.len() / first;
        let values = self.values[at * size..(at + 1) * size].to_vec();
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
        match self.arrays.entry(name) {
            Entry::Occupied(found) => self.doubled.push(found.key().clone()),
            Entry::Vacant(place) => drop(place.insert(array)),
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Array> {
        self.arrays.get(name)
    }

    /// Takes names for ids; returns those that are of no utterance. Errors: two names of one utterance, all
    /// such.
    pub(super) fn adopt(
        &mut self,
        id: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Vec<String>, String> {
        let (mut strangers, mut twice) = (Vec::new(), Vec::new());
        let mut adopted: BTreeMap<String, (String, Array)> = BTreeMap::new();
        for (name, array) in std::mem::take(&mut self.arrays) {
            match id(&name) {
                None => strangers.push(name),
                Some(id) => match adopted.get(&id) {
                    Some((other, _)) => twice.push(format!("{other} and {name}")),
                    None => drop(adopted.insert(id, (name, array))),
                },
            }
        }
        self.arrays = adopted.into_iter().map(|(id, (_, array))| (id, array)).collect();
        if twice.is_empty() {
            return Ok(strangers);
        }
        Err(format!("two rows of one utterance: {}; leave one for each", some_listed(&twice)))
    }

    /// The arrays of a layer, where one is chosen. Errors: names that came twice, all of them; arrays
    /// that have no such layer.
    pub(super) fn chosen(mut self, layer: Option<Layer>) -> Result<Self, String> {
        if !self.doubled.is_empty() {
            let names = some_listed(&self.doubled);
            return Err(format!("there more than once: {names}; leave one row for each"));
        }
        let layer = match layer {
            None => return Ok(self),
            Some(Layer::All(_)) => return self.layers(),
            Some(Layer::One(layer)) => layer,
        };
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
        Err(format!("no layer {layer} on the first axis of: {}", some_listed(&without)))
    }

    /// The arrays of all layers, one after the other in a row. Errors: arrays that have no layers, or not as
    /// many as the first.
    fn layers(mut self) -> Result<Self, String> {
        let first =
            self.arrays.values().next().map(|array| array.shape.clone()).unwrap_or_default();
        let [layers, width] = first[..] else {
            return Err(format!(
                "shape {first:?}; expected [layers, values] to choose a layer from"
            ));
        };
        let others = self.arrays.iter().filter(|(_, array)| array.shape != first);
        let others: Vec<String> =
            others.map(|(name, array)| format!("{name} {:?}", array.shape)).collect();
        if !others.is_empty() {
            return Err(format!("shapes other than {first:?}: {}", some_listed(&others)));
        }
        for array in self.arrays.values_mut() {
            array.shape = vec![layers * width];
        }
        let names = |layer| (0..width).map(move |at| format!("{}value_{at}", of_layer(layer)));
        self.columns = Some((0..layers).flat_map(names).collect());
        Ok(self)
    }

    /// Names of the values of a row. Errors: no array has the shape of a vector, or of frames.
    pub(super) fn columns(&self, rows: RowsOf) -> Result<Vec<String>, String> {
        let axes = if rows == RowsOf::Utterance { 1 } else { 2 };
        // What most have is meant, and an utterance with another is named; of equal numbers the widest.
        let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
        for array in self.arrays.values().filter(|array| array.shape.len() == axes) {
            *counts.entry(array.shape[axes - 1]).or_default() += 1;
        }
        let width = counts.into_iter().filter(|(width, _)| *width > 0);
        let width =
            width.max_by_key(|&(width, count)| (count, width)).map_or(0, |(width, _)| width);
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
