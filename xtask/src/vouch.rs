//! Which sources the stage program was built from, kept beside it.
//!
//! Cargo builds a crate anew where a file of it is younger than its last build. Files put in place
//! with old times, as `cp -p`, `tar` and `rsync -t` do, it passes over: the old code would run under
//! the new code's key. So before each build the crates whose contents changed while no file of them
//! is younger than the program are made to look changed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ambivox_artifacts::{Digest, write_atomically};
use anyhow::{Context as _, Result};
use fs_err as fs;
use serde::{Deserialize, Serialize};

use crate::code::Codes;

/// What is known of a program.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Voucher {
    /// Its length.
    bytes: u64,
    /// When it was written, in nanoseconds since 1970.
    modified_ns: u128,
    /// Digest of the files of each crate, by stage.
    stages: BTreeMap<String, BTreeMap<String, Digest>>,
}

impl Voucher {
    fn of(program: &Path, codes: &Codes) -> Result<Self> {
        let meta = fs::metadata(program)?;
        let since = meta.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut stages: BTreeMap<String, BTreeMap<String, Digest>> = BTreeMap::new();
        for ((stage, name), digest) in codes.sources() {
            stages.entry(stage).or_default().insert(name, digest);
        }
        Ok(Self { bytes: meta.len(), modified_ns: since.as_nanos(), stages })
    }

    fn is_of(&self, other: &Self) -> bool {
        (self.bytes, self.modified_ns) == (other.bytes, other.modified_ns)
    }

    /// When the program was written.
    fn built(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_nanos(u64::try_from(self.modified_ns).unwrap_or(u64::MAX))
    }

    /// Whether a crate's contents are the same in all stages.
    fn agrees(&self, other: &Self, name: &str) -> bool {
        let digest = |crates: &BTreeMap<String, Digest>| crates.get(name).copied();
        let same = |(stage, crates)| other.stages.get(stage).and_then(digest) == digest(crates);
        self.stages.iter().all(same)
    }

    fn crates(&self) -> BTreeSet<&str> {
        self.stages.values().flat_map(|crates| crates.keys().map(String::as_str)).collect()
    }
}

/// Notes that the program was built from this code.
pub(crate) fn keep(program: &Path, codes: &Codes) -> Result<()> {
    let json = serde_json::to_vec_pretty(&Voucher::of(program, codes)?)?;
    Ok(write_atomically(&place(program), &json)?)
}

/// Sets the time of the crates that Cargo would take for unchanged since the program was built,
/// though they changed. `codes` must have been asked for all stages.
pub(crate) fn show_changes(program: &Path, codes: &Codes) -> Result<()> {
    if !program.exists() {
        return Ok(());
    }
    let old: Option<Voucher> =
        fs::read(place(program)).ok().and_then(|json| serde_json::from_slice(&json).ok());
    let now = Voucher::of(program, codes)?;
    for name in now.crates() {
        let folder = codes.workspace()?.folder(name)?;
        let files = codes.workspace()?.files(name)?;
        let times: Vec<Times> =
            files.iter().map(|file| times(&folder.join(file))).collect::<Result<_>>()?;
        if overlooked(name, &now, old.as_ref(), &times) {
            touch(folder)?;
        }
    }
    Ok(())
}

/// Whether a crate changed since the program that `old` speaks of without a younger file; or, where
/// somebody else has built since, whether a file was put in place after that with an older time.
fn overlooked(name: &str, now: &Voucher, old: Option<&Voucher>, times: &[Times]) -> bool {
    let younger = |than: SystemTime| times.iter().any(|time| time.modified > than);
    let changed = old.is_some_and(|old| !now.agrees(old, name) && !younger(old.built()));
    let built = now.built();
    let unknown = !old.is_some_and(|old| old.is_of(now));
    let replaced = || times.iter().any(|time| time.changed > built) && !younger(built);
    changed || (unknown && replaced())
}

fn place(program: &Path) -> PathBuf {
    program.with_extension("code.json")
}

/// When a file was last written, by its own word, and when it was put in place.
struct Times {
    modified: SystemTime,
    changed: SystemTime,
}

