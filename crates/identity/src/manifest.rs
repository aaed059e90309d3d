//! What the workspace's manifests say that matters for a build.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fs_err as fs;
use toml::{Table, Value};

use crate::IdentityError;

/// One crate of the workspace.
#[derive(Debug)]
pub(crate) struct Member {
    /// Its folder.
    pub(crate) folder: PathBuf,
    /// Workspace crates it depends on, with the features it asks for, as TOML.
    pub(crate) internal: BTreeMap<String, String>,
    /// Packages from outside, with the version and features it asks for, as TOML.
    pub(crate) external: BTreeMap<String, String>,
}

/// Reads a TOML file.
pub(crate) fn read(file: &Path) -> Result<Table, IdentityError> {
    fs::read_to_string(file)?
        .parse()
        .map_err(|error: toml::de::Error| IdentityError::file(file, &error))
}

/// What a crate's manifest says of how it is built; which packages it asks for is counted with these.
pub(crate) fn built(file: &Path) -> Result<String, IdentityError> {
    let mut table = read(file)?;
    table.retain(|key, _| !["dependencies", "dev-dependencies", "lints"].contains(&key));
    if let Some(package) = table.get_mut("package").and_then(Value::as_table_mut) {
        package.remove("description");
    }
    Ok(Value::Table(table).to_string())
}

/// The crates below `crates/`, by package name.
pub(crate) fn members(
    root: &Path,
    workspace: &Table,
) -> Result<BTreeMap<String, Member>, IdentityError> {
    let shared = at(workspace, &["workspace", "dependencies"]).cloned().unwrap_or_default();
    let mut members = BTreeMap::new();
    for entry in fs::read_dir(root.join("crates"))? {
        let folder = entry?.path();
        let file = folder.join("Cargo.toml");
        if file.exists() {
            let table = read(&file)?;
            members.insert(package_name(&file, &table)?, member(folder, &table, &shared));
        }
    }
    Ok(members)
}

fn package_name(file: &Path, table: &Table) -> Result<String, IdentityError> {
    let name = at(table, &["package"]).and_then(|package| package.get("name")?.as_str());
    name.map(str::to_owned).ok_or_else(|| IdentityError::file(file, &"no package.name"))
}

fn member(folder: PathBuf, table: &Table, shared: &Table) -> Member {
    let mut member = Member { folder, internal: BTreeMap::new(), external: BTreeMap::new() };
    for dependencies in dependency_tables(table) {
        for (key, own) in dependencies {
            let mut asked = resolved(key, own, shared);
            let name = asked.get("package").and_then(Value::as_str).unwrap_or(key).to_owned();
            if asked.remove("path").is_some() {
                member.internal.insert(name, Value::Table(asked).to_string());
            } else {
                member.external.insert(name, Value::Table(asked).to_string());
            }
        }
    }
    member
}

/// The tables of a manifest that name what its library and binaries link, on any target.
fn dependency_tables(table: &Table) -> Vec<&Table> {
    let targets = at(table, &["target"]).into_iter().flat_map(|targets| targets.values());
    std::iter::once(table)
        .chain(targets.filter_map(Value::as_table))
        .flat_map(|t| [at(t, &["dependencies"]), at(t, &["build-dependencies"])])
        .flatten()
        .collect()
}

/// A dependency with what the workspace's table says of it; features of both count.
fn resolved(key: &str, own: &Value, shared: &Table) -> Table {
    let mut own = as_table(own);
    if own.remove("workspace").is_none() {
        return own;
    }
    let mut asked = shared.get(key).map(as_table).unwrap_or_default();
    for (name, value) in own {
        match (asked.get_mut(&name), value) {
            (Some(Value::Array(features)), Value::Array(more)) => features.extend(more),
            (_, value) => drop(asked.insert(name, value)),
        }
    }
    asked
}

/// `"1"` is short for `{ version = "1" }`.
fn as_table(value: &Value) -> Table {
    value
        .as_table()
        .cloned()
        .unwrap_or_else(|| Table::from_iter([("version".to_owned(), value.clone())]))
}

fn at<'a>(table: &'a Table, path: &[&str]) -> Option<&'a Table> {
    path.iter().try_fold(table, |table, key| table.get(*key)?.as_table())
}
