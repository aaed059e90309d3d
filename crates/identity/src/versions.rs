//! `versions.lock`: the version of every unit, and what it was made of when that was put on record.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

use fs_err as fs;
use serde::{Deserialize, Serialize};

use crate::IdentityError;
use crate::units::{Unit, units};

/// What the file says of itself.
const HEAD: &str = "\
# The version of every stage, of every kind on an axis, and of the way all is built, with digests of the
# tokens and packages of each. Kept by `cargo xtask tidy`; ARCHITECTURE.md says what versions are for.
";

/// The record of versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Versions {
    /// Version of the file's format; 1.
    schema: u32,
    /// By unit.
    units: BTreeMap<String, Entry>,
}

/// One unit on record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    version: u32,
    /// Digest of what the version was given for, in short.
    of: String,
    /// Digest of its tokens.
    tokens: String,
    /// Digest of the packages that it links.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    packages: String,
    /// Why the last change moved the version, or did not.
    why: String,
}

/// How a unit and its record differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// Its source is not what is on record.
    Tokens,
    /// The packages that it links are not those on record.
    Packages,
    /// It is not on record.
    New,
    /// It is on record, and there is none.
    Gone,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tokens => "its source is not what is on record",
            Self::Packages => "the packages that it links are not those on record",
            Self::New => "it is not on record",
            Self::Gone => "it is on record, and there is none",
        })
    }
}

/// Whether what a unit makes is still the same to the bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bytes {
    /// It is: results made before are still its results.
    Same,
    /// It is not: the version goes up, and results are made again.
    New,
}

impl Versions {
    /// The record of the workspace at `root`.
    pub fn read(root: &Path) -> Result<Self, IdentityError> {
        let file = file(root);
        let text = fs::read_to_string(&file)?;
        toml::from_str(&text).map_err(|error| IdentityError::file(file, &error))
    }

    /// Names of all units on record.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.units.keys().map(String::as_str)
    }

    /// The version of each unit as keys have it: its number with the digest of the source that it was given
    /// for, so that two branches never mean different code by one number; and, where the source is not what
    /// is on record, the digest of that source.
    pub fn keyed(&self, root: &Path) -> Result<BTreeMap<String, String>, IdentityError> {
        let version = |(name, unit): (String, Unit)| {
            let text = match self.units.get(&name) {
                Some(entry) if difference(entry, &unit).is_none() => entry.keyed(),
                Some(entry) => format!("{} unlocked {}", entry.keyed(), short(&unit)),
                None => format!("0 unlocked {}", short(&unit)),
            };
            (name, text)
        };
        Ok(units(root, self.units.keys())?.into_iter().map(version).collect())
    }

    /// The units whose sources are not what is on record.
    pub fn differences(&self, root: &Path) -> Result<Vec<(String, Difference)>, IdentityError> {
        let there = units(root, self.units.keys())?;
        let names: BTreeSet<&String> = there.keys().chain(self.units.keys()).collect();
        let differ = |name: &String| match (self.units.get(name), there.get(name)) {
            (Some(entry), Some(unit)) => difference(entry, unit),
            (None, _) => Some(Difference::New),
            (Some(_), None) => Some(Difference::Gone),
        };
        Ok(names.into_iter().filter_map(|name| Some((name.clone(), differ(name)?))).collect())
    }

    /// Puts units as they are on record, and says why; with [`Bytes::New`] their version goes up. The word
    /// `all` stands for all that differ. Returns the names of those that were put on record.
    pub fn record(
        &mut self,
        root: &Path,
        names: &[String],
        bytes: Bytes,
        why: &str,
    ) -> Result<Vec<String>, IdentityError> {
        let there = units(root, self.units.keys().chain(names))?;
        let names = match names {
            [all] if all == "all" => self.differences(root)?.into_iter().map(|(n, _)| n).collect(),
            names => names.to_vec(),
        };
        for name in &names {
            match (there.get(name), self.units.remove(name)) {
                (None, None) => return Err(unknown(name, &there)),
                (None, Some(_)) => {}
                (Some(unit), entry) => {
                    self.units.insert(name.clone(), Entry::after(entry, unit, bytes, why));
                }
            }
        }
        fs::write(file(root), self.text()?)?;
        Ok(names)
    }

    fn text(&self) -> Result<String, IdentityError> {
        let text = toml::to_string(self).map_err(|error| IdentityError::file(FILE, &error))?;
        Ok(format!("{HEAD}{text}"))
    }
}

impl Default for Versions {
    /// A record of nothing.
    fn default() -> Self {
        Self { schema: 1, units: BTreeMap::new() }
    }
}

impl Entry {
    /// What is on record of a unit after a change.
    fn after(before: Option<Self>, unit: &Unit, bytes: Bytes, why: &str) -> Self {
        let (version, of) = match (before, bytes) {
            (Some(before), Bytes::Same) => (before.version, before.of),
            (before, _) => (before.map_or(1, |before| before.version + 1), short(unit)),
        };
        let Unit { tokens, packages } = unit.clone();
        Self { version, of, tokens, packages, why: why.to_owned() }
    }

    fn keyed(&self) -> String {
        format!("{} {}", self.version, self.of)
    }
}

/// The record's name.
pub const FILE: &str = "versions.lock";

fn file(root: &Path) -> PathBuf {
    root.join(FILE)
}

fn difference(entry: &Entry, unit: &Unit) -> Option<Difference> {
    match () {
        () if entry.tokens != unit.tokens => Some(Difference::Tokens),
        () if entry.packages != unit.packages => Some(Difference::Packages),
        () => None,
    }
}

/// What stands for a unit's source.
fn short(unit: &Unit) -> String {
    blake3::hash(format!("{} {}", unit.tokens, unit.packages).as_bytes()).to_hex()[..16].to_owned()
}

fn unknown(name: &str, there: &BTreeMap<String, Unit>) -> IdentityError {
    let known = there.keys().cloned().collect::<Vec<_>>().join(", ");
    IdentityError::UnknownUnit { name: name.to_owned(), known }
}
