//! What the tasks of one job array make: written at submission, read on the nodes.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use ambivox_artifacts::{Digest, write_atomically};
use ambivox_settings::{Shard, exit};
use anyhow::{Context as _, Result};
use fs_err as fs;
use serde::{Deserialize, Serialize};

use crate::experiment::Experiment;
use crate::graph::Instance;

/// What job names begin with; the order's name follows.
pub(super) const JOB: &str = "ambivox-";
/// What the job name of a submission's first array ends with until all of it is queued.
pub(super) const CLAIM: char = '+';

/// One stage to be made, known before the content of its inputs is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Unit {
    /// The key that the instance would have if its inputs were digests of the units that make them:
    /// the same work has the same digest whoever submits it, and whenever.
    pub(super) digest: Digest,
    pub(super) instance: Instance,
    /// The part of the instance, where that is all.
    pub(super) shard: Option<Shard>,
}

impl Unit {
    /// What people call it.
    pub(super) fn name(&self) -> String {
        let slot = &self.instance.slot;
        match self.shard {
            Some(Shard { number, of }) => format!("{slot}, part {} of {of}", number + 1),
            None => slot.clone(),
        }
    }
}

/// The tasks of an array and all that they need to know.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Order {
    pub(super) store: PathBuf,
    /// The program that runs the stages: that of the worker itself.
    pub(super) program: PathBuf,
    pub(super) experiment: Experiment,
    /// The corpus's root and digest, where a stage reads it.
    pub(super) corpus: Option<(PathBuf, Digest)>,
    /// Stage and key of what was made before, by slot.
    pub(super) made: BTreeMap<String, (String, Digest)>,
    /// What is made before these tasks begin, in the order of its dependence.
    pub(super) upstream: Vec<Instance>,
    /// In how many parts an extraction is made before it is put together.
    pub(super) shards: Option<NonZeroUsize>,
    /// What each task makes, by its number.
    pub(super) units: Vec<Unit>,
}

/// The parts of an order that a driver needs to know whose jobs are queued.
#[derive(Deserialize)]
struct Asked {
    units: Vec<UnitDigest>,
}

#[derive(Deserialize)]
struct UnitDigest {
    digest: Digest,
}

/// A folder in the store for an order, its tasks' logs and their ends.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct OrderFolder(PathBuf);

impl OrderFolder {
    /// That of the order of this name.
    pub(super) fn new(store: &Path, name: &str) -> Self {
        Self(folder(store).join(name))
    }

    /// The one in this folder.
    pub(super) fn at(folder: &Path) -> Self {
        Self(folder.to_path_buf())
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn order(&self) -> PathBuf {
        self.0.join("order.json")
    }

    pub(super) fn script(&self) -> PathBuf {
        self.0.join("script.sh")
    }

    pub(super) fn log_file(&self, task: usize) -> PathBuf {
        self.0.join(format!("{task}.log"))
    }

    fn end(&self, task: usize) -> PathBuf {
        self.0.join(format!("{task}.exit"))
    }

    /// Digests of the units that the order is about; `None` where there is no such order here.
    pub(super) fn units(&self) -> Option<Vec<Digest>> {
        let json = fs::read(self.order()).ok()?;
        let asked: Asked = serde_json::from_slice(&json).ok()?;
        Some(asked.units.into_iter().map(|unit| unit.digest).collect())
    }

    /// How a task ended, by its own word.
    pub(super) fn ended(&self, task: usize) -> Option<End> {
        serde_json::from_slice(&fs::read(self.end(task)).ok()?).ok()
    }

    /// Notes how a task ended.
    pub(super) fn end_task(&self, task: usize, end: &End) -> Result<()> {
        Ok(write_atomically(&self.end(task), &serde_json::to_vec(end)?)?)
    }

    /// Forgets how a task ended before it was begun again.
    pub(super) fn begin_task(&self, task: usize) {
        // What is not there need not go; what cannot go is replaced at the end.
        fs::remove_file(self.end(task)).ok();
    }

    /// Whether a task has ever begun: its script opens the log first.
    pub(super) fn has_begun(&self, task: usize) -> bool {
        self.log_file(task).exists() || self.end(task).exists()
    }

    /// The last lines of a task's log.
    pub(super) fn last_lines(&self, task: usize, count: usize) -> String {
        let log = fs::read(self.log_file(task)).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.trim_end().lines().collect();
        let last = &lines[lines.len().saturating_sub(count)..];
        last.iter().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
    }
}

/// Where orders lie in a store.
pub(super) fn folder(store: &Path) -> PathBuf {
    store.join("slurm/orders")
}

/// How a task ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct End {
    pub(super) code: u8,
    /// What went wrong.
    pub(super) message: String,
}

impl End {
    pub(super) fn is_well(&self) -> bool {
        self.code == exit::DONE
    }
}

impl Order {
    pub(super) fn read(file: &Path) -> Result<Self> {
        let json = fs::read(file)?;
        serde_json::from_slice(&json).with_context(|| file.display().to_string())
    }

    pub(super) fn write(&self, folder: &OrderFolder) -> Result<()> {
        let json = serde_json::to_vec(self).context("an order must be UTF-8, paths included")?;
        Ok(write_atomically(&folder.order(), &json)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::tests::builtin_pipeline;
    use crate::graph::{self, Graph};

    /// What is read on a node has the same parameters, and so the same key.
    #[test]
    fn instances_go_through_json_unchanged() {
        for name in ["demo-full", "noise-demo", "emodb"] {
            let experiment = builtin_pipeline(name);
            let runs = graph::runs(&experiment, &["Ses 01 'F'".to_owned()]);
            for instance in Graph::of(&experiment, &runs).instances() {
                let json = serde_json::to_string(instance).unwrap();
                let read: Instance = serde_json::from_str(&json).unwrap();
                assert_eq!(read, *instance);
                let work = |instance: &Instance| serde_json::to_value(&instance.work).unwrap();
                assert_eq!(work(&read), work(instance));
            }
        }
    }

    #[test]
    fn a_desk_knows_how_tasks_ended() {
        let folder = tempfile::tempdir().unwrap();
        let folder = OrderFolder::new(folder.path(), "a b");
        assert_eq!((folder.units(), folder.ended(0)), (None, None));
        let end = End { code: 3, message: "row 3".to_owned() };
        folder.end_task(7, &end).unwrap();
        assert_eq!(folder.ended(7), Some(end));
        folder.begin_task(7);
        assert_eq!(folder.ended(7), None);
        fs::write(folder.log_file(7), "one\ntwo\nthree\n\n").unwrap();
        assert_eq!(folder.last_lines(7, 2), "    two\n    three");
        assert_eq!(folder.last_lines(8, 2), "");
    }
}
