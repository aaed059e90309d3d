//! All records of a store, and whether their outputs are what they were.

use std::path::PathBuf;

use fs_err as fs;

use super::Store;
use crate::{ArtifactError, Digest, Record, StaleReason};

/// What lies in the store's folder of records.
#[derive(Debug, Default)]
pub struct Records {
    /// Those that are whole, by stage and key.
    pub whole: Vec<Record>,
    /// Files that are not: cut short, altered, or of another version. They do not count.
    pub broken: Vec<PathBuf>,
}

impl Store {
    /// Every record there is.
    pub fn records(&self) -> Result<Records, ArtifactError> {
        let mut records = Records::default();
        for (stage, folder) in entries(&self.root().join("records"))? {
            for (name, file) in entries(&folder)? {
                let key = name.strip_suffix(".json").and_then(|key| key.parse::<Digest>().ok());
                // Another name is that of a file whose writer died: no record, and no harm.
                let Some(key) = key else { continue };
                match self.record(&stage, &key)? {
                    Some(record) => records.whole.push(record),
                    None => records.broken.push(file),
                }
            }
        }
        Ok(records)
    }

    /// What is wrong with the outputs of a record, every byte of them read. The memo learns what was
    /// found, so that the next lookup finds it too.
    pub fn verify(&self, record: &Record) -> Result<Vec<StaleReason>, ArtifactError> {
        let folder = self.outputs(&record.parts.stage, &record.key);
        let mut damage = Vec::new();
        for (role, output) in &record.outputs {
            self.memo().forget(&folder.join(&output.name))?;
            damage.extend(self.damage(&folder, role, output)?);
        }
        Ok(damage)
    }
}

/// Names and paths in a folder, sorted; nothing where there is no folder.
pub(super) fn entries(folder: &std::path::Path) -> Result<Vec<(String, PathBuf)>, ArtifactError> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        found.push((entry.file_name().to_string_lossy().into_owned(), entry.path()));
    }
    found.sort();
    Ok(found)
}
