//! Which sources the programs were built from, kept beside them.
//!
//! Cargo builds a crate anew where a file of it is younger than its last build. Files put in place
//! with old times, as `cp -p`, `tar` and `rsync -t` do, it passes over, and the old code would run on. So
//! before each build the crates whose contents changed since the last one are made to look changed.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context as _, Result};
use fs_err as fs;
use walkdir::WalkDir;

/// Where the digests of the last build are, in the folder of the programs.
const KEPT: &str = "ambivox.sources.json";

/// Sets the time of the crates that are not what they were when programs were last built into this folder;
/// and notes what they are now, for the next time.
pub(crate) fn show_changes(root: &Path, programs: &Path) -> Result<()> {
    let file = programs.join(KEPT);
    let before: Option<BTreeMap<String, String>> =
        fs::read(&file).ok().and_then(|json| serde_json::from_slice(&json).ok());
    let now = digests(root)?;
    let Some(before) = before.filter(|before| *before != now) else {
        return keep(&file, &now);
    };
    for (name, _) in now.iter().filter(|(name, digest)| before.get(*name) != Some(*digest)) {
        touch(&root.join(name))?;
    }
    keep(&file, &now)
}

fn keep(file: &Path, digests: &BTreeMap<String, String>) -> Result<()> {
    let json = serde_json::to_vec(digests)?;
    let is_kept = fs::read(file).is_ok_and(|kept| kept == json);
    let folder = file.parent().context("a file in no folder")?;
    fs::create_dir_all(folder)?;
    if is_kept { Ok(()) } else { Ok(ambivox_artifacts::write_atomically(file, &json)?) }
}

/// A digest of the files of each crate.
fn digests(root: &Path) -> Result<BTreeMap<String, String>> {
    let mut digests = BTreeMap::new();
    for entry in fs::read_dir(root.join("crates"))? {
        let folder = entry?.path();
        let mut hasher = blake3::Hasher::new();
        for entry in WalkDir::new(&folder).sort_by_file_name() {
            let entry = entry?;
            if entry.file_type().is_file() {
                let name = entry.path().strip_prefix(&folder)?.as_os_str().as_encoded_bytes();
                hasher.update(name).update(&[0]).update(&fs::read(entry.path())?).update(&[0]);
            }
        }
        let name = folder.strip_prefix(root)?.display().to_string();
        digests.insert(name, hasher.finalize().to_hex().to_string());
    }
    Ok(digests)
}

/// Gives the roots of a crate the time of now, by which Cargo builds it.
fn touch(folder: &Path) -> Result<()> {
    for root in ["src/lib.rs", "src/main.rs"].map(|root| folder.join(root)) {
        if root.exists() {
            let file = fs::OpenOptions::new().write(true).open(&root);
            let touched = file.and_then(|file| file.file().set_modified(SystemTime::now()));
            touched.with_context(|| {
                let root = root.display();
                format!(
                    "{root} changed, but its time may say that it did not, so Cargo would not build \
                     it\nhint: `touch {root}` and run again"
                )
            })?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    const OLD: SystemTime = SystemTime::UNIX_EPOCH;

    struct House(tempfile::TempDir);

    impl House {
        fn write(&self, name: &str, text: &str) {
            let file = self.path(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, text).unwrap();
            fs::OpenOptions::new()
                .write(true)
                .open(file)
                .unwrap()
                .file()
                .set_modified(OLD)
                .unwrap();
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        /// Whether the roots of both crates look changed once a build has begun.
        fn changed(&self) -> [bool; 2] {
            show_changes(self.0.path(), &self.path("target/debug")).unwrap();
            ["crates/a/src/lib.rs", "crates/b/src/main.rs"]
                .map(|root| fs::metadata(self.path(root)).unwrap().modified().unwrap() != OLD)
        }
    }

    #[test]
    fn a_crate_replaced_with_old_times_is_made_to_look_changed() {
        let house = House(tempfile::tempdir().unwrap());
        house.write("crates/a/src/lib.rs", "a");
        house.write("crates/a/src/inner.rs", "a");
        house.write("crates/b/src/main.rs", "b");
        assert_eq!(house.changed(), [false, false], "of the first build nothing is known");
        assert_eq!(house.changed(), [false, false], "what did not change is left alone");
        house.write("crates/a/src/inner.rs", "another");
        assert_eq!(house.changed(), [true, false]);
        house.write("crates/a/src/lib.rs", "a");
        assert_eq!(house.changed(), [false, false], "it is known by now");
    }
}
