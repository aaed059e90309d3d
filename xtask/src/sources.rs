//! Which sources the programs were built from, kept beside them.
//!
//! Cargo builds a crate again where a file of it is younger than its last build. Files put in place
//! with old times, as `cp -p`, `tar` and `rsync -t` do, it passes over: the old code would run on, and where
//! the build script ran again for another's sake, under the new code's version. So before each build the
//! crates whose contents changed since the last one are made to look changed. And what changes while a
//! program is built is not what the program is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context as _, Result, ensure};
use fs_err as fs;
use serde::{Deserialize, Serialize};
use walkdir::WalkDir;

/// Where that is, in the folder of the programs.
const KEPT: &str = "ambivox.sources.json";
/// What stands for the files that are no crate's.
const WORKSPACE: &str = "the workspace";
/// Those files and folders.
const OF_WORKSPACE: [&str; 6] =
    ["Cargo.toml", "Cargo.lock", ambivox_identity::FILE, ".cargo", "pipelines", "data-manifests"];
/// What is built again where one of those changed.
const TOLD: &str = "crates/ambivox/build.rs";

/// The sources as they are before a build.
pub(crate) struct Sources<'a> {
    root: &'a Path,
    program: &'a Path,
    digests: BTreeMap<String, String>,
}

/// The sources of a program.
#[derive(Debug, Serialize, Deserialize)]
struct Built {
    /// When the program was written.
    written: SystemTime,
    /// A digest of the files of each crate.
    digests: BTreeMap<String, String>,
}

impl<'a> Sources<'a> {
    /// Sets the time of the crates whose change since the last build Cargo might not see.
    pub(crate) fn show_changes(root: &'a Path, program: &'a Path) -> Result<Self> {
        let digests = digests(root)?;
        if let Ok(written) = fs::metadata(program).and_then(|meta| meta.modified()) {
            let built = built(program);
            let is_known = built.as_ref().is_some_and(|built| built.written == written);
            for (name, digest) in &digests {
                let kept = built.as_ref().and_then(|built| built.digests.get(name));
                let changed = built.is_some() && kept != Some(digest);
                if changed || (!is_known && was_replaced(root, name, written)?) {
                    touch(root, name)?;
                }
            }
        }
        Ok(Self { root, program, digests })
    }

    /// Notes that the program was built from them, unless they changed meanwhile.
    pub(crate) fn keep(self) -> Result<()> {
        let written = fs::metadata(self.program)?.modified()?;
        let is_kept = |built: Built| built.written == written && built.digests == self.digests;
        // Nothing was built, so nothing can have come in between.
        if built(self.program).is_some_and(is_kept) {
            return Ok(());
        }
        ensure!(
            digests(self.root)? == self.digests,
            "the sources changed during the build; run again"
        );
        let json = serde_json::to_vec(&Built { written, digests: self.digests })?;
        Ok(ambivox_artifacts::write_atomically(&place(self.program), &json)?)
    }
}

fn built(program: &Path) -> Option<Built> {
    serde_json::from_slice(&fs::read(place(program)).ok()?).ok()
}

fn place(program: &Path) -> PathBuf {
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    program.with_file_name(format!("{name}.{KEPT}"))
}

/// A digest of the files of each crate, and one of those that are no crate's.
fn digests(root: &Path) -> Result<BTreeMap<String, String>> {
    let mut digests = BTreeMap::new();
    for name in names(root)? {
        let mut hasher = blake3::Hasher::new();
        for file in files(root, &name)? {
            let place = file.strip_prefix(root)?.as_os_str().as_encoded_bytes();
            hasher.update(place).update(&[0]).update(&fs::read(&file)?).update(&[0]);
        }
        digests.insert(name, hasher.finalize().to_hex().to_string());
    }
    Ok(digests)
}

fn names(root: &Path) -> Result<Vec<String>> {
    let mut names = vec![WORKSPACE.to_owned()];
    for entry in fs::read_dir(root.join("crates"))? {
        names.push(entry?.path().strip_prefix(root)?.display().to_string());
    }
    Ok(names)
}

fn files(root: &Path, name: &str) -> Result<Vec<PathBuf>> {
    let folders = if name == WORKSPACE { OF_WORKSPACE.to_vec() } else { vec![name] };
    let mut files = Vec::new();
    for folder in folders.into_iter().map(|name| root.join(name)).filter(|path| path.exists()) {
        for entry in WalkDir::new(folder).sort_by_file_name() {
            let entry = entry?;
            files.extend(entry.file_type().is_file().then(|| entry.into_path()));
        }
    }
    Ok(files)
}

