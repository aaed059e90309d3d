//! Why a result is not fresh, as data.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{CodeParts, Digest, KeyParts};

/// One reason why a stage has to run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum StaleReason {
    /// It never ran to its end here.
    NeverRan,
    /// A parameter changed, came or went.
    Parameter {
        /// The parameter, with dots between levels.
        name: String,
        /// Its value then.
        from: Option<Value>,
        /// Its value now.
        to: Option<Value>,
    },
    /// An input's contents changed, or an input came or went.
    Input {
        /// The input's role.
        role: String,
        /// Its digest then.
        from: Option<Digest>,
        /// Its digest now.
        to: Option<Digest>,
    },
    /// The source of a workspace crate changed, came or went.
    Source {
        /// The crate.
        name: String,
        /// Digest of its files then.
        from: Option<Digest>,
        /// Digest of its files now.
        to: Option<Digest>,
    },
    /// A package from outside the workspace changed, came or went.
    Package {
        /// The package and, where several are locked, its version.
        name: String,
        /// What was locked then: version and checksum.
        from: Option<String>,
        /// What is locked now.
        to: Option<String>,
    },
    /// The version or the features that the workspace asks of a package changed.
    Requirement {
        /// The package.
        name: String,
        /// What was asked then.
        from: Option<String>,
        /// What is asked now.
        to: Option<String>,
    },
    /// The compiler, its target or its settings changed.
    Build {
        /// What of the build.
        name: String,
        /// Its value then.
        from: Option<String>,
        /// Its value now.
        to: Option<String>,
    },
    /// The code changed, and no account of the old code is left.
    Code,
    /// An output is gone.
    OutputMissing {
        /// The output's role.
        role: String,
    },
    /// An output is not what the stage wrote.
    OutputAltered {
        /// The output's role.
        role: String,
    },
    /// An output cannot be read.
    OutputUnreadable {
        /// The output's role.
        role: String,
        /// What the system says; it names the file.
        error: String,
    },
    /// The record is not what was written.
    RecordDamaged,
}

impl StaleReason {
    /// Whether something happened to the result, and not to what it was made from.
    pub fn is_damage(&self) -> bool {
        matches!(
            self,
            Self::OutputMissing { .. }
                | Self::OutputAltered { .. }
                | Self::OutputUnreadable { .. }
                | Self::RecordDamaged
        )
    }
}

/// What differs between two keys of one stage, code apart (see [`explain_code`]).
pub fn explain(old: &KeyParts, new: &KeyParts) -> Vec<StaleReason> {
    let mut reasons = Vec::new();
    compare_values("", Some(&old.params), Some(&new.params), &mut reasons);
    for (role, from, to) in differences(&old.inputs, &new.inputs) {
        reasons.push(StaleReason::Input { role, from, to });
    }
    reasons
}

/// What differs between two states of a stage's code.
pub fn explain_code(old: &CodeParts, new: &CodeParts) -> Vec<StaleReason> {
    let sources = differences(&old.sources, &new.sources)
        .map(|(name, from, to)| StaleReason::Source { name, from, to });
    let packages = differences(&old.packages, &new.packages)
        .map(|(name, from, to)| StaleReason::Package { name, from, to });
    let requirements = differences(&old.requirements, &new.requirements)
        .map(|(name, from, to)| StaleReason::Requirement { name, from, to });
    let build = differences(&old.build, &new.build).map(|(name, from, to)| StaleReason::Build {
        name,
        from,
        to,
    });
    sources.chain(packages).chain(requirements).chain(build).collect()
}

/// Entries that are not the same in both maps, by key.
fn differences<'a, V: Clone + PartialEq>(
    old: &'a BTreeMap<String, V>,
    new: &'a BTreeMap<String, V>,
) -> impl Iterator<Item = (String, Option<V>, Option<V>)> + 'a {
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    names
        .into_iter()
        .map(|name| (name.clone(), old.get(name).cloned(), new.get(name).cloned()))
        .filter(|(_, from, to)| from != to)
}

/// Goes down into maps, so that a reason names the parameter and not all of them.
fn compare_values(
    name: &str,
    old: Option<&Value>,
    new: Option<&Value>,
    reasons: &mut Vec<StaleReason>,
) {
    match (old, new) {
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for key in keys {
                let dotted = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                compare_values(&dotted, a.get(key), b.get(key), reasons);
            }
        }
        _ if old == new => {}
        _ => reasons.push(StaleReason::Parameter {
            name: name.to_owned(),
            from: old.cloned(),
            to: new.cloned(),
        }),
    }
}

impl fmt::Display for StaleReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NeverRan => f.write_str("never ran"),
            Self::Parameter { name, from, to } => {
                let text = |value: &Option<Value>| value.as_ref().map(Value::to_string);
                change(f, "parameter", name, text(from), text(to))
            }
            Self::Input { role, from, to } => {
                let text = |digest: &Option<Digest>| digest.map(|d| d.short());
                change(f, "input", role, text(from), text(to))
            }
            Self::Source { name, from, to } => match (from, to) {
                (None, _) => write!(f, "code now uses {name}"),
                (_, None) => write!(f, "code no longer uses {name}"),
                _ => write!(f, "source of {name} changed"),
            },
            Self::Package { name, from, to } => {
                change(f, "package", name, from.clone(), to.clone())
            }
            Self::Requirement { name, from, to } => {
                change(f, "requirement on", name, from.clone(), to.clone())
            }
            Self::Build { name, from, to } => change(f, "build", name, from.clone(), to.clone()),
            Self::Code => f.write_str("code changed"),
            Self::OutputMissing { role } => write!(f, "output {role} is missing"),
            Self::OutputAltered { role } => write!(f, "output {role} was altered"),
            Self::OutputUnreadable { role, error } => {
                write!(f, "output {role} cannot be read: {error}")
            }
            Self::RecordDamaged => f.write_str("the record is damaged"),
        }
    }
}

fn change(
    f: &mut fmt::Formatter<'_>,
    kind: &str,
    name: &str,
    from: Option<String>,
    to: Option<String>,
) -> fmt::Result {
    match (from, to) {
        (Some(from), Some(to)) => {
            write!(f, "{kind} {name} changed from {} to {}", brief(&from), brief(&to))
        }
        (None, Some(to)) => write!(f, "{kind} {name} is new: {}", brief(&to)),
        (Some(from), None) => write!(f, "{kind} {name} is gone; it was {}", brief(&from)),
        (None, None) => write!(f, "{kind} {name}"),
    }
}

/// One line of at most 48 characters; the data have the rest.
fn brief(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    if line.len() == text.len() && text.chars().count() <= 48 {
        text.to_owned()
    } else {
        line.chars().take(47).chain(['…']).collect()
    }
}

#[cfg(test)]
mod tests;
