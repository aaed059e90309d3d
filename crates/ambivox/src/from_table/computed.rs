//! The file of vectors or of probabilities, opened as the front end `table` opens it.

use std::path::Path;

use ambivox_corpus::{LabelTable, Names, Utterance};
use ambivox_features::{frontend_kind, plan};
use ambivox_frontends::{Frontend, Utterance as Asked};
use ambivox_models::ProbabilitiesSettings;
use ambivox_settings::{Features, Section, counted, some_listed};
use anyhow::{Context as _, Result};
use toml::Value;

use crate::cli::Tables;
use crate::failure::Failure;

/// What columns, or arrays, of ids may be called where it is not as in the table of labels.
const IDS: [&str; 5] = ["utterance_id", "id", "file", "path", "name"];

/// What is known of the utterances.
pub(super) struct Computed {
    /// Section `[frontend]`.
    pub(super) frontend: Section,
    /// The classes, where there are probabilities of them: the columns in their order.
    pub(super) classes: Option<Vec<String>>,
}

impl Computed {
    /// Opens the file and checks probabilities.
    ///
    /// # Errors
    /// It cannot be read as such a table; a label that is no column of probabilities; values that are no
    /// probabilities.
    pub(super) fn open(tables: &Tables, labels: &LabelTable) -> Result<Self> {
        let file = tables.features.as_deref().or(tables.probabilities.as_deref());
        let file = file.context("neither --features nor --probabilities")?;
        let (frontend, opened) = open(file, tables, &labels.id)?;
        let classes = match tables.probabilities {
            Some(_) => Some(Probabilities { file, labels }.classes(opened)?),
            None => None,
        };
        Ok(Self { frontend, classes })
    }
}

/// The section of the first name of ids that the file has, and its front end.
fn open(file: &Path, tables: &Tables, own: &str) -> Result<(Section, Box<dyn Frontend>)> {
    let base = section(file, tables)?;
    let mut faults = Vec::new();
    for id in ids(file, tables, own) {
        let mut section = base.clone();
        section.settings.extend(id.map(|id| ("id".to_owned(), Value::from(id))));
        match ready(&section) {
            Ok(frontend) => return Ok((section, frontend)),
            Err(fault) => faults.push(fault.to_string()),
        }
    }
    // The front end's word for a name of ids that is not there: what else is at fault is worth more.
    let is_other = |fault: &&String| !fault.contains("frontend.id names");
    let fault = faults.iter().find(is_other).or(faults.first()).context("no name of ids")?;
    Err(Failure::data(format!(
        "{fault}\n\
         hint: ids have the name that they have in --table, or one of {}; frontend.values is --values, and \
         frontend.layer --layer",
        IDS.join(", ")
    )))
}

/// The names of ids to try: none, where arrays have the names of utterances.
fn ids<'a>(file: &Path, tables: &Tables, own: &'a str) -> Vec<Option<&'a str>> {
    let ending = file.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let has_ids = match ending.to_ascii_lowercase().as_str() {
        "csv" | "parquet" => true,
        "npz" => tables.values.is_some(),
        _ => false,
    };
    let names = std::iter::once(own).chain(IDS.into_iter().filter(|id| *id != own));
    if has_ids { names.map(Some).collect() } else { vec![None] }
}

/// The section without a name of ids.
fn section(file: &Path, tables: &Tables) -> Result<Section> {
    let absolute = std::path::absolute(file)?;
    let path = absolute.to_str().ok_or_else(|| {
        Failure::usage(format!("{} is not UTF-8; rename the file or its folder", file.display()))
    })?;
    if !absolute.exists() {
        return Err(Failure::data(format!(
            "{path}: there is no such file\nhint: --features and --probabilities name it"
        )));
    }
    let mut section = Section::bare("table");
    let mut set = |key: &str, value: Value| drop(section.settings.insert(key.to_owned(), value));
    set("file", path.into());
    set("rows", "utterance".into());
    tables.values.as_deref().into_iter().for_each(|values| set("values", values.into()));
    if let Some(layer) = &tables.layer {
        set("layer", layer.parse::<i64>().map_or_else(|_| layer.as_str().into(), Value::from));
    }
    Ok(section)
}

fn ready(section: &Section) -> Result<Box<dyn Frontend>> {
    let none = Section::bare(Features::NO_POOLING);
    let planned = plan(section, &none, Path::new(""))?;
    Ok((frontend_kind(&planned.section)?.open)(&planned.section, planned.table.as_deref())?)
}

/// Probabilities, and the table of labels that they are for.
struct Probabilities<'a> {
    file: &'a Path,
    labels: &'a LabelTable,
}

impl Probabilities<'_> {
    /// The columns, after all has been checked.
    fn classes(&self, mut frontend: Box<dyn Frontend>) -> Result<Vec<String>> {
        self.check_labels(frontend.columns())?;
        let one = |id: &String| Utterance::of("", id, id, "");
        let utterances: Vec<Utterance> = self.labels.ids.iter().map(one).collect();
        let names = Names::new(&utterances);
        frontend.adopt(&|name| Some(names.find(name)?.utterance_id.clone()))?;
        self.check_values(frontend.as_ref())?;
        Ok(frontend.columns().to_vec())
    }

    fn check_labels(&self, columns: &[String]) -> Result<()> {
        let others = self.labels.labels.iter().filter(|(label, _)| !columns.contains(label));
        let others: Vec<String> =
            others.map(|(label, rows)| format!("{label} ({})", counted(*rows, "row"))).collect();
        if others.is_empty() {
            return Ok(());
        }
        Err(self.fault(&format!(
            "no column of probabilities has the name of: {}; the columns are {}\n\
             hint: name the columns as the labels are written, and leave other columns out",
            some_listed(&others),
            some_listed(columns)
        )))
    }

    /// Of utterances that the file has nothing of, the stage that reads it complains.
    fn check_values(&self, frontend: &dyn Frontend) -> Result<()> {
        let mut session = frontend.session();
        let mut faults = Vec::new();
        for id in &self.labels.ids {
            let values = session.describe(&Asked { id, samples: &[] });
            let fault = values.ok().and_then(|values| ProbabilitiesSettings::fault_of(&values));
            faults.extend(fault.map(|fault| format!("{id} ({fault})")));
        }
        if faults.is_empty() {
            return Ok(());
        }
        Err(self.fault(&format!(
            "{} whose values are no probabilities: {}\n\
             hint: give each a value of 0 or above for every label, with a sum of 1 within 0.001; logits \
             become such by a softmax",
            counted(faults.len(), "utterance"),
            some_listed(&faults)
        )))
    }

    fn fault(&self, message: &str) -> anyhow::Error {
        Failure::data(format!("{}: {message}", self.file.display()))
    }
}
