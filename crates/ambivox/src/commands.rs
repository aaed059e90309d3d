//! What the commands do, from the pipeline file to the answer.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use ambivox_eval::Summary;
use ambivox_settings::{Exclusion, Exclusions, IndexSummary, Splits, counted, counted_is, role};
use anyhow::{Context as _, Result};
use fs_err as fs;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::answer::Answer;
use crate::cli::Selection;
use crate::comparable::Comparable;
use crate::events::{publish_events, watched};
use crate::execute::Executor;
use crate::failure::Failure;
use crate::graph::{self, Graph, Run};
use crate::plan::Plan;
use crate::publish::Published;
use crate::resolve::State;
use crate::select::{check_folds, check_selection, selected};
use crate::table;

/// The published report's name.
const PAGE: &str = "report.html";
/// Names of the published rankings of labels.
const AUDIT: [&str; 5] =
    ["audit.parquet", "audit.csv", "audit.html", OF_ANNOTATORS[0], OF_ANNOTATORS[1]];
/// Those of them that there are where it is known who gave which label.
pub(crate) const OF_ANNOTATORS: [&str; 2] = ["consensus.csv", "annotators.csv"];

/// The stage up to which to go, before training.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    Synth,
    Index,
    Extract,
}

impl Until {
    fn slot(self) -> &'static str {
        match self {
            Self::Synth => "synth",
            Self::Index => "index",
            Self::Extract => "extract",
        }
    }
}

/// Brings the stages up to `until` up to date, and names what the last of them made.
pub(crate) fn prepare(executor: &mut Executor<'_>, until: Until) -> Result<Answer> {
    let experiment = executor.resolver.experiment;
    if until == Until::Synth && experiment.pipeline.synth.is_none() {
        return Err(Failure::usage(format!(
            "the corpus of the pipeline {} is not synthetic; there is nothing to make",
            experiment.pipeline.name
        )));
    }
    executor.bring_up(&Graph::before_training(experiment).upto([until.slot()]), 1)?;
    let mut warnings = Vec::new();
    let text = match until {
        Until::Synth => "The corpus is synthetic.".to_owned(),
        Until::Index => {
            let found: IndexSummary = read_output(executor, "index", role::INDEX_SUMMARY)?;
            warnings.extend(found.warnings.iter().map(|warning| json!(warning)));
            table::index(&found)
        }
        Until::Extract => {
            let found: Exclusions = read_output(executor, "extract", role::EXCLUSIONS)?;
            warnings.extend(found.warnings.iter().map(|warning| json!(warning)));
            exclusions(&found)
        }
    };
    let record = executor.resolver.record(until.slot())?;
    let paths = record
        .outputs
        .keys()
        .map(|role| Ok((role.clone(), executor.resolver.output(until.slot(), role)?)));
    let outputs = paths.collect::<Result<BTreeMap<_, _>>>()?;
    Ok(Answer { text, outputs, tally: executor.tally, warnings })
}

fn exclusions(exclusions: &Exclusions) -> String {
    let excluded = match exclusions.excluded.as_slice() {
        [] => "No utterance is excluded.".to_owned(),
        excluded => {
            let count = counted_is(excluded.len(), "utterance");
            format!("{count} excluded:\n{}", listed(excluded))
        }
    };
    match exclusions.warnings.as_slice() {
        [] => excluded,
        warnings => {
            format!(
                "{excluded}\nDoubtful recordings, which are not excluded:\n{}",
                listed(warnings)
            )
        }
    }
}

/// A line for each.
fn listed(exclusions: &[Exclusion]) -> String {
    let lines = exclusions.iter().map(|e| format!("  {}: {}", e.utterance_id, e.reason));
    lines.collect::<Vec<_>>().join("\n")
}

/// How far a cross-validation goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Goal {
    /// Tables.
    Rates,
    /// Tables and the page.
    Page,
}

/// Trains and evaluates the selected runs, and publishes the results of these and of all other runs
/// that are fresh.
pub(crate) fn cross_validate(
    executor: &mut Executor<'_>,
    selection: &Selection,
    jobs: usize,
    results: &Path,
    goal: Goal,
) -> Result<Answer> {
    let experiment = executor.resolver.experiment;
    let (wanted, others) = prepared(executor, selection, jobs)?;
    executor.watched = watched(executor, &results.join(&experiment.pipeline.name), &wanted)?;
    let comparable = comparable(executor, wanted, others)?;
    let left_out = comparable.left_out();
    let graph = Graph::of(experiment, &comparable.runs);
    let goal = match goal {
        Goal::Page => graph::REPORT.to_owned(),
        Goal::Rates => graph::last_table(experiment),
    };
    executor.bring_up(&graph.upto([goal.as_str()]), jobs)?;
    let report = graph.get(graph::REPORT).context("a pipeline without a page")?;
    let with_page = matches!(executor.resolver.state(report)?, State::Fresh { .. });
    let trained = [comparable.runs, comparable.others].concat();
    let outputs = publish_results(executor, results, &trained, with_page)?;
    // This run's own: another may publish to the same place.
    let slot = graph::main_evaluation(experiment);
    let summary = fs::read_to_string(executor.resolver.output(&slot, role::SUMMARY)?)?;
    let text = table::rates(&Summary::from_json(&summary)?);
    let text = std::iter::once(text).chain(left_out.clone()).collect::<Vec<_>>().join("\n");
    let warnings = left_out.map(|text| json!(text)).into_iter().collect();
    Ok(Answer { text, outputs, tally: executor.tally, warnings })
}

