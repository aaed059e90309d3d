//! Event files of runs where TensorBoard looks for them: `results/<pipeline>/tensorboard/`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use ambivox_artifacts::file_name;
use ambivox_settings::role;
use anyhow::Result;

use crate::execute::Executor;
use crate::experiment::Experiment;
use crate::graph::{self, Run};
use crate::publish::Published;
use crate::resolve::State;

/// The folder to name to TensorBoard.
const FOLDER: &str = "tensorboard";

/// Publishes the event files of these runs, each in a folder of its own, and removes those of other
/// runs that were published before.
pub(crate) fn publish_events(
    executor: &Executor<'_>,
    published: &mut Published<'_>,
    runs: &[Run],
) -> Result<()> {
    let experiment = executor.resolver.experiment;
    let files = runs.iter().filter_map(|run| Some((file(experiment, run)?, run.slot())));
    let files: BTreeMap<PathBuf, String> = files.collect();
    for (name, slot) in &files {
        published.publish(&executor.resolver.output(slot, role::EVENTS)?, name)?;
    }
    remove_others(published, &files.into_keys().collect())
}

/// Where trainings that are to run show their events meanwhile, by slot: the files that
/// [`publish_events`] brings to their end.
pub(crate) fn watched(
    executor: &mut Executor<'_>,
    results: &Path,
    runs: &[Run],
) -> Result<BTreeMap<String, PathBuf>> {
    let experiment = executor.resolver.experiment;
    let mut files = BTreeMap::new();
    for run in runs {
        let instance = graph::training(experiment, run);
        if !matches!(executor.resolver.state(&instance)?, State::Fresh { .. }) {
            files.extend(file(experiment, run).map(|file| (run.slot(), file)));
        }
    }
    if files.is_empty() {
        return Ok(files);
    }
    let memo = executor.resolver.store.memo();
    let mut published = Published::open(results, memo, executor.progress)?;
    published.expect(files.values().map(PathBuf::as_path))?;
    // Stages work in folders of their own.
    let results = std::path::absolute(results)?;
    Ok(files.into_iter().map(|(slot, file)| (slot, results.join(file))).collect())
}

/// A run's event file, below the results.
fn file(experiment: &Experiment, run: &Run) -> Option<PathBuf> {
    let outputs = graph::training(experiment, run).work.outputs();
    let (_, name) = outputs.iter().find(|(role, _)| *role == role::EVENTS)?;
    Some(Path::new(FOLDER).join(place(run)).join(name))
}

/// `<method>/seed-<seed>/<fold>`, below the rate of noise where there is one.
fn place(run: &Run) -> PathBuf {
    let noise = run.noise.map_or_else(PathBuf::new, |rate| PathBuf::from(format!("noise-{rate}")));
    let seed = format!("seed-{}", run.seed);
    noise.join(run.method.name().id()).join(seed).join(file_name(&run.fold))
}

fn remove_others(published: &mut Published<'_>, keep: &BTreeSet<PathBuf>) -> Result<()> {
    for file in published.below(Path::new(FOLDER)) {
        if !keep.contains(&file) {
            published.remove(&file)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::tests::House;

    #[test]
    fn what_is_of_no_run_is_removed_where_it_was_published() {
        let house = House::new();
        let files = ["lw/seed-0/a", "lw/seed-1/a"].map(|run| Path::new(FOLDER).join(run));
        house.write("results/tensorboard/lw/seed-1/mine", "mine");
        house.write("results/tensorboard/notes", "mine");
        let mut published = house.open();
        for file in &files {
            published.publish(&house.output("events"), file).unwrap();
        }
        remove_others(&mut published, &BTreeSet::from([files[0].clone()])).unwrap();
        let names = ["lw/seed-0/a", "lw/seed-1/mine", "notes"];
        assert_eq!(house.files("results/tensorboard"), names);
    }
}
