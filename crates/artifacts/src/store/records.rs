//! All records of a store, and whether their outputs are what they were.

use std::path::PathBuf;

use fs_err as fs;

use super::Store;
use crate::record::Found;
use crate::{ArtifactError, Digest, Record, StaleReason};

/// What lies in the store's folder of records.
#[derive(Debug, Default)]
pub struct Records {
    /// Those that are whole, by stage and key.
    pub whole: Vec<Record>,
    /// Files that are not: cut short, altered, or not to be read. They do not count.
    pub broken: Vec<PathBuf>,
    /// How many are of an earlier version. They do not count either.
    pub outdated: usize,
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
                match self.found(&stage, &key) {
                    Ok(Some(Found::Whole(record))) => records.whole.push(*record),
                    Ok(Some(Found::Outdated)) => records.outdated += 1,
                    Ok(Some(Found::Damaged)) | Err(_) => records.broken.push(file),
                    // Another process has just made it again, or removed it.
                    Ok(None) => {}
                }
            }
        }
        Ok(records)
    }

    /// What is wrong with the outputs of a record, every byte of them read. The memo learns what was
    /// found, so that the next lookup finds it too.
    pub fn verify(&self, record: &Record) -> Vec<StaleReason> {
        let folder = self.outputs(&record.parts.stage, &record.key);
        let damage = record.outputs.iter().filter_map(|(role, output)| {
            self.memo().forget(&folder.join(&output.name));
            self.damage(&folder, role, output).unwrap_or_else(|error| {
                let (role, error) = (role.clone(), error.to_string());
                Some(StaleReason::OutputUnreadable { role, error })
            })
        });
        damage.collect()
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
