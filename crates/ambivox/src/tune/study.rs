//! What is tried: the points of a space, for each method those settings that concern it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use ambivox_settings::{Method, Range, Search, Space};
use anyhow::Result;
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;
use toml::Value;

use crate::experiment::Experiment;
use crate::failure::Failure;
use crate::graph::{self, Instance, Run};

/// More trials than anybody waits for; a grid beyond is a slip.
const MOST_TRIALS: usize = 10_000;

/// Values by the setting's path in the pipeline.
pub(crate) type Settings = BTreeMap<String, Value>;

/// One method and all that is tried with it.
#[derive(Debug)]
pub(crate) struct Study {
    pub(crate) method: Method,
    pub(crate) trials: Vec<Trial>,
}

/// A pipeline with some settings changed.
#[derive(Debug)]
pub(crate) struct Trial {
    /// From 1, in the order of the space.
    pub(crate) number: usize,
    pub(crate) settings: Settings,
    experiment: Experiment,
}

impl Trial {
    /// These runs of the pipeline with the trial's settings, at places of their own, so that the
    /// pipeline's own history is left alone.
    pub(crate) fn instances(&self, runs: &[Run]) -> Vec<Instance> {
        let instance = |run: &Run| {
            let mut methods = self.experiment.methods.iter();
            let with_settings = methods.find(|method| method.name() == run.method.name());
            let method = with_settings.unwrap_or(&run.method).clone();
            let run = Run { method, ..run.clone() };
            let Instance { slot, work, inputs } = graph::training(&self.experiment, &run);
            Instance { slot: graph::trial_slot(self.number, &slot), work, inputs }
        };
        runs.iter().map(instance).collect()
    }
}

impl fmt::Display for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tune/{}: {}", self.number, one_line(&self.settings))
    }
}

fn one_line(settings: &Settings) -> String {
    let pairs = settings.iter().map(|(path, value)| format!("{path} = {value}"));
    pairs.collect::<Vec<_>>().join(", ")
}

/// What is tried with each method: with those asked for, else with those whose sections the space
/// names, else with all of the pipeline.
///
/// Every setting and every trial is checked here, before anything runs; `file` is that of the space.
pub(crate) fn studies(
    file: &Path,
    space: &Space,
    experiment: &Experiment,
    asked: &[String],
) -> Result<Vec<Study>> {
    let refuse = |text: String| Failure::usage(format!("{}: {text}", file.display()));
    let there = experiment.pipeline.training_settings();
    let faults = space.settings.iter().map(|(path, range)| fault(path, range, &there));
    faults.flatten().next().map_or(Ok(()), |text| Err(refuse(text)))?;
    let points = points(space).map_err(refuse)?;
    let study = |method| study(method, &points, experiment).map_err(refuse);
    methods(space, experiment, asked).into_iter().map(study).collect()
}

/// What is wrong with the values of one setting.
fn fault(path: &str, range: &Range, there: &Settings) -> Option<String> {
    let Some(present) = there.get(path) else { return Some(unknown(path, there)) };
    let fits =
        |value: &Value| value.same_type(present) || (value.is_integer() && present.is_float());
    let wrong = match range {
        Range::Choice(values) => values.iter().find(|value| !fits(value)).cloned(),
        Range::Uniform(_) | Range::LogUniform(_) => Some(Value::Float(0.5)).filter(|v| !fits(v)),
        Range::Integer([low, _]) => Some(Value::Integer(*low)).filter(|value| !fits(value)),
    }?;
    let values = match range {
        Range::Choice(_) => wrong.to_string(),
        _ => "the range".to_owned(),
    };
    Some(format!(
        "settings.\"{path}\": {values} is of type {}, the setting of type {}\n\
         hint: give values such as the pipeline's own, {present}",
        wrong.type_str(),
        present.type_str(),
    ))
}

fn unknown(path: &str, there: &Settings) -> String {
    let section = path.rsplit_once('.').map_or("", |(section, _)| section);
    let known: Vec<&str> = there
        .keys()
        .filter(|key| key.rsplit_once('.').is_some_and(|(of, _)| of == section))
        .map(String::as_str)
        .collect();
    let hint = match section.strip_prefix("methods.") {
        _ if !known.is_empty() => format!("there are: {}", known.join(", ")),
        Some(method) => format!(
            "the pipeline has no [methods.{method}]; add the section there, or take the key out"
        ),
        None => "settings are numbers and names of [training], [model] and [methods.ID]".to_owned(),
    };
    format!("settings.\"{path}\": no such setting in this pipeline\nhint: {hint}")
}

/// The method whose section a setting is in.
fn section_of(path: &str) -> Option<&str> {
    path.strip_prefix("methods.")?.split('.').next()
}

