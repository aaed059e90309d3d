//! `table`: features that somebody has computed, from a file or a folder, by utterance.
//!
//! A container of arrays (`.npz`, `.safetensors`, a folder of `.npy`) has one by the name of each
//! utterance, or, with the setting `id`, an array of names beside one of values. A table of columns (`.csv`,
//! `.parquet`) has a column of names, one of frames where its rows are frames, and columns of values.
//! Names are ids of utterances, or paths of their recordings, with or without the extension.

mod arrays;
mod columns;
mod found;

use std::path::{Path, PathBuf};

use ambivox_frontends::{
    Frontend, FrontendError, FrontendKind, Layers, Planned, Session, Utterance,
};
use ambivox_settings::Section;
use fs_err as fs;
use serde::{Deserialize, Serialize};

use found::Found;

/// Registry entry.
pub(super) const KIND: FrontendKind = FrontendKind { name: "table", plan, open };

/// Name of the ids where the setting `id` is left out.
const ID: &str = "utterance_id";
/// Name of the column that numbers an utterance's frames.
const FRAME: &str = "frame";

/// What one row, or one array, is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RowsOf {
    /// An utterance: one vector.
    Utterance,
    /// A frame.
    Frame,
}

/// Which layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "layer: expected a number from 0, \"nested\" or \"learned\"")]
enum Layer {
    /// This one.
    One(usize),
    /// All of them.
    All(All),
}

/// What becomes of all layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum All {
    /// One is chosen inside the training groups.
    Nested,
    /// A model learns how much each counts.
    Learned,
}

/// Section `[frontend]` with `kind = "table"`, without `file`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// What a row is of.
    rows: RowsOf,
    /// The column, or the array, of names.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// The column of lists, the beginning of the columns' names, or the array, that has the values. Where
    /// left out, every column but those of names and of frames.
    #[serde(skip_serializing_if = "Option::is_none")]
    values: Option<String>,
    /// The layer, counted from 0, of arrays that have several; or all, of which a run chooses one.
    #[serde(skip_serializing_if = "Option::is_none")]
    layer: Option<Layer>,
    /// From the start of one frame to that of the next, in seconds, where rows are of frames.
    #[serde(skip_serializing_if = "Option::is_none")]
    step_s: Option<f64>,
}

impl Settings {
    /// The name of the names' column.
    fn id(&self) -> &str {
        self.id.as_deref().unwrap_or(ID)
    }

    fn fault(&self) -> Option<&'static str> {
        match (self.rows, self.step_s) {
            (RowsOf::Frame, None) => Some("step_s: say how long a frame is, in seconds"),
            (RowsOf::Frame, Some(step)) if !(step > 0.0 && step <= 60.0) => {
                Some("step_s: above 0, at most 60 seconds")
            }
            (RowsOf::Utterance, Some(_)) => Some("step_s: goes with rows = \"frame\""),
            (RowsOf::Frame, _) if matches!(self.layer, Some(Layer::All(_))) => {
                Some("layer: all of them go with rows = \"utterance\"; name one")
            }
            _ => None,
        }
    }
}

fn plan(section: &Section, folder: &Path) -> Result<Planned, FrontendError> {
    let fault = |message: String| FrontendError::setting("frontend", message);
    let mut section = section.clone();
    let file = section.take_path("file");
    let settings: Settings = section.read().map_err(fault)?;
    settings.fault().map_or(Ok(()), |text| Err(fault(text.to_owned())))?;
    let Some(file) = file else {
        return Err(fault("file: name the table, relative to the pipeline file".to_owned()));
    };
    let frame_times_s = settings.step_s.map(|step| [step, step]);
    let table = Some(folder.join(file));
    let layers = match settings.layer {
        Some(Layer::All(All::Nested)) => Layers::Chosen,
        Some(Layer::All(All::Learned)) => Layers::Weighed,
        Some(Layer::One(_)) | None => Layers::One,
    };
    layers.settle(&mut section);
    Ok(Planned { section, frame_times_s, hears: false, layers, encodes: false, table })
}

fn open(section: &Section, table: Option<&Path>) -> Result<Box<dyn Frontend>, FrontendError> {
    let fault = |message: String| FrontendError::setting("frontend", message);
    let settings: Settings = section.read().map_err(fault)?;
    let table = table.ok_or_else(|| fault("the table is not among the inputs".to_owned()))?;
    Ok(Box::new(Table::read(table, &settings)?))
}

