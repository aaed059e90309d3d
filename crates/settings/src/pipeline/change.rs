//! A pipeline with other values for some of its settings.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::Pipeline;
use crate::error::in_one_line;

/// Sections whose settings may be given other values: those that training alone reads.
const SECTIONS: [&str; 3] = ["training", "model", "methods"];

impl Pipeline {
    /// The numbers and names that the pipeline gives to training, by path, such as
    /// `methods.lw.label_rate`; lists are not among them.
    pub fn training_settings(&self) -> BTreeMap<String, Value> {
        let mut found = BTreeMap::new();
        let table = self.table();
        for section in SECTIONS {
            table.get(section).into_iter().for_each(|value| collect(section, value, &mut found));
        }
        found
    }

    /// The pipeline with these settings, by path, changed.
    ///
    /// Errors: a path that [`Self::training_settings`] does not have, a value of the wrong type, or
    /// one that the setting may not have; the message names the path.
    pub fn with(&self, settings: &BTreeMap<String, Value>) -> Result<Self, String> {
        let (there, mut table) = (self.training_settings(), self.table());
        for (path, value) in settings {
            let place = there.contains_key(path).then(|| place(&mut table, path)).flatten();
            *place.ok_or_else(|| format!("{path}: no such setting"))? = value.clone();
        }
        let changed: Self = table.try_into().map_err(|error| in_one_line(&error))?;
        changed.fault().map_or(Ok(changed), Err)
    }

    /// The pipeline as TOML. Every pipeline comes from TOML or could, so that writing it back
    /// cannot fail; what fails regardless has no settings.
    fn table(&self) -> Table {
        Table::try_from(self).unwrap_or_default()
    }
}

fn collect(path: &str, value: &Value, found: &mut BTreeMap<String, Value>) {
    match value {
        Value::Table(table) => {
            table.iter().for_each(|(key, value)| collect(&format!("{path}.{key}"), value, found));
        }
        Value::Array(_) => {}
        scalar => drop(found.insert(path.to_owned(), scalar.clone())),
    }
}

fn place<'a>(table: &'a mut Table, path: &str) -> Option<&'a mut Value> {
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    let value = table.get_mut(first)?;
    if rest.is_empty() { Some(value) } else { place(value.as_table_mut()?, rest) }
}