#[cfg(unix)]
fn times(file: &Path) -> Result<Times> {
    use std::os::unix::fs::MetadataExt as _;
    let meta = fs::metadata(file)?;
    let seconds = Duration::from_secs(u64::try_from(meta.ctime()).unwrap_or_default());
    let rest = Duration::from_nanos(u64::try_from(meta.ctime_nsec()).unwrap_or_default());
    Ok(Times { modified: meta.modified()?, changed: UNIX_EPOCH + seconds + rest })
}

/// Without a time of status change, any file may have been put in place just now.
#[cfg(not(unix))]
fn times(file: &Path) -> Result<Times> {
    Ok(Times { modified: fs::metadata(file)?.modified()?, changed: SystemTime::now() })
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
                    "{root} changed, but its time says that it did not, so Cargo would not build \
                     it\nhint: `touch {root}` and run again"
                )
            })?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use ambivox_artifacts::StatMemo;

    use super::*;
    use crate::code::tests::copy;

    const OLD: SystemTime = UNIX_EPOCH;

    /// A copy of the workspace, all of it old, and a program that was built from it.
    struct Built {
        folder: tempfile::TempDir,
        program: PathBuf,
    }

    impl Built {
        fn new() -> Self {
            let folder = copy();
            let program = folder.path().join("ambivox");
            fs::write(&program, "program").unwrap();
            set_time(&program, SystemTime::now() - Duration::from_hours(1));
            let built = Self { folder, program };
            for entry in walkdir::WalkDir::new(built.folder.path().join("crates")) {
                let entry = entry.unwrap();
                if entry.file_type().is_file() {
                    set_time(entry.path(), OLD);
                }
            }
            keep(&built.program, &built.codes()).unwrap();
            built
        }

        fn codes(&self) -> Codes {
            let mut codes = Codes::new(self.folder.path(), BTreeMap::new()).unwrap();
            codes.all(&StatMemo::in_memory()).unwrap();
            codes
        }

        fn edit(&self, name: &str, time: SystemTime) {
            let file = self.folder.path().join("crates").join(name);
            let text = fs::read_to_string(&file).unwrap_or_default();
            fs::write(&file, format!("{text}// edited\n")).unwrap();
            set_time(&file, time);
        }

        /// Crates whose root has been touched.
        fn touched(&self) -> Vec<String> {
            show_changes(&self.program, &self.codes()).unwrap();
            let folders = fs::read_dir(self.folder.path().join("crates")).unwrap();
            let mut touched = Vec::new();
            for folder in folders.map(|entry| entry.unwrap().path()) {
                let roots = ["src/lib.rs", "src/main.rs"].map(|root| folder.join(root));
                let root = roots.iter().find(|root| root.exists()).unwrap();
                if fs::metadata(root).unwrap().modified().unwrap() != OLD {
                    touched.push(folder.file_name().unwrap().to_str().unwrap().to_owned());
                }
            }
            touched.sort();
            touched
        }
    }

    fn set_time(file: &Path, time: SystemTime) {
        fs::OpenOptions::new().write(true).open(file).unwrap().file().set_modified(time).unwrap();
    }

    #[test]
    fn a_crate_replaced_with_old_times_is_made_to_look_changed() {
        let built = Built::new();
        assert!(built.touched().is_empty(), "what did not change is left alone");
        built.edit("lld/src/lib.rs", OLD);
        built.edit("stages/src/train.rs", OLD);
        assert_eq!(built.touched(), ["lld", "stages"]);
    }

    #[test]
    fn an_edit_that_cargo_sees_is_left_to_it() {
        let built = Built::new();
        built.edit("lld/README.md", SystemTime::now());
        assert!(built.touched().is_empty());
    }

    /// Of a program that somebody else built, only what came after it with old times is doubtful.
    #[test]
    fn what_was_put_in_place_after_a_build_elsewhere_is_built_anew() {
        let built = Built::new();
        fs::write(&built.program, "another program").unwrap();
        set_time(&built.program, SystemTime::now() + Duration::from_hours(1));
        assert!(built.touched().is_empty());
        set_time(&built.program, SystemTime::now() - Duration::from_hours(1));
        let touched = built.touched();
        assert!(touched.contains(&"stages".to_owned()) && touched.contains(&"lld".to_owned()));
    }
}
