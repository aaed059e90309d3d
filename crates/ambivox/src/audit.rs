//! `cargo xtask audit`: a method's runs tell which labels to look at first.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ambivox_eval::{CHOSEN, Detector};
use ambivox_settings::role;
use anyhow::{Context as _, Result};

use crate::answer::Answer;
use crate::cli::{self, Selection};
use crate::commands::{OF_ANNOTATORS, fresh, prepared, publish_roles, withdraw};
use crate::execute::Executor;
use crate::experiment::Experiment;
use crate::failure::Failure;
use crate::graph::{self, Audited, AuditedRuns, Graph, Run};
use crate::select::selected;
use crate::table;

/// Rows that the terminal shows.
const SHOWN: usize = 20;
/// Annotators that the terminal shows.
const ANNOTATORS_SHOWN: usize = 12;
/// The method that tells unless another is named.
const METHOD: &str = "lw";

/// Trains what is missing of a method's runs, ranks the labels, and publishes tables and page.
pub(crate) fn audit(
    executor: &mut Executor<'_>,
    own: &cli::Audit,
    jobs: usize,
    results: &Path,
) -> Result<Answer> {
    let experiment = executor.resolver.experiment;
    let method = method(experiment, &own.selection.methods)?;
    let selection = Selection { methods: vec![method.clone()], ..own.selection.clone() };
    check_seeds(experiment, &selection.seeds)?;
    check_detector(experiment, own.detector.as_deref())?;
    check_noise(experiment, own)?;
    let (tested, others) = prepared(executor, &selection, jobs)?;
    let whole = own.noise.then(|| Graph::of(experiment, &[&*tested, &*others].concat()));
    // Labels of the speakers asked for are learned where others are tested.
    let of_all_folds = Selection { folds: Vec::new(), ..selection };
    let others = others.into_iter().filter(|run| selected(run, &of_all_folds)).collect();
    let learned = [&*tested, &fresh(executor, others)?].concat();
    check_folds(&learned)?;
    let runs = AuditedRuns { tested: &tested, learned: &learned };
    let (detector, sounds) = (own.detector.clone(), own.sounds);
    let params = Audited { method, detector, compares_noise: own.noise, sounds };
    let graph = whole.unwrap_or_else(|| Graph::of(experiment, &learned));
    let graph = graph.with([graph::audit(experiment, params, runs)]);
    executor.bring_up(&graph.upto([graph::AUDIT]), jobs)?;
    let read = |role, most| rows(&executor.resolver.output(graph::AUDIT, role)?, most);
    let mut text = table::suspects(&read(role::AUDIT_CSV, SHOWN)?);
    let mut roles = vec![role::AUDIT, role::AUDIT_CSV, role::AUDIT_PAGE];
    let annotators = read(role::ANNOTATORS, ANNOTATORS_SHOWN)?;
    if annotators.is_empty() {
        withdraw(executor, results, &OF_ANNOTATORS)?;
    } else {
        text = format!("{text}\n{}", table::annotators_beside_models(&annotators));
        roles.extend([role::CONSENSUS, role::ANNOTATORS]);
    }
    let roles: Vec<_> = roles.into_iter().map(|role| (graph::AUDIT, role)).collect();
    let outputs = publish_roles(executor, results, &roles)?;
    Ok(Answer { text, outputs, tally: executor.tally, warnings: Vec::new() })
}

/// Noise is what the pipeline has in `[label_noise]`; detectors are chosen by it.
fn check_noise(experiment: &Experiment, own: &cli::Audit) -> Result<()> {
    if own.detector.as_deref() == Some(CHOSEN) && !own.noise {
        return Err(Failure::usage(
            "--detector chosen ranks by the detectors that find the most label noise added on purpose\n\
             hint: add it with --noise",
        ));
    }
    let noise = experiment.pipeline.label_noise.as_ref();
    if own.noise && noise.is_none_or(|noise| noise.rates.iter().all(|&rate| rate == 0.0)) {
        return Err(Failure::usage(
            "--noise tells what is found among labels exchanged on purpose, and the pipeline exchanges none\n\
             hint: add a section [label_noise], with 0 among its rates, or leave --noise out",
        ));
    }
    Ok(())
}

