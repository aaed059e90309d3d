//! Why a result is not fresh, as data.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Digest, KeyParts};

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
    /// The version of the stage, of a kind or of the build changed, came or went.
    Version {
        /// Of what.
        name: String,
        /// What it was then.
        from: Option<String>,
        /// What it is now.
        to: Option<String>,
    },
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

/// What differs between two keys of one stage.
pub fn explain(old: &KeyParts, new: &KeyParts) -> Vec<StaleReason> {
    let mut reasons = Vec::new();
    compare_values("", Some(&old.params), Some(&new.params), &mut reasons);
    for (role, from, to) in differences(&old.inputs, &new.inputs) {
        reasons.push(StaleReason::Input { role, from, to });
    }
    let versions = differences(&old.code, &new.code);
    reasons.extend(versions.map(|(name, from, to)| StaleReason::Version { name, from, to }));
    reasons
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
            Self::Version { name, from, to } => {
                change(f, "version of", name, from.clone(), to.clone())
            }
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
