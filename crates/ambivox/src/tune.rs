//! `cargo xtask tune`: tries settings of a pipeline and ranks them by validation loss.
//!
//! A trial is the pipeline's own training with other settings, and cached like it. Of what a run
//! leaves behind, the predictions for its validation speaker alone are read here, never those for the
//! test speaker.

mod ranking;
mod study;

use ambivox_eval::mean_sd;
use ambivox_settings::{Space, role};
use anyhow::{Context as _, Result};

use crate::cli::{self, Selection};
use crate::commands::prepared;
use crate::execute::Executor;
use crate::graph::{Graph, Instance, Run};
use crate::select::check_selection;
pub(crate) use ranking::Ranking;
use ranking::{MethodRanking, Ranked};
use study::{Study, Trial};

/// Trains every trial of every method that the space is about, and ranks them.
pub(crate) fn tune(executor: &mut Executor<'_>, own: &cli::Tune, jobs: usize) -> Result<Ranking> {
    let experiment = executor.resolver.experiment;
    check_selection(experiment, &own.selection)?;
    let space = Space::read(&own.space)?;
    let studies = study::studies(&own.space, &space, experiment, &own.selection.methods)?;
    let methods = studies.iter().map(|study| study.method.id().to_owned()).collect();
    let (runs, _) = prepared(executor, &Selection { methods, ..own.selection.clone() }, jobs)?;
    let planned: Vec<Planned> = studies.iter().map(|study| Planned::new(study, &runs)).collect();
    train(executor, &planned, jobs)?;
    let methods = planned.iter().map(|plan| plan.rank(executor)).collect::<Result<_>>()?;
    Ok(Ranking::new(experiment, methods, executor.tally))
}

/// A method's trials with the runs of each.
struct Planned<'a> {
    study: &'a Study,
    trials: Vec<(&'a Trial, Vec<Instance>)>,
}

impl<'a> Planned<'a> {
    fn new(study: &'a Study, runs: &[Run]) -> Self {
        let own = |run: &&Run| *run.method.name() == study.method;
        let runs: Vec<Run> = runs.iter().filter(own).cloned().collect();
        let instances = |trial: &'a Trial| (trial, trial.instances(&runs));
        Self { study, trials: study.trials.iter().map(instances).collect() }
    }

    fn rank(&self, executor: &Executor<'_>) -> Result<MethodRanking> {
        let ranked =
            |(trial, instances): &(&Trial, Vec<Instance>)| ranked(executor, trial, instances);
        let trials = self.trials.iter().map(ranked).collect::<Result<_>>()?;
        Ok(MethodRanking::new(self.study.method.clone(), trials))
    }
}

/// Brings all runs up to date together; where one fails, says what its trial tried.
fn train(executor: &mut Executor<'_>, planned: &[Planned<'_>], jobs: usize) -> Result<()> {
    let trials = || planned.iter().flat_map(|plan| &plan.trials);
    let all = trials().flat_map(|(_, instances)| instances.clone());
    let graph = Graph::before_training(executor.resolver.experiment).with(all);
    let brought = executor.bring_up(&graph, jobs);
    if brought.is_err() {
        trials().for_each(|(trial, _)| executor.progress.say(&trial.to_string()));
    }
    brought
}

fn ranked(executor: &Executor<'_>, trial: &Trial, instances: &[Instance]) -> Result<Ranked> {
    let losses = instances.iter().map(|run| validation_loss(executor, &run.slot));
    let losses = losses.collect::<Result<Vec<_>>>()?;
    let over_runs = mean_sd(losses).context("a trial without runs")?;
    Ok(Ranked {
        trial: trial.number,
        validation_loss: over_runs.mean,
        sd: over_runs.sd,
        runs: instances.len(),
        settings: trial.settings.clone(),
    })
}

/// The validation loss of the model that a run kept, of one epoch or of several.
fn validation_loss(executor: &Executor<'_>, slot: &str) -> Result<f64> {
    let file = executor.resolver.output(slot, role::PREDICTIONS)?;
    let classes = &executor.resolver.experiment.pipeline.split.classes;
    ambivox_stages::validation_loss(&file, classes)?.context(
        "nothing validates in this split, so that trials cannot be ranked; choose another \
         split.validation",
    )
}