/// What is wrong with a table, by its name.
fn fault(table: &Path, message: impl std::fmt::Display) -> FrontendError {
    FrontendError::Table { file: table.display().to_string(), message: message.to_string() }
}

/// Reads whatever bytes as a table of a form, one of `npz`, `safetensors` and `csv`, as if each row were an
/// utterance. For those who test with bytes of any origin.
///
/// # Errors
/// They are no such table.
pub fn parse(form: &str, bytes: &[u8]) -> Result<usize, FrontendError> {
    let (id, values) = (None, None);
    let settings = Settings { rows: RowsOf::Utterance, id, values, layer: None, step_s: None };
    let found = match form {
        "npz" => arrays::npz(bytes, &settings),
        "safetensors" => arrays::safetensors(bytes),
        _ => columns::csv(bytes, &settings),
    };
    let found = found.map_err(|message| fault(Path::new(form), message))?;
    Table::new(Path::new(form), found, &settings).map(|table| table.columns.len())
}

/// A table in memory.
#[derive(Debug)]
struct Table {
    path: PathBuf,
    columns: Vec<String>,
    found: Found,
    settings: Settings,
}

impl Table {
    fn read(path: &Path, settings: &Settings) -> Result<Self, FrontendError> {
        Self::new(path, read(path, settings)?, settings)
    }

    fn new(path: &Path, found: Found, settings: &Settings) -> Result<Self, FrontendError> {
        let found = found.chosen(settings.layer).map_err(|message| fault(path, message))?;
        let columns = found.columns(settings.rows).map_err(|message| fault(path, message))?;
        Ok(Self { path: path.to_path_buf(), columns, found, settings: settings.clone() })
    }
}

/// Reads a table by what its name ends in.
fn read(path: &Path, settings: &Settings) -> Result<Found, FrontendError> {
    let named = settings.id.is_some() || settings.values.is_some();
    let by_name = path.is_dir() || path.extension().is_some_and(|e| e == "safetensors");
    if named && by_name {
        let message = "its arrays have the names of utterances; leave frontend.id and \
                       frontend.values out";
        return Err(fault(path, message));
    }
    if path.is_dir() {
        return arrays::folder(path).map_err(|message| fault(path, message));
    }
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let of_bytes = |reader: &dyn Fn(&[u8]) -> Result<Found, String>| {
        reader(&fs::read(path)?).map_err(|message| fault(path, message))
    };
    match extension.to_ascii_lowercase().as_str() {
        "npz" => of_bytes(&|bytes| arrays::npz(bytes, settings)),
        "safetensors" => of_bytes(&arrays::safetensors),
        "csv" => of_bytes(&|bytes| columns::csv(bytes, settings)),
        "parquet" => columns::parquet(fs::File::open(path)?.into_file(), settings)
            .map_err(|message| fault(path, message)),
        _ => Err(fault(
            path,
            "of this form no table is read; give .npz, .safetensors, .csv, .parquet, or a folder of \
             .npy, one an utterance",
        )),
    }
}

impl Frontend for Table {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn hears(&self) -> bool {
        false
    }

    fn adopt(&mut self, id: &dyn Fn(&str) -> Option<String>) -> Result<Vec<String>, FrontendError> {
        let strangers = self.found.adopt(id);
        strangers.map_err(|message| fault(&self.path, message))
    }

    fn session(&self) -> Box<dyn Session + '_> {
        Box::new(self)
    }
}

impl Session for &Table {
    fn describe(&mut self, utterance: &Utterance<'_>) -> Result<Vec<f32>, String> {
        // Of the file nothing is said: it may have another name where what is said here is read.
        let Some(array) = self.found.get(utterance.id) else {
            return Err("the table has nothing of it, neither by id nor by path".to_owned());
        };
        let width = self.columns.len();
        let fits = match (self.settings.rows, &array.shape[..]) {
            (RowsOf::Utterance, [values]) => *values == width,
            (RowsOf::Frame, [frames, values]) => *frames > 0 && *values == width,
            _ => false,
        };
        if !fits {
            return Err(format!(
                "its values in the table have shape {:?}; expected {}",
                array.shape,
                found::expected(self.settings.rows, width)
            ));
        }
        match array.values.iter().position(|value| !value.is_finite()) {
            None => Ok(array.values.clone()),
            Some(at) => Err(format!("value {at} of it in the table is {}", array.values[at])),
        }
    }
}

#[cfg(test)]
mod tests;