/// Makes whatever comes before training; returns the selected runs, and the others.
pub(crate) fn prepared(
    executor: &mut Executor<'_>,
    selection: &Selection,
    jobs: usize,
) -> Result<(Vec<Run>, Vec<Run>)> {
    let experiment = executor.resolver.experiment;
    check_selection(experiment, selection)?;
    let before = Graph::before_training(experiment);
    executor.bring_up(&before.upto([graph::SPLIT]), 1)?;
    let folds = fold_names(executor)?;
    check_folds(selection, &folds)?;
    let all = graph::runs(experiment, &folds);
    let (wanted, others): (Vec<Run>, Vec<Run>) =
        all.into_iter().partition(|run| selected(run, selection));
    check_votes(executor, &wanted)?;
    executor.bring_up(&before, jobs)?;
    Ok((wanted, others))
}

/// A method that learns from votes would fail on utterances without them; say so before the hours of
/// training that come first.
pub(crate) fn check_votes(executor: &Executor<'_>, runs: &[Run]) -> Result<()> {
    let Some(run) = runs.iter().find(|run| run.method.uses_votes) else { return Ok(()) };
    let index: IndexSummary = read_output(executor, "index", role::INDEX_SUMMARY)?;
    let corpus = &executor.resolver.experiment.manifest.title;
    if let Some(run) = runs.iter().find(|run| run.method.weighs_annotators)
        && index.annotators.is_none()
    {
        return Err(Failure::data(format!(
            "{} weighs annotators, and {corpus} does not tell who gave which label\n\
             hint: name a table of ratings in the manifest (csv.ratings), or leave votes = \"dawid-skene\" out",
            run.method.name()
        )));
    }
    if index.votes {
        return check_every_vote(executor, run);
    }
    let method = run.method.name();
    Err(Failure::data(format!(
        "{method} learns from annotators' votes, and {corpus} has none\n\
         hint: leave [methods.{method}] out of the pipeline, or name other methods with --method"
    )))
}

fn check_every_vote(executor: &Executor<'_>, run: &Run) -> Result<()> {
    let unvoted = read_output::<Splits>(executor, "split", role::SPLITS)?.without_votes;
    if unvoted.is_empty() {
        return Ok(());
    }
    let count = counted(unvoted.len(), "utterance");
    let (method, unvoted) = (run.method.name(), unvoted.join("\n  "));
    Err(Failure::data(format!(
        "{method} learns from annotators' votes, and none is for any class in {count}:\n  {unvoted}\n\
         hint: give them votes, or take their label away in the table or by [corrections]"
    )))
}

fn fold_names(executor: &Executor<'_>) -> Result<Vec<String>> {
    let splits: Splits = read_output(executor, "split", role::SPLITS)?;
    Ok(splits.folds.into_iter().map(|fold| fold.name).collect())
}

/// The wanted runs, and those of the others that are in the store and may stand beside them.
fn comparable(
    executor: &mut Executor<'_>,
    wanted: Vec<Run>,
    others: Vec<Run>,
) -> Result<Comparable> {
    Ok(Comparable::of(wanted, fresh(executor, others)?))
}

/// Those of these runs that are in the store.
pub(crate) fn fresh(executor: &mut Executor<'_>, runs: Vec<Run>) -> Result<Vec<Run>> {
    let mut fresh = Vec::new();
    for run in runs {
        let instance = graph::training(executor.resolver.experiment, &run);
        if matches!(executor.resolver.state(&instance)?, State::Fresh { .. }) {
            fresh.push(run);
        }
    }
    Ok(fresh)
}

