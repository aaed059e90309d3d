//! Which code a stage runs.
//!
//! All stages are modules of one crate, `ambivox-stages`, and link into one binary. Of that crate a
//! stage's code is: its own module (`src/<stage>.rs` and `src/<stage>/`), the frame around all
//! stages ([`FRAME`], the manifest), and each further module that one of these names. Of the other
//! crates it is the closure of those that its modules name. So a change in the report trains nothing
//! anew. A name in a comment counts too: that costs a run too many, never one too few.
//!
//! Two modules name more than a stage uses, and what they name does not count: `lib` calls every
//! stage, `error` wraps the errors of every crate. A test holds `error` to that, and the stages to
//! leaving one another alone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use ambivox_artifacts::{CodeParts, Digest, StageSource, StatMemo, Workspace};
use anyhow::{Context as _, Result};
use fs_err as fs;

/// The crate of the stages.
const STAGES: &str = "ambivox-stages";
/// Modules named after stages.
pub(crate) const NAMES: [&str; 11] = [
    "synth",
    "index",
    "extract",
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
const FRAME: [&str; 5] = ["main", "lib", "job", "reporter", "error"];
/// Those of them whose names do not count.
const UNCOUNTED: [&str; 2] = ["lib", "error"];

/// The code of the stages, each digested once.
pub(crate) struct Codes {
    /// `None` where the code is known by what was told of it alone.
    sources: Option<Sources>,
    known: BTreeMap<String, (Digest, CodeParts)>,
}

/// Where the code is read.
struct Sources {
    workspace: Workspace,
    modules: Modules,
    tools: BTreeMap<String, String>,
}

impl Codes {
    /// The code in the workspace at `root`, compiled by `tools`.
    pub(crate) fn new(root: &Path, tools: BTreeMap<String, String>) -> Result<Self> {
        let workspace = Workspace::read(root)?;
        let modules = Modules::read(&workspace)?;
        Ok(Self { sources: Some(Sources { workspace, modules, tools }), known: BTreeMap::new() })
    }

    /// Code that was digested elsewhere, by stage.
    pub(crate) fn told(parts: BTreeMap<String, CodeParts>) -> Self {
        let known = parts.into_iter().map(|(stage, parts)| (stage, (parts.digest(), parts)));
        Self { sources: None, known: known.collect() }
    }

    /// Digest of a stage's code, and what it is made of.
    pub(crate) fn of(&mut self, memo: &StatMemo, stage: &str) -> Result<&(Digest, CodeParts)> {
        if !self.known.contains_key(stage) {
            let sources =
                self.sources.as_ref().with_context(|| format!("no word of the code of {stage}"))?;
            let source = sources.modules.source(stage);
            let parts = sources.workspace.code(memo, &source, &sources.tools)?;
            self.known.insert(stage.to_owned(), (parts.digest(), parts));
        }
        Ok(&self.known[stage])
    }

    /// Digests of the code of all stages, asked for or not: from now on these are what [`Self::of`]
    /// answers, whatever becomes of the files.
    pub(crate) fn all(&mut self, memo: &StatMemo) -> Result<BTreeMap<String, Digest>> {
        NAMES.iter().map(|stage| Ok(((*stage).to_owned(), self.of(memo, stage)?.0))).collect()
    }

    /// Digests of the files of every crate, by stage and crate, of the stages asked for so far.
    pub(crate) fn sources(&self) -> BTreeMap<(String, String), Digest> {
        let known = self.known.iter().flat_map(|(stage, (_, parts))| {
            let named = parts.sources.iter();
            named.map(|(name, digest)| ((stage.clone(), name.clone()), *digest))
        });
        known.collect()
    }

    /// The workspace that the code is in.
    pub(crate) fn workspace(&self) -> Result<&Workspace> {
        Ok(&self.sources.as_ref().context("the sources are not at hand")?.workspace)
    }
}

/// The crate's top-level modules with the paths and texts of their files.
struct Modules {
    files: BTreeMap<String, Vec<(PathBuf, String)>>,
    /// Files outside `src/`, such as the manifest.
    others: Vec<PathBuf>,
}

impl Modules {
    fn read(workspace: &Workspace) -> Result<Self> {
        let folder = workspace.folder(STAGES)?;
        let mut modules = Self { files: BTreeMap::new(), others: Vec::new() };
        for file in workspace.files(STAGES)? {
            match module(&file) {
                Some(name) => {
                    let text = fs::read_to_string(folder.join(&file))?;
                    modules.files.entry(name).or_default().push((file, text));
                }
                None => modules.others.push(file),
            }
        }
        Ok(modules)
    }

    /// What a stage is made of.
    fn source(&self, stage: &str) -> StageSource {
        let names = self.reached(stage);
        let counted = |name: &&String| !UNCOUNTED.contains(&name.as_str());
        let crates = self.crates(names.iter().filter(counted));
        let mut files = self.others.clone();
        for name in names {
            let texts = self.files.get(&name).into_iter().flatten();
            files.extend(texts.map(|(file, _)| file.clone()));
        }
        StageSource { binary: STAGES.to_owned(), files, crates }
    }

    /// The frame, the stage's own module, and the modules that are no stage's and that these name,
    /// directly or through another.
    fn reached(&self, stage: &str) -> BTreeSet<String> {
        let mut reached: BTreeSet<String> = FRAME.into_iter().map(str::to_owned).collect();
        let counted = |name: &&String| !UNCOUNTED.contains(&name.as_str());
        let mut open: Vec<String> = reached.iter().filter(counted).cloned().collect();
        open.push(stage.to_owned());
        while let Some(name) = open.pop() {
            let words = self.words(&name);
            reached.insert(name);
            let shared = |name: &&String| !NAMES.contains(&name.as_str());
            let named =
                self.files.keys().filter(shared).filter(|name| words.contains(name.as_str()));
            open.extend(named.filter(|name| !reached.contains(*name)).cloned().collect::<Vec<_>>());
        }
        reached
    }

    /// Workspace crates that modules name: `ambivox_…` in any place.
    fn crates<'a>(&self, names: impl Iterator<Item = &'a String>) -> BTreeSet<String> {
        let words = names.flat_map(|name| self.words(name));
        let crates = words.filter(|word| word.starts_with("ambivox_") && *word != "ambivox_stages");
        crates.map(|word| word.replace('_', "-")).collect()
    }

    /// All identifiers and other words of a module.
    fn words(&self, module: &str) -> BTreeSet<&str> {
        let texts = self.files.get(module).into_iter().flatten().map(|(_, text)| text);
        texts.flat_map(|text| words(text)).collect()
    }
}