/// Whether a file was put in place after the program was written, with an older time.
#[cfg(unix)]
fn was_replaced(root: &Path, name: &str, written: SystemTime) -> Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    use std::time::{Duration, UNIX_EPOCH};
    for file in files(root, name)? {
        let meta = fs::metadata(file)?;
        let changed =
            UNIX_EPOCH + Duration::from_secs(u64::try_from(meta.ctime()).unwrap_or_default());
        if changed > written && meta.modified()? <= written {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Without a time of status change, any file may have been.
#[cfg(not(unix))]
fn was_replaced(_root: &Path, _name: &str, _written: SystemTime) -> Result<bool> {
    Ok(true)
}

/// Gives what Cargo builds a crate from the time of now.
fn touch(root: &Path, name: &str) -> Result<()> {
    let roots = match name {
        WORKSPACE => vec![root.join(TOLD)],
        name => ["src/lib.rs", "src/main.rs"].map(|file| root.join(name).join(file)).to_vec(),
    };
    for file in roots.iter().filter(|file| file.exists()) {
        let opened = fs::OpenOptions::new().write(true).open(file);
        let touched = opened.and_then(|file| file.file().set_modified(SystemTime::now()));
        touched.with_context(|| {
            let file = file.display();
            format!(
                "{file} changed, but its time may say that it did not, so Cargo would not build \
                 it\nhint: `touch {file}` and run again"
            )
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const OLD: SystemTime = SystemTime::UNIX_EPOCH;

    /// A workspace of old files, and a program that was built from it a moment ago.
    struct House(tempfile::TempDir);

    impl House {
        fn new() -> Self {
            let house = Self(tempfile::tempdir().unwrap());
            house.write("crates/a/src/lib.rs", "a");
            house.write("crates/a/src/inner.rs", "a");
            house.write("crates/b/src/main.rs", "b");
            house.write("crates/ambivox/build.rs", "build");
            house.write("Cargo.lock", "one");
            let program = house.path("target/program");
            fs::create_dir_all(house.path("target")).unwrap();
            fs::write(&program, "program").unwrap();
            Sources::show_changes(house.0.path(), &program).unwrap().keep().unwrap();
            house
        }

        fn build(&self, written: SystemTime) {
            self.set_time("target/program", written);
        }

        fn write(&self, name: &str, text: &str) {
            let file = self.path(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, text).unwrap();
            self.set_time(name, OLD);
        }

        fn set_time(&self, name: &str, time: SystemTime) {
            let file = fs::OpenOptions::new().write(true).open(self.path(name)).unwrap();
            file.file().set_modified(time).unwrap();
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        /// What looks changed once a build has begun.
        fn changed(&self) -> Vec<&str> {
            let program = self.path("target/program");
            Sources::show_changes(self.0.path(), &program).unwrap();
            let roots = ["crates/a/src/lib.rs", "crates/b/src/main.rs", TOLD];
            let time = |name: &&str| fs::metadata(self.path(name)).unwrap().modified().unwrap();
            roots.into_iter().filter(|name| time(name) != OLD).collect()
        }
    }

    #[test]
    fn what_is_replaced_with_old_times_is_made_to_look_changed() {
        let house = House::new();
        assert_eq!(house.changed(), [""; 0], "what did not change is left alone");
        house.write("crates/a/src/inner.rs", "another");
        assert_eq!(house.changed(), ["crates/a/src/lib.rs"]);
        let house = House::new();
        house.write("Cargo.lock", "another");
        assert_eq!(house.changed(), [TOLD]);
    }

    /// Of a program that somebody else built, only what came after it with old times is doubtful.
    #[test]
    fn what_was_put_in_place_after_a_build_elsewhere_is_built_again() {
        let house = House::new();
        house.build(SystemTime::now() + Duration::from_hours(1));
        assert_eq!(house.changed(), [""; 0]);
        house.build(SystemTime::now() - Duration::from_mins(30));
        assert_eq!(house.changed().len(), 3);
    }

    #[test]
    fn what_changes_during_a_build_is_not_kept() {
        let house = House::new();
        let program = house.path("target/program");
        let sources = Sources::show_changes(house.0.path(), &program).unwrap();
        house.write("crates/b/src/main.rs", "edited");
        fs::write(&program, "another program").unwrap();
        let error = sources.keep().unwrap_err();
        assert!(error.to_string().contains("changed during the build"), "{error}");
        assert_eq!(house.changed(), ["crates/b/src/main.rs"]);
    }
}
