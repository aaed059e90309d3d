//! A reference table in memory.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use fs_err as fs;
use polars::prelude::{DataFrame, DataType, ParquetReader, PolarsResult, SerReader as _};

use crate::failure::Failure;

/// Column of the files' names.
const FILE: &str = "file";

/// Rows in time order by file, row-major frames × columns.
pub(crate) struct Reference {
    pub(crate) files: BTreeMap<String, Vec<f32>>,
}

impl Reference {
    /// Reads these columns of a table with a row per frame. A file whose one row has no numbers, as
    /// openSMILE writes for what is shorter than a frame, has no frame.
    pub(crate) fn read(path: &Path, columns: &[String]) -> Result<Self> {
        let file = fs::File::open(path).map_err(|error| Failure::Usage(error.to_string()))?;
        let fault = |what: String| Failure::Data(format!("{}: {what}", path.display()));
        let mut reader = ParquetReader::new(file.into_file());
        let schema = reader.schema().map_err(|error| fault(error.to_string()))?;
        let wanted: Vec<String> = [FILE.to_owned()].into_iter().chain(columns.to_vec()).collect();
        let missing: Vec<&String> = wanted.iter().filter(|name| !schema.contains(name)).collect();
        if !missing.is_empty() {
            let names = missing.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
            let hint = "hint: `--set` names the feature set that the reference was made with";
            return Err(fault(format!("there is no column {names}\n{hint}")).into());
        }
        let rows = reader.with_columns(Some(wanted)).finish();
        let files = rows.and_then(|rows| by_file(&rows, columns));
        Ok(Self { files: files.map_err(|error| fault(error.to_string()))? })
    }
}

fn by_file(rows: &DataFrame, columns: &[String]) -> PolarsResult<BTreeMap<String, Vec<f32>>> {
    let column = |name: &String| -> PolarsResult<Vec<f32>> {
        let values = rows.column(name)?.cast(&DataType::Float32)?;
        Ok(values.f32()?.iter().map(|value| value.unwrap_or(f32::NAN)).collect())
    };
    let values = columns.iter().map(column).collect::<PolarsResult<Vec<_>>>()?;
    let names = rows.column(FILE)?.cast(&DataType::String)?;
    let mut files: BTreeMap<String, Vec<f32>> = BTreeMap::new();
    for (row, name) in names.str()?.iter().enumerate() {
        let frames = files.entry(name.unwrap_or_default().to_owned()).or_default();
        frames.extend(values.iter().map(|column| column[row]));
    }
    for frames in files.values_mut() {
        if frames.len() == columns.len() && frames.iter().all(|value| value.is_nan()) {
            frames.clear();
        }
    }
    Ok(files)
}