/// `src/train/fold.rs` is of the module `train`.
fn module(file: &Path) -> Option<String> {
    let inside = file.strip_prefix("src").ok()?;
    let first = Path::new(inside.components().next()?.as_os_str());
    Some(first.file_stem()?.to_str()?.to_owned())
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    fn workspace() -> Workspace {
        Workspace::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).unwrap()
    }

    fn source(workspace: &Workspace, stage: &str) -> StageSource {
        Modules::read(workspace).unwrap().source(stage)
    }

    fn sources(stage: &str) -> BTreeSet<String> {
        let workspace = workspace();
        let source = source(&workspace, stage);
        workspace.closure(source.crates.iter().map(String::as_str)).unwrap()
    }

    fn holds(stage: &str, name: &str) -> bool {
        sources(stage).contains(&format!("ambivox-{name}"))
    }

    /// A copy of what the stages are built from.
    pub(crate) fn copy() -> tempfile::TempDir {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let copy = tempfile::tempdir().unwrap();
        for name in ["Cargo.toml", "Cargo.lock", "crates"] {
            for entry in walkdir::WalkDir::new(root.join(name)) {
                let entry = entry.unwrap();
                let to = copy.path().join(entry.path().strip_prefix(&root).unwrap());
                if entry.file_type().is_dir() {
                    fs::create_dir_all(to).unwrap();
                } else {
                    fs::copy(entry.path(), to).unwrap();
                }
            }
        }
        copy
    }

    /// What is edited after the build began is not what was built.
    #[test]
    fn the_code_of_stages_not_yet_asked_for_is_pinned() {
        let copy = copy();
        let memo = StatMemo::in_memory();
        let mut codes = Codes::new(copy.path(), BTreeMap::new()).unwrap();
        codes.of(&memo, "index").unwrap();
        let pinned = codes.all(&memo).unwrap();
        assert_eq!(pinned.len(), NAMES.len());
        let file = copy.path().join("crates/stages/src/train.rs");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, format!("{text}// edited")).unwrap();
        assert_eq!(codes.of(&memo, "train").unwrap().0, pinned["train"]);
        let now = Codes::new(copy.path(), BTreeMap::new()).unwrap().all(&memo).unwrap();
        assert_ne!(now["train"], pinned["train"]);
        assert_eq!(now["index"], pinned["index"]);
    }

    #[test]
    fn training_is_made_of_what_it_computes_with() {
        for name in ["train", "rules", "models", "nn", "features", "settings"] {
            assert!(holds("train", name), "{name}");
        }
        for name in ["report", "synth"] {
            assert!(!holds("train", name), "{name}");
        }
    }

    #[test]
    fn early_stages_are_free_of_the_network() {
        for stage in ["synth", "index", "extract", "split"] {
            for name in ["nn", "models", "rules", "train", "report"] {
                assert!(!holds(stage, name), "{stage}: {name}");
            }
        }
        assert!(holds("extract", "lld") && holds("index", "corpus") && holds("synth", "synth"));
    }

    #[test]
    fn a_stage_has_its_own_module_and_the_frame() {
        let source = source(&workspace(), "train");
        let has = |file: &str| source.files.contains(&PathBuf::from(file));
        assert!(has("src/train.rs") && has("src/main.rs") && has("Cargo.toml"));
        assert!(!has("src/report.rs") && !has("src/evaluate.rs") && !has("src/tests.rs"));
    }

    #[test]
    fn stages_leave_one_another_alone() {
        let modules = Modules::read(&workspace()).unwrap();
        for (name, files) in modules.files.iter().filter(|(name, _)| *name != "lib") {
            for other in NAMES.iter().filter(|other| *other != name) {
                let uses = [format!("crate::{other}::"), format!("super::{other}::")];
                for (file, text) in files {
                    let found = uses.iter().any(|path| text.contains(path));
                    assert!(!found, "{} uses the stage {other}", file.display());
                }
            }
        }
    }

    #[test]
    fn the_frames_errors_are_errors_alone() {
        let modules = Modules::read(&workspace()).unwrap();
        for (file, text) in &modules.files["error"] {
            for line in text.lines().filter(|line| line.starts_with("use ambivox_")) {
                let fine = line.ends_with("Error;") || line == "use ambivox_settings::exit;";
                assert!(fine, "{}: {line}", file.display());
            }
        }
    }
}
