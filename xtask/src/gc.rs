//! Removal of results that no pipeline reaches.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use ambivox_artifacts::{Digest, Garbage, Store};
use ambivox_settings::{counted, counted_is};
use anyhow::{Result, bail};
use fs_err as fs;
use serde_json::json;

use crate::answer::print;
use crate::cli::Gc;
use crate::plan::Plan;
use crate::slurm;

/// How each pipeline stands that results are kept for.
pub(crate) struct Kept {
    keys: BTreeSet<Digest>,
    pipelines: usize,
}

impl Kept {
    pub(crate) fn new() -> Self {
        Self { keys: BTreeSet::new(), pipelines: 0 }
    }

    /// Keeps what a pipeline reaches: what is fresh, and of places that are stale what they had last.
    /// Without a plan, since its corpus is not at hand, all places count.
    pub(crate) fn add(&mut self, store: &Store, pipeline: &str, plan: Option<&Plan>) -> Result<()> {
        self.pipelines += 1;
        let is_place = |place: &str| plan.is_none_or(|plan| plan.has_place(place));
        self.keys.extend(store.last_keys(pipeline, is_place)?);
        self.keys.extend(plan.into_iter().flat_map(Plan::fresh_keys));
        Ok(())
    }
}

/// The pipeline files of the house, and the one named beside them.
pub(crate) fn pipelines(root: &Path, named: Option<&Path>) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(root.join("pipelines"))? {
        let file = entry?.path();
        if file.extension().is_some_and(|extension| extension == "toml") {
            files.push(file);
        }
    }
    files.extend(named.map(Path::to_path_buf));
    files.sort();
    Ok(files)
}

/// Removes what is not kept, unless asked only to say what that would be.
pub(crate) fn collect(store: &Store, kept: &Kept, asked: &Gc, json: bool) -> Result<()> {
    let Some(alone) = store.hold_alone()? else {
        bail!("another command is using the store\nhint: wait for it to end and try again");
    };
    let young = Duration::from_hours(24 * asked.keep_days);
    let since = SystemTime::now().checked_sub(young).unwrap_or(SystemTime::UNIX_EPOCH);
    let garbage = store.garbage(&kept.keys, since)?;
    if !asked.dry_run {
        garbage.iter().try_for_each(|garbage| store.discard(garbage, &alone))?;
        store.sweep(since, &alone)?;
        slurm::sweep::sweep(store.root(), since)?;
    }
    print(&if json { document(&garbage, asked) } else { text(&garbage, kept, asked) })
}

fn text(garbage: &[Garbage], kept: &Kept, asked: &Gc) -> String {
    let mut lines: Vec<String> = garbage
        .iter()
        .map(|g| format!("{} {}  {:.1} MB", g.stage, g.key.short(), megabytes(g.bytes)))
        .collect();
    let mut stages: BTreeMap<&str, usize> = BTreeMap::new();
    for g in garbage {
        *stages.entry(&g.stage).or_default() += 1;
    }
    let counts: Vec<String> = stages.iter().map(|(name, n)| format!("{n} of {name}")).collect();
    let total = megabytes(garbage.iter().map(|g| g.bytes).sum());
    let results = if asked.dry_run {
        format!("{} would go", counted(garbage.len(), "result"))
    } else {
        format!("{} gone", counted_is(garbage.len(), "result"))
    };
    let what = if counts.is_empty() { "nothing".to_owned() } else { counts.join(", ") };
    lines.push(format!("{results}, {total:.1} MB: {what}"));
    let (pipelines, days) =
        (counted(kept.pipelines, "pipeline"), counted(asked.keep_days as usize, "day"));
    lines.push(format!("What is in reach of {pipelines} stays, and what is younger than {days}."));
    lines.join("\n")
}

fn document(garbage: &[Garbage], asked: &Gc) -> String {
    let results: Vec<_> = garbage
        .iter()
        .map(|g| json!({ "stage": g.stage, "key": g.key, "bytes": g.bytes }))
        .collect();
    format!("{:#}", json!({ "schema": 1, "removed": !asked.dry_run, "results": results }))
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
