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

/// A hundred years, which no result is older than, and no clock earlier.
pub(crate) const MOST_DAYS: u64 = 36_500;

/// How each pipeline stands that results are kept for.
#[derive(Default)]
pub(crate) struct Kept {
    keys: BTreeSet<Digest>,
    /// How many pipelines there are.
    pub(crate) pipelines: usize,
}

impl Kept {
    /// Keeps what is in reach of a pipeline, or of its audit: what is fresh, and of places that are stale
    /// what they had last.
    /// Without a plan, since its corpus is not at hand, all places count.
    pub(crate) fn add(&mut self, store: &Store, places: &str, plan: Option<&Plan>) -> Result<()> {
        let is_place = |place: &str| plan.is_none_or(|plan| plan.has_place(place));
        self.keys.extend(store.last_keys(places, is_place)?);
        self.keys.extend(plan.into_iter().flat_map(Plan::fresh_keys));
        Ok(())
    }
}

/// The pipeline files of a folder, of which there are none where it is not there.
pub(crate) fn pipelines(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    if !folder.is_dir() {
        return Ok(files);
    }
    for entry in fs::read_dir(folder)? {
        let file = entry?.path();
        if file.extension().is_some_and(|extension| extension == "toml") {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

/// Removes what is not kept, unless asked only to say what that would be. What is to be kept is
/// planned while nobody else uses the store: a run that ended after the plan would lose its results.
pub(crate) fn collect(
    store: &Store,
    asked: &Gc,
    json: bool,
    plan: impl FnOnce(&mut Kept) -> Result<()>,
) -> Result<()> {
    let Some(alone) = store.hold_alone()? else {
        bail!("another command is using the store\nhint: wait for it to end and try again");
    };
    let mut kept = Kept::default();
    plan(&mut kept)?;
    let young = Duration::from_hours(24 * asked.keep_days);
    let since = SystemTime::now().checked_sub(young).unwrap_or(SystemTime::UNIX_EPOCH);
    let garbage = store.garbage(&kept.keys, since)?;
    if !asked.dry_run {
        garbage.iter().try_for_each(|garbage| store.discard(garbage, &alone))?;
        store.sweep(since, &alone)?;
        slurm::sweep::sweep(store.root(), since)?;
    }
    print(&if json { document(&garbage, asked) } else { text(&garbage, &kept, asked) })
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

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use ambivox_artifacts::{Begun, KeyParts, Provenance};
    use clap::Parser as _;

    use super::*;
    use crate::cli::Cli;

    const EVERYTHING: Gc = Gc { dry_run: false, keep_days: 0 };

    fn parts(seed: u64) -> KeyParts {
        let (stage, code) = ("index".to_owned(), BTreeMap::new());
        KeyParts { stage, code, params: json!({ "seed": seed }), inputs: BTreeMap::new() }
    }

    /// A run that uses the store and makes one result.
    fn make(store: &Store, parts: &KeyParts) {
        let _hold = store.hold().unwrap();
        let Begun::Staging(staging) = store.begin("index", &parts.key(), || {}).unwrap() else {
            panic!("made already");
        };
        fs::write(staging.out().join("rows"), "rows").unwrap();
        let provenance = Provenance {
            started_unix: 0,
            seconds: 0.0,
            threads: 1,
            host: "test".to_owned(),
            isa: None,
            peak_bytes: None,
            tools: BTreeMap::new(),
        };
        store.commit(staging, parts, &[("rows", "rows")], provenance).unwrap();
    }

    fn is_there(store: &Store, parts: &KeyParts) -> bool {
        store.record("index", &parts.key()).unwrap().is_some()
    }

    /// A run that begins once results are being planned waits until the others are removed, and keeps
    /// its own.
    #[test]
    fn a_run_that_ends_after_the_plan_keeps_its_results() {
        let folder = tempfile::tempdir().unwrap();
        let [store, other] = [(); 2].map(|()| Store::open(folder.path()).unwrap());
        make(&store, &parts(1));
        std::thread::scope(|scope| {
            let (begins, begun) = channel();
            let run = scope.spawn(move || {
                begun.recv().unwrap();
                make(&other, &parts(2));
            });
            let plan = |_: &mut Kept| {
                assert!(!run.is_finished());
                begins.send(()).unwrap();
                let third = Store::open(folder.path()).unwrap();
                assert!(third.hold_alone().unwrap().is_none(), "planned without the store's lock");
                Ok(())
            };
            collect(&store, &EVERYTHING, false, plan).unwrap();
        });
        assert!(!is_there(&store, &parts(1)) && is_there(&store, &parts(2)));
    }

    #[test]
    fn nothing_is_planned_while_a_run_uses_the_store() {
        let folder = tempfile::tempdir().unwrap();
        let [store, other] = [(); 2].map(|()| Store::open(folder.path()).unwrap());
        let _run = other.hold().unwrap();
        let plan = |_: &mut Kept| panic!("planned beside a run");
        let error = collect(&store, &EVERYTHING, false, plan).unwrap_err();
        assert!(error.to_string().contains("another command is using the store"), "{error}");
    }

    #[test]
    fn days_beyond_a_century_are_wrong_usage() {
        let days = |days: &str| Cli::try_parse_from(["xtask", "gc", "--keep-days", days]);
        assert!(days("0").is_ok() && days("36500").is_ok());
        for many in ["36501", "768614336404564651", "18446744073709551615"] {
            assert_eq!(days(many).unwrap_err().exit_code(), 2, "{many}");
        }
    }
}
