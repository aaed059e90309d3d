//! A Cargo workspace: which crate has which files, and links which others.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::IdentityError;
use crate::cargo_lock::{Lock, Package, by_name};
use crate::files::build_files;
use crate::manifest::{self, Member, members};

/// A Cargo workspace as its manifests and its lock file have it.
#[derive(Debug)]
pub(crate) struct Workspace {
    members: BTreeMap<String, Member>,
    lock: Lock,
    /// What of the manifests and of Cargo's configuration can change how all is built.
    pub(crate) settings: BTreeMap<String, String>,
}

impl Workspace {
    /// Reads `Cargo.toml`, `Cargo.lock`, `crates/*/Cargo.toml` and `.cargo/config.toml` below `root`.
    pub(crate) fn read(root: &Path) -> Result<Self, IdentityError> {
        let manifest = manifest::read(&root.join("Cargo.toml"))?;
        let lock = root.join("Cargo.lock");
        Ok(Self {
            members: members(root, &manifest)?,
            lock: Lock::parse(&fs::read_to_string(&lock)?),
            settings: build_settings(root, &manifest)?,
        })
    }

    /// Files that a member's library or binary may be built from, each with its place.
    pub(crate) fn files(&self, name: &str) -> Result<Vec<PathBuf>, IdentityError> {
        let folder = &self.member(name)?.folder;
        Ok(build_files(folder)?.into_iter().map(|file| folder.join(file)).collect())
    }

    /// A member's folder.
    pub(crate) fn folder(&self, name: &str) -> Result<&Path, IdentityError> {
        Ok(&self.member(name)?.folder)
    }

    /// These crates and all workspace crates that they depend on, tests apart.
    pub(crate) fn closure(
        &self,
        names: impl IntoIterator<Item = String>,
    ) -> Result<BTreeSet<String>, IdentityError> {
        let mut open: Vec<String> = names.into_iter().collect();
        let mut closure = BTreeSet::new();
        while let Some(name) = open.pop() {
            let member = self.member(&name)?;
            if closure.insert(name) {
                open.extend(member.internal.keys().cloned());
            }
        }
        Ok(closure)
    }

    /// Packages from outside that these members link, directly or not, as `Cargo.lock` has them and as
    /// the members of the workspace ask for them: Cargo unites features over all of a program, so a
    /// crate that is not one of these may still switch on a feature of a package that they use.
    pub(crate) fn packages(
        &self,
        names: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, String>, IdentityError> {
        let (mut direct, mut asked) = (Vec::new(), BTreeMap::new());
        for name in names {
            let Member { external, internal, .. } = self.member(name)?;
            asked.extend(
                internal.iter().map(|(of, asks)| (format!("{name} of {of}"), asks.clone())),
            );
            let external = external.keys().map(String::as_str);
            direct.extend(external.map(|package| (name.as_str(), package)));
        }
        let linked = self.lock.closure(&direct);
        let mut packages = by_name(&linked);
        packages.extend(self.requirements(&linked));
        packages.extend(asked);
        Ok(packages)
    }

    fn requirements(&self, linked: &BTreeSet<&Package>) -> BTreeMap<String, String> {
        let linked: BTreeSet<&str> = linked.iter().map(|package| package.name.as_str()).collect();
        let mut asked: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for (package, asks) in self.members.values().flat_map(|member| &member.external) {
            if linked.contains(package.as_str()) {
                asked.entry(format!("asked of {package}")).or_default().insert(asks);
            }
        }
        let join = |set: BTreeSet<&str>| set.into_iter().collect::<Vec<_>>().join(" + ");
        asked.into_iter().map(|(package, set)| (package, join(set))).collect()
    }

    fn member(&self, name: &str) -> Result<&Member, IdentityError> {
        self.members.get(name).ok_or_else(|| IdentityError::UnknownCrate(name.to_owned()))
    }
}

/// Profiles, what members inherit, and everything of Cargo's configuration that can change what is built.
fn build_settings(
    root: &Path,
    manifest: &toml::Table,
) -> Result<BTreeMap<String, String>, IdentityError> {
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
