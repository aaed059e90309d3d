//! `Cargo.lock`: which package of which version links which.
//!
//! Cargo writes the file itself, always in one shape, so a reader of lines does; it takes a tenth
//! of the time of a TOML parser.

use std::collections::{BTreeMap, BTreeSet};

/// One `[[package]]`.
#[derive(Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Package {
    pub(crate) name: String,
    version: String,
    /// Where it comes from; none for a member of the workspace.
    source: Option<String>,
    checksum: Option<String>,
    /// Names, followed by a version where the lock file has several.
    dependencies: Vec<String>,
}

impl Package {
    /// Version, and the checksum or, for a Git repository, the commit.
    fn identity(&self) -> String {
        let content = self.checksum.as_deref().or(self.source.as_deref()).unwrap_or("path");
        format!("{} ({content})", self.version)
    }

    fn answers(&self, dependency: &str) -> bool {
        let mut words = dependency.split(' ');
        words.next() == Some(&self.name) && words.next().is_none_or(|v| v == self.version)
    }
}

/// All packages, sorted by name.
#[derive(Debug)]
pub(crate) struct Lock(BTreeMap<String, Vec<Package>>);

impl Lock {
    pub(crate) fn parse(text: &str) -> Self {
        let mut packages: BTreeMap<String, Vec<Package>> = BTreeMap::new();
        for block in text.split("[[package]]").skip(1) {
            let package = parse_package(block);
            packages.entry(package.name.clone()).or_default().push(package);
        }
        Self(packages)
    }

    /// The packages from outside that these (member, package) pairs lead to.
    pub(crate) fn closure(&self, direct: &[(&str, &str)]) -> BTreeSet<&Package> {
        let mut open: Vec<&Package> =
            direct.iter().flat_map(|(member, package)| self.direct(member, package)).collect();
        let mut closure = BTreeSet::new();
        while let Some(package) = open.pop() {
            if closure.insert(package) {
                open.extend(package.dependencies.iter().flat_map(|name| self.find(name)));
            }
        }
        closure
    }

    /// What a member's dependency on `name` is locked to, as its own row has it.
    fn direct<'a>(&'a self, member: &str, name: &str) -> Vec<&'a Package> {
        let rows = self.find(member).flat_map(|row| &row.dependencies);
        let named = rows.filter(|row| row.split(' ').next() == Some(name));
        named.flat_map(|row| self.find(row)).collect()
    }

    fn find<'a>(&'a self, dependency: &str) -> impl Iterator<Item = &'a Package> + use<'a> {
        let name = dependency.split(' ').next().unwrap_or_default();
        let dependency = dependency.to_owned();
        self.0.get(name).into_iter().flatten().filter(move |package| package.answers(&dependency))
    }
}

/// Identity by name, or by name and version where there are several of one name.
pub(crate) fn by_name(packages: &BTreeSet<&Package>) -> BTreeMap<String, String> {
    let mut count: BTreeMap<&str, usize> = BTreeMap::new();
    for package in packages {
        *count.entry(&package.name).or_default() += 1;
    }
    let key = |package: &Package| match count[package.name.as_str()] {
        1 => package.name.clone(),
        _ => format!("{} {}", package.name, package.version),
    };
    packages.iter().map(|package| (key(package), package.identity())).collect()
}

fn parse_package(block: &str) -> Package {
    let mut package = Package::default();
    for line in block.lines() {
        match line.split_once(" = ") {
            Some(("name", value)) => package.name = unquoted(value),
            Some(("version", value)) => package.version = unquoted(value),
            Some(("source", value)) => package.source = Some(unquoted(value)),
            Some(("checksum", value)) => package.checksum = Some(unquoted(value)),
            _ if line.starts_with(" \"") => package.dependencies.push(unquoted(line)),
            _ => {}
        }
    }
    package
}

fn unquoted(text: &str) -> String {
    text.trim().trim_end_matches(',').trim_matches('"').to_owned()
}
