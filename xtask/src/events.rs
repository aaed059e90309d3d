//! Event files of runs where TensorBoard looks for them: `results/<pipeline>/tensorboard/`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use ambivox_artifacts::file_name;
use ambivox_settings::role;
use anyhow::{Context as _, Result};
use fs_err as fs;
use walkdir::WalkDir;

use crate::execute::Executor;
use crate::experiment::Experiment;
use crate::graph::{self, Run};
use crate::publish::publish;

/// The folder to name to TensorBoard.
const FOLDER: &str = "tensorboard";

/// Publishes the event files of these runs, each in a folder of its own, and removes those of other
/// runs.
pub(crate) fn publish_events(executor: &Executor<'_>, results: &Path, runs: &[Run]) -> Result<()> {
    let resolver = &executor.resolver;
    let folder = results.join(FOLDER);
    let mut published = BTreeSet::new();
    for run in runs {
        let from = resolver.output(&run.slot(), role::EVENTS)?;
        let name = from.file_name().context("an output without a name")?;
        let to = folder.join(place(run)).join(name);
        publish(resolver.store.memo(), &from, &to)?;
        published.insert(to);
    }
    remove_others(&folder, &published)
}

/// Where trainings show their events while they run, by slot: the files that [`publish_events`] brings
/// to their end.
pub(crate) fn watched(
    experiment: &Experiment,
    results: &Path,
    runs: &[Run],
) -> Result<BTreeMap<String, PathBuf>> {
    // Stages work in folders of their own.
    let folder = std::path::absolute(results.join(FOLDER))?;
    let file = |run: &Run| {
        let outputs = graph::training(experiment, run).work.outputs();
        let (_, name) = outputs.iter().find(|(role, _)| *role == role::EVENTS)?;
        Some((run.slot(), folder.join(place(run)).join(name)))
    };
    Ok(runs.iter().filter_map(file).collect())
}

/// `<method>/seed-<seed>/<fold>`, below the rate of noise where there is one.
fn place(run: &Run) -> PathBuf {
    let noise = run.noise.map_or_else(PathBuf::new, |rate| PathBuf::from(format!("noise-{rate}")));
    let seed = format!("seed-{}", run.seed);
    noise.join(run.method.method().id()).join(seed).join(file_name(&run.fold))
}

fn remove_others(folder: &Path, published: &BTreeSet<PathBuf>) -> Result<()> {
    for entry in WalkDir::new(folder).into_iter().filter_map(Result::ok) {
        if entry.file_type().is_file() && !published.contains(entry.path()) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_of_no_run_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let [keep, stale] = ["lw/seed-0/a", "lw/seed-1/a"].map(|run| folder.path().join(run));
        for file in [&keep, &stale] {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, "events").unwrap();
        }
        remove_others(folder.path(), &BTreeSet::from([keep.clone()])).unwrap();
        assert!(keep.exists() && !stale.exists());
    }
}