fn publish_results(
    executor: &Executor<'_>,
    results: &Path,
    runs: &[Run],
    with_page: bool,
) -> Result<BTreeMap<String, PathBuf>> {
    let experiment = executor.resolver.experiment;
    let evaluation = graph::main_evaluation(experiment);
    let mut roles = vec![
        (&*evaluation, role::SUMMARY),
        (&evaluation, role::RESULTS),
        (&evaluation, role::LABELS),
        ("split", role::SPLITS),
    ];
    if experiment.pipeline.label_noise.is_some() {
        roles.push((graph::COMPARISON, role::NOISE_SUMMARY));
    }
    if with_page {
        roles.push(("report", role::REPORT));
    }
    let mut published = published(executor, results)?;
    let summary = executor.resolver.output(&evaluation, role::SUMMARY)?;
    // An audit by folds of its own is of none of these runs.
    let audits_these = experiment.pipeline.audit.is_none();
    if audits_these && !published.holds(&summary, file_name(&summary)?)? {
        AUDIT.iter().try_for_each(|name| remove(executor, &mut published, name, "audit"))?;
    }
    if !with_page {
        remove(executor, &mut published, PAGE, "report")?;
    }
    publish_events(executor, &mut published, runs)?;
    publish_into(executor, &mut published, &roles)
}

/// Publishes outputs of other stages than those of a cross-validation, by slot and role.
pub(crate) fn publish_roles(
    executor: &Executor<'_>,
    results: &Path,
    roles: &[(&str, &'static str)],
) -> Result<BTreeMap<String, PathBuf>> {
    publish_into(executor, &mut published(executor, results)?, roles)
}

/// The pipeline's results.
fn published<'a>(executor: &Executor<'a>, results: &Path) -> Result<Published<'a>> {
    let folder = results.join(&executor.resolver.experiment.pipeline.name);
    Published::open(&folder, executor.resolver.store.memo(), executor.progress)
}

fn publish_into(
    executor: &Executor<'_>,
    published: &mut Published<'_>,
    roles: &[(&str, &'static str)],
) -> Result<BTreeMap<String, PathBuf>> {
    let mut outputs = BTreeMap::new();
    for (slot, role) in roles {
        let from = executor.resolver.output(slot, role)?;
        outputs.insert((*role).to_owned(), published.publish(&from, file_name(&from)?)?);
    }
    published.save()?;
    Ok(outputs)
}

fn file_name(output: &Path) -> Result<&Path> {
    output.file_name().map(Path::new).context("an output without a name")
}

/// Removes tables that the audit published before and has no longer.
pub(crate) fn withdraw(executor: &Executor<'_>, results: &Path, names: &[&str]) -> Result<()> {
    let mut published = published(executor, results)?;
    for name in names {
        remove(executor, &mut published, name, "audit")?;
    }
    published.save()
}

/// A page or table of other results than those beside it would mislead.
fn remove(
    executor: &Executor<'_>,
    published: &mut Published<'_>,
    name: &str,
    command: &str,
) -> Result<()> {
    if published.remove(Path::new(name))? {
        let line =
            format!("removed, being of other results; `cargo xtask {command}` makes it again");
        executor.progress.warn(&format!("{}: {line}", published.path(name).display()));
    }
    Ok(())
}

/// As [`cross_validate`] with a page, naming it and the time taken.
pub(crate) fn demonstrate(
    executor: &mut Executor<'_>,
    jobs: usize,
    results: &Path,
) -> Result<Answer> {
    let started = Instant::now();
    let all = Selection::default();
    let mut answer = cross_validate(executor, &all, jobs, results, Goal::Page)?;
    let page = answer.outputs[role::REPORT].display();
    let seconds = started.elapsed().as_secs_f64();
    answer.text = format!("{}\nThe report, made in {seconds:.1} s: {page}", answer.text);
    Ok(answer)
}

/// What would run.
pub(crate) fn plan(executor: &mut Executor<'_>, selection: &Selection) -> Result<Plan> {
    let experiment = executor.resolver.experiment;
    check_selection(experiment, selection)?;
    let mut plan = Plan::new(&experiment.pipeline.name);
    let before = Graph::before_training(experiment);
    plan.add(&mut executor.resolver, &before.upto([graph::SPLIT]))?;
    let folds = if plan.is_fresh() {
        let folds = fold_names(executor)?;
        check_folds(selection, &folds)?;
        folds
    } else {
        experiment.known_folds()
    };
    if folds.is_empty() {
        plan.add_waiting("train", "split");
    }
    let all = graph::runs(experiment, &folds);
    let (wanted, others): (Vec<Run>, Vec<Run>) =
        all.into_iter().partition(|run| selected(run, selection));
    // Which of the others are fresh shows once their labels are looked up.
    plan.add(&mut executor.resolver, &Graph::before_training(experiment))?;
    let Comparable { runs, .. } = comparable(executor, wanted, others)?;
    plan.add(&mut executor.resolver, &Graph::of(experiment, &runs))?;
    Ok(plan)
}

fn read_output<T: DeserializeOwned>(executor: &Executor<'_>, slot: &str, role: &str) -> Result<T> {
    let file = executor.resolver.output(slot, role)?;
    let text = fs::read_to_string(&file)?;
    serde_json::from_str(&text).with_context(|| file.display().to_string())
}
