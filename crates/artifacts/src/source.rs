//! The code that a stage runs, as a digest: the files of every workspace crate it uses, directly or
//! through another; the packages from outside that these link, as `Cargo.lock` has them and as the
//! manifests ask for them; the compiler and its settings.
//!
//! It is neither the commit, which every change anywhere would move, nor a version raised by hand,
//! which is forgotten. Crates the stage does not use may change as they like.

mod files;
mod lock;
mod manifest;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use fs_err as fs;
use serde::{Deserialize, Serialize};

use crate::{ArtifactError, Digest, Encoder, StatMemo};
use files::build_files;
use lock::Lock;
use manifest::{Member, members};

/// What the digest of a stage's code is made of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodeParts {
    /// Digest of the files of each workspace crate.
    pub sources: BTreeMap<String, Digest>,
    /// Version and checksum of each package from outside, linked directly or not.
    pub packages: BTreeMap<String, String>,
    /// Version and features that the binary's crates ask of those packages.
    pub requirements: BTreeMap<String, String>,
    /// Compiler, target, flags and profile.
    pub build: BTreeMap<String, String>,
}

impl CodeParts {
    /// The digest of all parts.
    pub fn digest(&self) -> Digest {
        let texts = [&self.packages, &self.requirements, &self.build];
        let start = Encoder::new("ambivox code").count(self.sources.len() as u64);
        let sources =
            self.sources.iter().fold(start, |e, (name, digest)| e.text(name).digest(digest));
        let all = texts.into_iter().fold(sources, |e, map| {
            let start = e.count(map.len() as u64);
            map.iter().fold(start, |e, (name, text)| e.text(name).text(text))
        });
        all.finish()
    }
}

/// What a stage is made of: some files of the binary's own crate, and library crates.
#[derive(Debug, Clone)]
pub struct StageSource {
    /// The crate of the binary that runs every stage.
    pub binary: String,
    /// Those of its files that belong to the stage, relative to the crate's folder.
    pub files: Vec<PathBuf>,
    /// The workspace crates that those files name.
    pub crates: BTreeSet<String>,
}

/// A Cargo workspace as its manifests and its lock file have it.
#[derive(Debug)]
pub struct Workspace {
    members: BTreeMap<String, Member>,
    lock: Lock,
    build: BTreeMap<String, String>,
}

impl Workspace {
    /// Reads `Cargo.toml`, `Cargo.lock`, `crates/*/Cargo.toml` and `.cargo/config.toml` below `root`.
    pub fn read(root: &Path) -> Result<Self, ArtifactError> {
        let manifest = manifest::read(&root.join("Cargo.toml"))?;
        let lock = root.join("Cargo.lock");
        Ok(Self {
            members: members(root, &manifest)?,
            lock: Lock::parse(&fs::read_to_string(&lock)?),
            build: build_settings(root, &manifest)?,
        })
    }

    /// A member's folder.
    pub fn folder(&self, name: &str) -> Result<&Path, ArtifactError> {
        Ok(&self.member(name)?.folder)
    }

    /// Files of a member that its library or binary may be built from, relative to its folder.
    pub fn files(&self, name: &str) -> Result<Vec<PathBuf>, ArtifactError> {
        build_files(&self.member(name)?.folder)
    }

    /// These crates and all workspace crates that they depend on, tests apart.
    pub fn closure<'a>(
        &self,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<BTreeSet<String>, ArtifactError> {
        let mut open: Vec<String> = names.into_iter().map(str::to_owned).collect();
        let mut closure = BTreeSet::new();
        while let Some(name) = open.pop() {
            let member = self.member(&name)?;
            if closure.insert(name) {
                open.extend(member.internal.iter().cloned());
            }
        }
        Ok(closure)
    }

    /// What the code of a stage is made of. `tools` are the compiler's version and whatever else of
    /// the build is not in the workspace's files.
    pub fn code(
        &self,
        memo: &StatMemo,
        stage: &StageSource,
        tools: &BTreeMap<String, String>,
    ) -> Result<CodeParts, ArtifactError> {
        let crates = self.closure(stage.crates.iter().map(String::as_str))?;
        let mut sources = BTreeMap::new();
        for name in &crates {
            sources.insert(name.clone(), self.digest(memo, name, &self.files(name)?)?);
        }
        sources.insert(stage.binary.clone(), self.digest(memo, &stage.binary, &stage.files)?);
        let packages = self.packages(sources.keys())?;
        let requirements = self.requirements(&stage.binary, &packages)?;
        let mut build = self.build.clone();
        build.extend(tools.clone());
        Ok(CodeParts { sources, packages: lock::by_name(&packages), requirements, build })
    }

    fn digest(
        &self,
        memo: &StatMemo,
        name: &str,
        files: &[PathBuf],
    ) -> Result<Digest, ArtifactError> {
        Ok(memo.listing(&self.member(name)?.folder, files)?.digest)
    }

    /// Rows of the lock file for everything from outside that these members link.
    fn packages<'a>(
        &self,
        names: impl Iterator<Item = &'a String>,
    ) -> Result<BTreeSet<&lock::Package>, ArtifactError> {
        let mut direct = Vec::new();
        for name in names {
            let external = self.member(name)?.external.keys().map(String::as_str);
            direct.extend(external.map(|package| (name.as_str(), package)));
        }
        Ok(self.lock.closure(&direct))
    }

    /// Cargo unites features over the whole binary, so a crate that a stage does not use may still
    /// switch on a feature of a package that it does.
    fn requirements(
        &self,
        binary: &str,
        packages: &BTreeSet<&lock::Package>,
    ) -> Result<BTreeMap<String, String>, ArtifactError> {
        let linked: BTreeSet<&str> = packages.iter().map(|package| package.name.as_str()).collect();
        let mut asked: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for name in self.closure([binary])? {
            for (package, requirement) in &self.member(&name)?.external {
                if linked.contains(package.as_str()) {
                    asked.entry(package.clone()).or_default().insert(requirement);
                }
            }
        }
        let join = |set: BTreeSet<&str>| set.into_iter().collect::<Vec<_>>().join(" + ");
        Ok(asked.into_iter().map(|(package, set)| (package, join(set))).collect())
    }

    fn member(&self, name: &str) -> Result<&Member, ArtifactError> {
        self.members.get(name).ok_or_else(|| ArtifactError::UnknownCrate(name.to_owned()))
    }
}

/// Profiles, what members inherit, and everything of Cargo's configuration that can change what is built.
fn build_settings(
    root: &Path,
    manifest: &toml::Table,
) -> Result<BTreeMap<String, String>, ArtifactError> {
    let mut settings = BTreeMap::new();
    for key in ["profile", "patch", "replace"] {
        if let Some(table) = manifest.get(key) {
            settings.insert(key.to_owned(), table.to_string());
        }
    }
    // Versions, editions and the like, which members inherit.
    for key in ["package", "resolver"] {
        if let Some(value) = manifest.get("workspace").and_then(|table| table.get(key)) {
            settings.insert(format!("workspace.{key}"), value.to_string());
        }
    }
    let config = root.join(".cargo/config.toml");
    if config.exists() {
        let mut table = manifest::read(&config)?;
        table.retain(|key, _| !["alias", "term", "net", "http"].contains(&key));
        if !table.is_empty() {
            settings.insert("config".to_owned(), toml::Value::Table(table).to_string());
        }
    }
    Ok(settings)
}

#[cfg(test)]
mod tests;
