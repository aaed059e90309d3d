//! What has a version: every stage, every kind of an axis that is on record, and the way all is built.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::IdentityError;
use crate::sources::Sources;
use crate::stages::{self, Modules, STAGES};
use crate::workspace::Workspace;

/// The unit of profiles, flags, edition and patches, which is part of all.
pub const BUILD: &str = "build";

/// The axes of an experiment.
pub const AXES: [&str; 5] = ["frontend", "pooling", "split", "model", "rule"];

/// An axis: its name, a crate that has kinds of it, and their folder, in which there is nothing else. A kind
/// `a-b` is `a_b.rs` there, with what lies in `a_b/`.
const FOLDERS: [(&str, &str, &str); 6] = [
    ("frontend", "ambivox-frontends", "src/frontend"),
    ("frontend", "ambivox-features", "src/frontend"),
    ("pooling", "ambivox-frontends", "src/pooling"),
    ("model", "ambivox-models", "src/model"),
    ("rule", "ambivox-rules", "src/rule"),
    ("split", "ambivox-corpus", "src/splitter"),
];

/// What a unit is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// Digest of its tokens and other files.
    pub tokens: String,
    /// Digest of the packages from outside that it links, as `Cargo.lock` and the manifests have them.
    pub packages: String,
}

/// The unit of a stage.
pub fn stage(name: &str) -> String {
    format!("stage/{name}")
}

/// The unit of a kind on an axis, if it were on record.
pub fn kind(axis: &str, name: &str) -> String {
    format!("{axis}/{name}")
}

/// All units of the workspace at `root`; of the axes the kinds among `names`.
pub(crate) fn units<'a>(
    root: &Path,
    names: impl IntoIterator<Item = &'a String>,
) -> Result<BTreeMap<String, Unit>, IdentityError> {
    let workspace = Workspace::read(root)?;
    let mut sources = Sources::new(root);
    let mut kinds = BTreeMap::new();
    for name in names {
        if let Some(files) = files_of_kind(&workspace, name)? {
            kinds.insert(name.clone(), files);
        }
    }
    let mut units = BTreeMap::from([(BUILD.to_owned(), build(&workspace))]);
    for name in kinds.keys() {
        units.insert(name.clone(), of_kind(name, &kinds, &mut sources)?);
    }
    let apart: BTreeSet<PathBuf> = kinds.into_values().flatten().collect();
    let modules = Modules::read(&workspace)?;
    for name in STAGES {
        let (mut files, crates) = modules.of(name, &mut sources)?;
        let mut crates = workspace.closure(crates)?;
        for name in &crates {
            files.extend(workspace.files(name)?);
        }
        files.retain(|file| !apart.contains(file));
        crates.insert(stages::CRATE.to_owned());
        let packages = digest(&workspace.packages(&crates)?);
        units.insert(stage(name), Unit { tokens: sources.digest(&files)?, packages });
    }
    Ok(units)
}

fn build(workspace: &Workspace) -> Unit {
    Unit { tokens: digest(&workspace.settings), packages: String::new() }
}

/// The files of a kind; `None` where the name is none of an axis, or nothing lies there.
fn files_of_kind(workspace: &Workspace, name: &str) -> Result<Option<Vec<PathBuf>>, IdentityError> {
    let Some((axis, kind)) = name.split_once('/') else { return Ok(None) };
    let mut all = Vec::new();
    for (_, package, folder) in FOLDERS.into_iter().filter(|(name, ..)| *name == axis) {
        let folder = workspace.folder(package)?.join(folder).join(kind.replace('-', "_"));
        let file = folder.with_extension("rs");
        let mut files = workspace.files(package)?;
        files.retain(|path| *path == file || path.starts_with(&folder));
        all.extend(files);
    }
    Ok((!all.is_empty()).then_some(all))
}

/// A kind with the other kinds of its axis that it names, directly or through another.
fn of_kind(
    name: &str,
    kinds: &BTreeMap<String, Vec<PathBuf>>,
    sources: &mut Sources,
) -> Result<Unit, IdentityError> {
    let axis = name.split_once('/').map(|(axis, _)| axis);
    let module = |name: &str| name.split_once('/').map(|(_, kind)| kind.replace('-', "_"));
    let beside: Vec<&String> =
        kinds.keys().filter(|name| name.split_once('/').map(|(axis, _)| axis) == axis).collect();
    let (mut open, mut reached) = (vec![name.to_owned()], BTreeSet::new());
    while let Some(name) = open.pop() {
        for file in &kinds[&name] {
            let text = &sources.source(file)?.text;
            let is_named = |other: &&&String| module(other).is_some_and(|m| is_path(&m, text));
            open.extend(beside.iter().filter(is_named).map(|other| (*other).clone()));
        }
        reached.insert(name);
        open.retain(|name| !reached.contains(name));
    }
    let files: Vec<&PathBuf> = reached.iter().flat_map(|name| &kinds[name]).collect();
    Ok(Unit { tokens: sources.digest(files)?, packages: String::new() })
}

/// Whether tokens have the name of a module as a part of a path.
fn is_path(module: &str, tokens: &str) -> bool {
    tokens.contains(&format!("\n{module}\n::\n")) || tokens.contains(&format!("::\n{module}\n"))
}

/// A digest of names and texts.
pub(crate) fn digest(parts: &BTreeMap<String, String>) -> String {
    let mut hasher = blake3::Hasher::new();
    for text in parts.iter().flat_map(|(name, text)| [name, text]) {
        hasher.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}
