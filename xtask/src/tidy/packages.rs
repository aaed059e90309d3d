//! The resolved dependency graph, as `cargo metadata` tells it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use serde::Deserialize;

use crate::binary::cargo;

/// A package of the graph.
#[derive(Debug, Clone)]
pub(crate) struct Package {
    /// Its name.
    pub(crate) name: String,
    /// Its licence expression; empty where it states none.
    pub(crate) licence: String,
    /// Ids of what it links: its normal dependencies, with the features this workspace switches on.
    pub(crate) links: BTreeSet<String>,
    /// Whether it belongs to this workspace.
    pub(crate) is_member: bool,
}

/// Every package that this workspace builds on this platform, by id.
#[derive(Debug, Default)]
pub(crate) struct Packages(pub(crate) BTreeMap<String, Package>);

impl Packages {
    /// Asks cargo.
    pub(crate) fn read(root: &Path) -> anyhow::Result<Self> {
        let output = cargo()
            .current_dir(root)
            .args(["metadata", "--format-version", "1", "--locked", "--filter-platform"])
            .arg(host()?)
            .output()
            .context("failed to start cargo metadata")?;
        let complaint = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "cargo metadata failed:\n{}", complaint.trim());
        Ok(serde_json::from_slice::<Metadata>(&output.stdout)?.into())
    }

    /// Names of everything linked by the package with this id, directly or not, itself left out.
    pub(crate) fn closure(&self, id: &str) -> BTreeSet<&str> {
        let mut reached = BTreeSet::new();
        let mut open = vec![id];
        while let Some(package) = open.pop().and_then(|id| self.0.get(id)) {
            for link in &package.links {
                if reached.insert(link.as_str()) {
                    open.push(link);
                }
            }
        }
        reached.into_iter().filter_map(|id| Some(self.0.get(id)?.name.as_str())).collect()
    }
}

/// The platform to resolve for: without one, cargo would download the packages of all platforms.
fn host() -> anyhow::Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("-vV").output().context("failed to start rustc -vV")?;
    let text = String::from_utf8(output.stdout)?;
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc -vV names no host")?.to_owned())
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<MetadataPackage>,
    workspace_members: BTreeSet<String>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct MetadataPackage {
    id: String,
    name: String,
    license: Option<String>,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<NodeDependency>,
}

#[derive(Deserialize)]
struct NodeDependency {
    pkg: String,
    dep_kinds: Vec<DependencyKind>,
}

#[derive(Deserialize)]
struct DependencyKind {
    kind: Option<String>,
}

impl From<Metadata> for Packages {
    fn from(metadata: Metadata) -> Self {
        let mut links: BTreeMap<String, BTreeSet<String>> =
            metadata.resolve.nodes.into_iter().map(Node::links).collect();
        let packages = metadata.packages.into_iter().map(|package| {
            let known = Package {
                licence: package.license.unwrap_or_default(),
                links: links.remove(&package.id).unwrap_or_default(),
                is_member: metadata.workspace_members.contains(&package.id),
                name: package.name,
            };
            (package.id, known)
        });
        Self(packages.collect())
    }
}

impl Node {
    /// A normal dependency is the one whose kind has no name.
    fn links(self) -> (String, BTreeSet<String>) {
        let normal = |dependency: &NodeDependency| {
            dependency.dep_kinds.iter().any(|kind| kind.kind.is_none())
        };
        (self.id, self.deps.into_iter().filter(normal).map(|dependency| dependency.pkg).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const METADATA: &str = r#"{
        "packages": [
            {"id": "a 1", "name": "a", "license": "MIT"},
            {"id": "b 1", "name": "b", "license": null},
            {"id": "c 1", "name": "c", "license": "MIT"},
            {"id": "d 1", "name": "d", "license": "MIT"}],
        "workspace_members": ["a 1"],
        "resolve": {"nodes": [
            {"id": "a 1", "deps": [
                {"pkg": "b 1", "dep_kinds": [{"kind": null}, {"kind": "dev"}]},
                {"pkg": "d 1", "dep_kinds": [{"kind": "dev"}, {"kind": "build"}]}]},
            {"id": "b 1", "deps": [{"pkg": "c 1", "dep_kinds": [{"kind": null}]}]},
            {"id": "c 1", "deps": [{"pkg": "b 1", "dep_kinds": [{"kind": null}]}]},
            {"id": "d 1", "deps": []}]}}"#;

    #[test]
    fn the_closure_follows_normal_dependencies_alone() {
        let packages: Packages = serde_json::from_str::<Metadata>(METADATA).unwrap().into();
        assert_eq!(packages.closure("a 1"), BTreeSet::from(["b", "c"]));
        assert!(packages.0["a 1"].is_member && !packages.0["b 1"].is_member);
        assert_eq!(packages.0["b 1"].licence, "");
    }
}
