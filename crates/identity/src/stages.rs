//! Which files and crates a stage runs.
//!
//! All stages are modules of one crate, `ambivox-stages`. Of that crate a stage's code is: its own
//! module (`src/<stage>.rs` and `src/<stage>/`), the frame around all stages ([`FRAME`], the
//! manifest), and each further module that one of these names. Of the other crates it is the closure
//! of those that its modules name. So a change in the report trains nothing again.
//!
//! Two modules name more than a stage uses, and what they name does not count: `lib` calls every
//! stage, `error` wraps the errors of every crate. A test holds `error` to that, and the stages to
//! leaving one another alone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::IdentityError;
use crate::sources::{Sources, words};
use crate::workspace::Workspace;

/// The crate of the stages.
pub(crate) const CRATE: &str = "ambivox-stages";
/// Modules named after stages.
pub const STAGES: [&str; 13] = [
    "synth",
    "index",
    "extract",
    "map",
    "normalise",
    "split",
    "noise",
    "correct",
    "train",
    "evaluate",
    "compare_noise",
    "audit",
    "report",
];
/// Modules that every stage runs inside of.
const FRAME: [&str; 5] = ["lib", "program", "job", "reporter", "error"];
/// Those of them whose names do not count.
const UNCOUNTED: [&str; 2] = ["lib", "error"];

/// The crate's top-level modules with their files.
pub(crate) struct Modules {
    files: BTreeMap<String, Vec<PathBuf>>,
    /// Files outside `src/`, such as the manifest.
    others: Vec<PathBuf>,
}

impl Modules {
    pub(crate) fn read(workspace: &Workspace) -> Result<Self, IdentityError> {
        let folder = workspace.folder(CRATE)?;
        let mut modules = Self { files: BTreeMap::new(), others: Vec::new() };
        for file in workspace.files(CRATE)? {
            match module(file.strip_prefix(folder).unwrap_or(&file)) {
                Some(name) => modules.files.entry(name).or_default().push(file),
                None => modules.others.push(file),
            }
        }
        Ok(modules)
    }

    /// Files of a stage in this crate, and the crates that they name.
    pub(crate) fn of(
        &self,
        stage: &str,
        sources: &mut Sources,
    ) -> Result<(Vec<PathBuf>, BTreeSet<String>), IdentityError> {
        let (mut files, mut crates) = (self.others.clone(), BTreeSet::new());
        for name in self.reached(stage, sources)? {
            files.extend(self.files.get(&name).into_iter().flatten().cloned());
            if !UNCOUNTED.contains(&name.as_str()) {
                crates.extend(self.crates(&name, sources)?);
            }
        }
        Ok((files, crates))
    }

    /// The frame, the stage's own module, and the modules that are no stage's and that these name,
    /// directly or through another.
    fn reached(
        &self,
        stage: &str,
        sources: &mut Sources,
    ) -> Result<BTreeSet<String>, IdentityError> {
        let mut reached: BTreeSet<String> = FRAME.into_iter().map(str::to_owned).collect();
        let mut open: Vec<String> = reached.iter().cloned().collect();
        open.retain(|name| !UNCOUNTED.contains(&name.as_str()));
        open.push(stage.to_owned());
        while let Some(name) = open.pop() {
            let words = self.words(&name, sources)?;
            reached.insert(name);
            let named = self.files.keys().filter(|name| !STAGES.contains(&name.as_str()));
            let named = named.filter(|name| words.contains(*name) && !reached.contains(*name));
            open.extend(named.cloned().collect::<Vec<_>>());
        }
        Ok(reached)
    }

    /// Workspace crates that a module names: `ambivox_…` in any place.
    fn crates(
        &self,
        module: &str,
        sources: &mut Sources,
    ) -> Result<BTreeSet<String>, IdentityError> {
        let words = self.words(module, sources)?.into_iter();
        let crates = words.filter(|word| word.starts_with("ambivox_") && word != "ambivox_stages");
        Ok(crates.map(|word| word.replace('_', "-")).collect())
    }

    /// All identifiers of a module.
    fn words(
        &self,
        module: &str,
        sources: &mut Sources,
    ) -> Result<BTreeSet<String>, IdentityError> {
        let mut all = BTreeSet::new();
        for file in self.files.get(module).into_iter().flatten() {
            all.extend(words(&sources.source(file)?.text).map(str::to_owned));
        }
        Ok(all)
    }
}

/// `src/train/fold.rs` is of the module `train`.
fn module(file: &Path) -> Option<String> {
    let inside = file.strip_prefix("src").ok()?;
    let first = Path::new(inside.components().next()?.as_os_str());
    Some(first.file_stem()?.to_str()?.to_owned())
}