/// The method named, else the one that learns both labels and weights, else the only one.
fn method(experiment: &Experiment, named: &[String]) -> Result<String> {
    let ids: Vec<&str> = experiment.methods.iter().map(|method| method.name().id()).collect();
    match named {
        [method] => Ok(method.clone()),
        [] if ids.contains(&METHOD) => Ok(METHOD.to_owned()),
        [] if ids.len() == 1 => Ok(ids[0].to_owned()),
        _ => Err(Failure::usage(format!(
            "the runs of one method tell which labels are suspect; name it with --method: {}",
            ids.join(", ")
        ))),
    }
}

/// Who is tested in a fold is not learned from in it.
fn check_folds(learned: &[Run]) -> Result<()> {
    let folds: BTreeSet<&str> = learned.iter().map(|run| run.fold.as_str()).collect();
    if folds.len() > 1 {
        return Ok(());
    }
    Err(Failure::usage(
        "with the runs of one fold alone no label was both learned from and tested\n\
         hint: audit more folds, or all by leaving --fold out",
    ))
}

/// Before anything is trained: what a detector reads is kept by trainings that are told to, or is there for
/// models of vectors alone.
fn check_detector(experiment: &Experiment, named: Option<&str>) -> Result<()> {
    let Some((_, detector)) = named.and_then(Detector::find) else { return Ok(()) };
    if detector.needs_dynamics && !experiment.pipeline.training.dynamics {
        return Err(Failure::usage(format!(
            "the detector {} reads the course of training, which these runs do not keep\n\
             hint: set training.dynamics = true in the pipeline; all of its runs are trained again",
            detector.name
        )));
    }
    if detector.needs_vectors && !experiment.has_vectors() {
        return Err(Failure::usage(format!(
            "the detector {} compares vectors, one an utterance, and these models read frames\n\
             hint: name another, or have a [pooling] and a model of vectors",
            detector.name
        )));
    }
    Ok(())
}

/// Where labels have been exchanged, those of every seed are others.
fn check_seeds(experiment: &Experiment, named: &[u64]) -> Result<()> {
    let seeds = if named.is_empty() { &experiment.pipeline.training.seeds } else { named };
    if graph::is_noisy_throughout(experiment) && seeds.len() > 1 {
        let seeds: Vec<String> = seeds.iter().map(u64::to_string).collect();
        return Err(Failure::usage(format!(
            "label noise exchanges other labels for every seed, and labels are audited that are the \
             same in all runs; name one with --seed: {}",
            seeds.join(", ")
        )));
    }
    Ok(())
}

/// The first rows of a table, cells by column.
fn rows(file: &Path, most: usize) -> Result<Vec<BTreeMap<String, String>>> {
    let mut csv = csv::Reader::from_path(file)?;
    let rows = csv.deserialize().take(most);
    rows.collect::<Result<_, _>>().with_context(|| file.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::tests::Toy;

    #[test]
    fn exchanged_labels_are_audited_for_one_seed() {
        let toy = Toy::new();
        let check = |rates: &str, seeds: &[u64]| {
            let toy = Toy::new();
            let noise = format!("[label_noise]\nrates = {rates}\nkind = \"symmetric\"\nseed = 5");
            toy.edit("[model]", &format!("{noise}\n\n[model]"));
            check_seeds(&toy.read().unwrap(), seeds).map_err(|error| error.to_string())
        };
        assert!(check("[0.25]", &[]).unwrap_err().ends_with("with --seed: 0, 1, 2"));
        assert!(check("[0.25]", &[1]).is_ok());
        assert!(check("[0.0, 0.25]", &[]).is_ok(), "the labels as they are");
        assert!(check_seeds(&toy.read().unwrap(), &[]).is_ok());
    }

    #[test]
    fn one_method_tells() {
        let experiment = Toy::new().read().unwrap();
        let named = |ids: &[&str]| {
            let ids: Vec<String> = ids.iter().map(|&id| id.to_owned()).collect();
            method(&experiment, &ids).map_err(|error| error.to_string())
        };
        assert_eq!(named(&[]), Ok("lw".to_owned()));
        assert_eq!(named(&["baseline"]), Ok("baseline".to_owned()));
        assert!(named(&["lw", "baseline"]).unwrap_err().ends_with("--method: baseline, lw"));
    }
}
