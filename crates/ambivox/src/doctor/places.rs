//! Where results are kept: whether there is room, whether one may write, whether the file system has locks.

use std::path::{Path, PathBuf};

use ambivox_artifacts::{ArtifactError, Store, write_atomically};
use anyhow::{Context as _, Result};
use fs_err as fs;

use super::Fact;
use super::machine::gib;

/// Store and results.
pub(crate) struct Places<'a> {
    pub(crate) store: &'a Path,
    pub(crate) results: &'a Path,
}

impl Places<'_> {
    /// The store's name among the facts.
    pub(super) const STORE: &'static str = "store";

    pub(super) fn facts(&self) -> Vec<Fact> {
        let store = Tried::new(self.store);
        let mut facts = vec![store.fact(Self::STORE, "name another with --store or AMBIVOX_STORE")];
        facts.extend(store.locks(self.store));
        let results = Tried::new(self.results);
        facts.push(results.fact("results", "name another with --results"));
        facts
    }
}

/// A folder, or the nearest above it that is there, written to.
struct Tried {
    /// The folder as it is shown.
    shown: String,
    /// Free bytes, and whether there are locks; or why nothing can be written.
    found: Result<(Option<u64>, bool), String>,
}

impl Tried {
    fn new(folder: &Path) -> Self {
        let state = if folder.exists() { "" } else { " (to be made)" };
        let shown = format!("{}{state}", folder.display());
        let found = nearest(folder).and_then(|there| Ok((free(&there), try_in(&there)?)));
        Self { shown, found: found.map_err(|error| format!("{error:#}")) }
    }

    fn fact(&self, name: &str, hint: &str) -> Fact {
        let Self { shown, found } = self;
        match found {
            Err(why) => Fact::fault(name, format!("{shown} cannot be written: {why}"), hint),
            Ok((free, _)) => {
                let free = free.map_or(String::new(), |free| format!(", {} free", gib(free)));
                Fact::ok(name, format!("writable{free}: {shown}"))
            }
        }
    }

    fn locks(&self, store: &Path) -> Option<Fact> {
        let (_, has_locks) = *self.found.as_ref().ok()?;
        let without = store.join("without-locks").exists();
        Some(if without {
            let why = "the store's file without-locks says not to use any";
            Fact::missing("locks", why, "work may be done twice, and gc does not run")
        } else if has_locks {
            Fact::ok("locks", "the store's file system has them")
        } else {
            let why = "the store's file system has none";
            Fact::missing("locks", why, "work may be done twice, and gc does not run there")
        })
    }
}

/// The folder, else the first above it that is there.
fn nearest(folder: &Path) -> Result<PathBuf> {
    let absolute = std::path::absolute(folder)?;
    let there = absolute.ancestors().find(|folder| folder.exists());
    there.map(Path::to_path_buf).context("no folder above it is there")
}

fn free(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    Some(disk.f_bavail * disk.f_frsize)
}

/// Whether locks are had in a store that is made in the folder, written to and removed.
fn try_in(folder: &Path) -> Result<bool> {
    let probe = folder.join(format!(".ambivox-doctor-{}", std::process::id()));
    let tried = Store::open(&probe).map_err(anyhow::Error::from).and_then(|store| {
        write_atomically(&probe.join("file"), b"written")?;
        match store.hold_alone() {
            Ok(_) => Ok(true),
            Err(ArtifactError::NoLocks(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    });
    // Where it was never made there is nothing to remove.
    fs::remove_dir_all(&probe).ok();
    tried
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::State;

    #[test]
    fn a_folder_is_tried_and_left_as_it_was() {
        let root = tempfile::tempdir().unwrap();
        let (store, results) = (root.path().join("deep/store"), root.path().to_path_buf());
        let places = Places { store: &store, results: &results };
        let facts = places.facts();
        assert_eq!(
            facts.iter().map(|fact| &*fact.name).collect::<Vec<_>>(),
            ["store", "locks", "results"]
        );
        assert!(facts.iter().all(|fact| fact.state == State::Ok), "{facts:?}");
        assert!(facts[0].text.contains("(to be made)"), "{facts:?}");
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0, "something is left over");
        fs::create_dir_all(&store).unwrap();
        fs::write(store.join("without-locks"), "").unwrap();
        assert_eq!(places.facts()[1].state, State::Missing);
    }

    #[test]
    fn a_file_in_the_way_is_a_fault() {
        let root = tempfile::tempdir().unwrap();
        let store = root.path().join("file");
        fs::write(&store, "").unwrap();
        let facts = Places { store: &store, results: root.path() }.facts();
        assert_eq!((facts.len(), facts[0].state), (2, State::Fault), "{facts:?}");
    }
}
