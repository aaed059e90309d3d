//! Removal of orders that are old, and of programs that no order names.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::Result;
use fs_err as fs;

use super::order::{self, Order, OrderFolder};
use super::programs;

/// Removes the orders written before `since`, and the programs of none. The caller makes sure that
/// nobody else uses the store; a job that waits in a queue longer than that finds no order.
pub(crate) fn sweep(store: &Path, since: SystemTime) -> Result<()> {
    let mut named = BTreeSet::new();
    for folder in entries(&order::folder(store))? {
        if fs::metadata(&folder)?.modified()? < since {
            fs::remove_dir_all(folder)?;
        } else if let Ok(order) = Order::read(&OrderFolder::at(&folder).order()) {
            named.insert(programs::name(&order.program)?);
        }
    }
    for folder in entries(&programs::folder(store))? {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        if !named.contains(name.as_ref()) {
            fs::remove_dir_all(folder)?;
        }
    }
    Ok(())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(folder)?;
    Ok(entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?)
}