fn methods(space: &Space, experiment: &Experiment, asked: &[String]) -> Vec<Method> {
    let named: Vec<&str> = space.settings.keys().filter_map(|path| section_of(path)).collect();
    let wanted = |method: &Method| match (asked.is_empty(), named.is_empty()) {
        (false, _) => asked.iter().any(|id| id == method.id()),
        (true, false) => named.contains(&method.id()),
        (true, true) => true,
    };
    experiment.methods.iter().map(|method| method.name().clone()).filter(wanted).collect()
}

/// Whether a method reads a setting of `[training]` or `[model]`, and has none of its own in its place.
fn is_shared(path: &str, method: &Method, experiment: &Experiment) -> bool {
    let Some(own) = experiment.pipeline.methods.own(method) else { return true };
    let Some(key) = path.strip_prefix("model.") else {
        return path.strip_prefix("training.").is_none_or(|key| !own.training.contains_key(key));
    };
    let planned = experiment.methods.iter().find(|planned| planned.name() == method);
    let pipelines =
        planned.is_none_or(|planned| planned.model.kind == experiment.pipeline.model.kind);
    pipelines && !own.model.contains_key(key)
}

/// A method with every point, less what is of other methods, once.
fn study(method: Method, points: &[Settings], experiment: &Experiment) -> Result<Study, String> {
    let concerns = |path: &str| {
        section_of(path)
            .map_or_else(|| is_shared(path, &method, experiment), |of| of == method.id())
    };
    let mut trials = Vec::new();
    let mut seen = BTreeSet::new();
    for point in points {
        let mut settings = point.clone();
        settings.retain(|path, _| concerns(path));
        if settings.is_empty() {
            return Err(format!(
                "no setting here concerns {method}\n\
                 hint: name a setting of [training] or [model] of which it has none of its own, one of \
                 [methods.{method}], as methods.{method}.training.patience, or other methods with --method"
            ));
        }
        let line = one_line(&settings);
        if !seen.insert(line.clone()) {
            continue;
        }
        let pipeline = experiment.pipeline.with(&settings);
        let experiment = pipeline.and_then(|pipeline| experiment.with_pipeline(pipeline));
        let experiment = experiment.map_err(|error| format!("with {line}: {error}"))?;
        trials.push(Trial { number: trials.len() + 1, settings, experiment });
    }
    Ok(Study { method, trials })
}

/// The points of a space; the last setting of a grid varies fastest.
fn points(space: &Space) -> Result<Vec<Settings>, String> {
    let trials = match space.search {
        Search::Random => space.trials.unwrap_or_default(),
        Search::Grid => {
            let sizes = space.settings.values().map(|range| choices(range).len());
            sizes.fold(1, usize::saturating_mul)
        }
    };
    if trials > MOST_TRIALS {
        return Err(format!("{trials} trials; narrow the space to {MOST_TRIALS} at most"));
    }
    Ok(match space.search {
        Search::Grid => grid(space),
        Search::Random => drawn(space, trials),
    })
}

fn choices(range: &Range) -> &[Value] {
    if let Range::Choice(values) = range { values } else { &[] }
}

fn grid(space: &Space) -> Vec<Settings> {
    let mut points = vec![Settings::new()];
    for (path, range) in &space.settings {
        let with = |point: &Settings, value: &Value| {
            let mut point = point.clone();
            point.insert(path.clone(), value.clone());
            point
        };
        let longer = points.iter().flat_map(|p| choices(range).iter().map(move |v| with(p, v)));
        points = longer.collect();
    }
    points
}

fn drawn(space: &Space, trials: usize) -> Vec<Settings> {
    let mut rng = ChaCha8Rng::seed_from_u64(space.seed.unwrap_or_default());
    let mut point = || {
        let draw = |(path, range): (&String, &Range)| (path.clone(), draw(range, &mut rng));
        space.settings.iter().map(draw).collect()
    };
    (0..trials).map(|_| point()).collect()
}

fn draw(range: &Range, rng: &mut ChaCha8Rng) -> Value {
    match *range {
        Range::Choice(ref values) => values[rng.random_range(0..values.len())].clone(),
        Range::Integer([low, high]) => Value::Integer(rng.random_range(low..=high)),
        Range::Uniform([low, high]) => {
            Value::Float(rounded(rng.random_range(low..high), low, high))
        }
        Range::LogUniform([low, high]) => {
            let drawn = libm::exp(rng.random_range(libm::log(low)..libm::log(high)));
            Value::Float(rounded(drawn, low, high))
        }
    }
}

/// Three significant digits within the limits, so that what is shown is what was tried.
fn rounded(drawn: f64, low: f64, high: f64) -> f64 {
    format!("{drawn:.2e}").parse().unwrap_or(drawn).clamp(low, high)
}

#[cfg(test)]
mod tests;
