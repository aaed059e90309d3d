//! What a pipeline makes: each instance's parameters, and where its inputs come from.

use std::collections::{BTreeMap, BTreeSet};

use ambivox_settings::{
    Arithmetic, AuditParams, CompareNoiseParams, CorrectParams, EvaluateParams, ExtractParams,
    IndexParams, LabelNoiseSettings, MapParams, Normalisation, NormaliseParams, ReportParams,
    SplitParams, SplitSettings, StageParams, TrainParams, role,
};

use ambivox_eval::{CHOSEN, Detector};
use ambivox_frontends::Layers;

use super::{AUDIT, Audited, AuditedRuns, COMPARISON, Instance, REPORT, Run, SPLIT, Source};
use crate::experiment::Experiment;
use crate::method::PlannedMethod;

/// What tells slots of different rates of noise apart.
pub(super) fn noise_suffix(noise: Option<f64>) -> String {
    noise.map_or(String::new(), |rate| format!("-noise-{rate}"))
}

fn noise_slot(rate: f64, seed: u64) -> String {
    format!("noise/{rate}/{seed}")
}

/// Slot of the stage that corrects labels: those of the corpus, or those exchanged for a seed's runs.
fn correction_slot(noise: Option<f64>, seed: u64) -> String {
    noise.map_or_else(|| "correct".to_owned(), |rate| format!("correct/{rate}/{seed}"))
}

/// The table of labels that a run trains on in place of the index's, if there is one.
fn relabelled(
    experiment: &Experiment,
    noise: Option<f64>,
    seed: u64,
) -> Option<(&'static str, String)> {
    if experiment.pipeline.corrections.is_some() {
        return Some((role::CORRECTED, correction_slot(noise, seed)));
    }
    noise.map(|rate| (role::NOISE, noise_slot(rate, seed)))
}

/// Slot of the evaluation that the report is about: of the runs with the least noise.
pub(crate) fn main_evaluation(experiment: &Experiment) -> String {
    evaluation_slot(least_noise(experiment))
}

/// Slot of what sets side by side all that a pipeline's runs have shown.
pub(crate) fn last_table(experiment: &Experiment) -> String {
    let noise = experiment.pipeline.label_noise.as_ref();
    noise.map_or_else(|| main_evaluation(experiment), |_| COMPARISON.to_owned())
}

/// Whether labels have been exchanged even in the runs with the least noise.
pub(crate) fn is_noisy_throughout(experiment: &Experiment) -> bool {
    least_noise(experiment).is_some()
}

fn least_noise(experiment: &Experiment) -> Option<f64> {
    noise_rates(experiment).first().copied().flatten()
}

/// Slot of the evaluation at a rate of noise.
fn evaluation_slot(noise: Option<f64>) -> String {
    format!("evaluate{}", noise_suffix(noise))
}

fn output(role: &'static str, slot: &str) -> (String, Source) {
    named(role.to_owned(), role, slot)
}

/// The inputs that every run has one of.
fn of_runs(roles: &[&'static str], runs: &[Run]) -> Vec<(String, Source)> {
    let of_run = |run: &Run| {
        let (id, slot) = (run.id(), run.slot());
        let input = move |&role| named(format!("{role}/{id}"), role, &slot);
        roles.iter().map(input).collect::<Vec<_>>()
    };
    runs.iter().flat_map(of_run).collect()
}

/// An output that goes by a name of its own.
fn named(name: String, role: &'static str, slot: &str) -> (String, Source) {
    (name, Source::Output { slot: slot.to_owned(), role: role.to_owned() })
}

fn corpus(experiment: &Experiment) -> (String, Source) {
    match experiment.pipeline.synth {
        Some(_) => output(role::CORPUS, "synth"),
        None => (role::CORPUS.to_owned(), Source::Corpus),
    }
}

/// What the front end works from: recordings, a table or a model, or both.
fn described(experiment: &Experiment) -> impl Iterator<Item = (String, Source)> {
    let frontend = &experiment.frontend;
    let table = frontend.table.as_ref().map(|_| (role::TABLE.to_owned(), Source::Table));
    frontend.hears.then(|| corpus(experiment)).into_iter().chain(table)
}

/// What comes before training, each after the other: synth (where the corpus is), index, extract,
/// split.
pub(super) fn preparation(experiment: &Experiment) -> Vec<Instance> {
    let Experiment { pipeline, manifest, frontend, .. } = experiment;
    let synth = pipeline.synth.clone();
    let synth = synth.map(|settings| Instance::new("synth", StageParams::Synth(settings), vec![]));
    let index = StageParams::Index(Box::new(IndexParams { manifest: manifest.clone() }));
    let extract = StageParams::Extract(ExtractParams {
        features: experiment.features(),
        frames: frontend.gives_frames(),
        on_broken: pipeline.corpus.on_broken,
        // Descriptors are the same by any instructions, and their keys are too.
        arithmetic: if frontend.encodes { experiment.arithmetic } else { Arithmetic::Native },
    });
    let over = pipeline.normalisation.over;
    let normalised = (!over.is_training()).then(|| normalised(experiment, over));
    let split = StageParams::Split(Box::new(SplitParams {
        split: SplitSettings {
            section: experiment.split.section.clone(),
            ..pipeline.split.clone()
        },
        manifest: manifest.clone(),
    }));
    let indexed = output(role::INDEX, "index");
    let exclusions = output(role::EXCLUSIONS, "extract");
    let parts = experiment.split.parts.as_ref();
    let parts = parts.map(|_| (role::PARTS.to_owned(), Source::Parts));
    let divided = [indexed.clone(), exclusions].into_iter().chain(parts).collect();
    let rest = [
        Instance::new("index", index, vec![corpus(experiment)]),
        Instance::new("extract", extract, described(experiment).chain([indexed]).collect()),
        Instance::new(SPLIT, split, divided),
    ];
    synth.into_iter().chain(rest).chain(mapped(experiment)).chain(normalised).collect()
}

/// The tables that there are, in rows, each by itself: so that pipelines that have one in common share it.
fn mapped(experiment: &Experiment) -> impl Iterator<Item = Instance> + use<> {
    tables(experiment).into_iter().map(|(role, params)| {
        let inputs = vec![output(role, "extract")];
        Instance::new(&mapped_slot(role), StageParams::Map(params), inputs)
    })
}

/// Those of frames and of vectors that a method of the pipeline learns from.
fn tables(experiment: &Experiment) -> Vec<(&'static str, MapParams)> {
    let read: BTreeSet<bool> = experiment.methods.iter().map(|one| one.reads_vectors).collect();
    let table = |vectors| {
        if vectors {
            (role::VECTORS, MapParams::Vectors)
        } else {
            (role::FEATURES, MapParams::Features)
        }
    };
    read.into_iter().map(table).collect()
}

/// The place of a table in rows.
fn mapped_slot(role: &str) -> String {
    format!("map/{role}")
}

/// What was made of all utterances, normalised over such a part of them.
fn normalised(experiment: &Experiment, over: Normalisation) -> Instance {
    let tables = tables(experiment);
    let has = |table| tables.iter().any(|(_, one)| *one == table);
    let (frames, vectors) = (has(MapParams::Features), has(MapParams::Vectors));
    let params = NormaliseParams { over, frames, vectors };
    let inputs = tables.into_iter().map(|(role, _)| output(role, &mapped_slot(role)));
    let inputs = inputs.chain([output(role::INDEX, "index")]).collect();
    Instance::new(NORMALISED, StageParams::Normalise(params), inputs)
}

/// The values that models read, of frames or of vectors.
fn values(experiment: &Experiment, role: &'static str) -> (String, Source) {
    if experiment.pipeline.normalisation.over.is_training() {
        output(role, &mapped_slot(role))
    } else {
        output(role, NORMALISED)
    }
}

/// The place of values that are normalised before the folds.
const NORMALISED: &str = "normalise";

/// The rates of label noise that a pipeline runs at; `None` alone where it adds none.
fn noise_rates(experiment: &Experiment) -> Vec<Option<f64>> {
    match &experiment.pipeline.label_noise {
        None => vec![None],
        Some(noise) => noise.rates.iter().map(|&rate| (rate > 0.0).then_some(rate)).collect(),
    }
}

/// Labels exchanged, at every rate and for the runs of every seed.
pub(super) fn noise(experiment: &Experiment) -> Vec<Instance> {
    let Some(noise) = &experiment.pipeline.label_noise else { return Vec::new() };
    let rates = noise.rates.iter().filter(|rate| **rate > 0.0);
    let seeds = &experiment.pipeline.training.seeds;
    let instance = |rate: f64, seed: u64| {
        let inputs = vec![output(role::INDEX, "index"), output(role::SPLITS, SPLIT)];
        Instance::new(&noise_slot(rate, seed), StageParams::Noise(noise.params(rate, seed)), inputs)
    };
    rates.flat_map(|&rate| seeds.iter().map(move |&seed| instance(rate, seed))).collect()
}

/// Labels corrected by a reviewer, at every rate of noise and, where there is noise, for the runs of
/// every seed; after [`noise`].
pub(super) fn corrections(experiment: &Experiment) -> Vec<Instance> {
    if experiment.pipeline.corrections.is_none() {
        return Vec::new();
    }
    let seeds = &experiment.pipeline.training.seeds;
    let mut instances: Vec<Instance> = Vec::new();
    for rate in noise_rates(experiment) {
        let seeds = if rate.is_some() { seeds } else { &seeds[..1] };
        instances.extend(seeds.iter().map(|&seed| correction(rate, seed)));
    }
    instances
}

/// The reviewer's file as an input, where there is one.
fn corrections_file(experiment: &Experiment) -> Option<(String, Source)> {
    let corrections = experiment.pipeline.corrections.as_ref();
    corrections.map(|_| (role::CORRECTIONS.to_owned(), Source::Corrections))
}

fn correction(noise: Option<f64>, seed: u64) -> Instance {
    let seen = noise.map_or_else(
        || output(role::INDEX, "index"),
        |rate| output(role::NOISE, &noise_slot(rate, seed)),
    );
    let corrections = (role::CORRECTIONS.to_owned(), Source::Corrections);
    let inputs = vec![seen, output(role::SPLITS, SPLIT), corrections];
    let work = StageParams::Correct(CorrectParams {});
    Instance::new(&correction_slot(noise, seed), work, inputs)
}

/// All runs of a pipeline over these folds: rate by rate, method by method, seed by seed, fold by
/// fold.
pub(crate) fn runs(experiment: &Experiment, folds: &[String]) -> Vec<Run> {
    let pipeline = &experiment.pipeline;
    let mut runs = Vec::new();
    for noise in noise_rates(experiment) {
        for method in &experiment.methods {
            for &seed in &pipeline.training.seeds {
                let run =
                    |fold: &String| Run { method: method.clone(), seed, fold: fold.clone(), noise };
                runs.extend(folds.iter().map(run));
            }
        }
    }
    runs
}

/// Those of the runs at one rate of noise.
fn at_rate(runs: &[Run], noise: Option<f64>) -> Vec<Run> {
    runs.iter().filter(|run| run.noise == noise).cloned().collect()
}

/// A run as an instance of the train stage.
pub(crate) fn training(experiment: &Experiment, run: &Run) -> Instance {
    let pipeline = &experiment.pipeline;
    let mut training = run.method.training.clone();
    training.seeds = Vec::new();
    let read = if run.method.reads_vectors { role::VECTORS } else { role::FEATURES };
    let params = TrainParams {
        fold: run.fold.clone(),
        method: run.method.params.clone(),
        seed: run.seed,
        features: experiment.read_by(&run.method),
        model: run.method.model.clone(),
        choose_layer: experiment.frontend.layers == Layers::Chosen,
        mix_layers: experiment.frontend.layers == Layers::Weighed,
        training,
        arithmetic: experiment.arithmetic,
        correct_test: pipeline.corrections.as_ref().is_some_and(|corrections| corrections.test),
    };
    let mut inputs =
        vec![values(experiment, read), output(role::INDEX, "index"), output(role::SPLITS, SPLIT)];
    let labels = relabelled(experiment, run.noise, run.seed);
    inputs.extend(labels.map(|(role, slot)| output(role, &slot)));
    Instance::new(&run.slot(), StageParams::Train(Box::new(params)), inputs)
}

/// What is made of the runs, in order: an evaluation for every rate of noise, and all of them side
/// by side.
pub(super) fn conclusions(experiment: &Experiment, runs: &[Run]) -> Vec<Instance> {
    let mut all: Vec<Instance> = Vec::new();
    for rate in noise_rates(experiment) {
        all.push(evaluation(experiment, &at_rate(runs, rate), rate));
    }
    let noise = experiment.pipeline.label_noise.as_ref();
    all.extend(noise.map(|noise| noise_comparison(experiment, noise, runs)));
    all
}

/// The evaluation of some runs, all at one rate of noise.
fn evaluation(experiment: &Experiment, runs: &[Run], noise: Option<f64>) -> Instance {
    let pipeline = &experiment.pipeline;
    let params = StageParams::Evaluate(EvaluateParams {
        pipeline: pipeline.name.clone(),
        synthetic: experiment.manifest.synthetic,
    });
    let mut inputs = of_runs(&[role::PREDICTIONS, role::LABELS, role::HISTORY], runs);
    inputs.push(output(role::SPLITS, SPLIT));
    inputs.extend(pipeline.synth.as_ref().map(|_| output(role::TRUTH, "synth")));
    // The clean labels are the same whatever the seed.
    let seed = runs.iter().map(|run| run.seed).min();
    let clean = noise.zip(seed).map(|(rate, seed)| output(role::NOISE, &noise_slot(rate, seed)));
    inputs.extend(clean);
    Instance::new(&evaluation_slot(noise), params, inputs)
}

/// The vectors among which detectors look for neighbours, where a method of the pipeline reads any, whichever
/// methods are asked for.
fn compared(experiment: &Experiment) -> Option<(String, Source)> {
    experiment.has_vectors().then(|| values(experiment, role::VECTORS))
}

/// All rates of noise side by side.
fn noise_comparison(experiment: &Experiment, noise: &LabelNoiseSettings, runs: &[Run]) -> Instance {
    let mut inputs = vec![output(role::SPLITS, SPLIT)];
    for &rate in &noise.rates {
        let at_rate = (rate > 0.0).then_some(rate);
        let slot = evaluation_slot(at_rate);
        let learned = at_rate.map(|_| role::LABELS);
        let results = [role::SUMMARY].into_iter().chain(learned);
        inputs.extend(results.map(|role| named(format!("{role}/{rate}"), role, &slot)));
        for run in runs.iter().filter(|run| at_rate.is_some() && run.noise == at_rate) {
            let table = format!("{}/{rate}/{}", role::NOISE, run.seed);
            let labels = relabelled(experiment, at_rate, run.seed);
            inputs.extend(labels.map(|(role, slot)| named(table, role, &slot)));
            let tested = format!("{}/{rate}/{}", role::PREDICTIONS, run.id());
            inputs.push(named(tested, role::PREDICTIONS, &run.slot()));
        }
    }
    inputs.extend(compared(experiment));
    let params = StageParams::CompareNoise(CompareNoiseParams {
        pipeline: experiment.pipeline.name.clone(),
        kind: noise.kind.clone(),
        rates: noise.rates.clone(),
    });
    Instance::new(COMPARISON, params, inputs)
}

/// The labels in the order in which to look at them, by a method's runs with the least noise.
pub(crate) fn audit(
    experiment: &Experiment,
    Audited { method, detector, sounds, compares_noise }: Audited,
    runs: AuditedRuns<'_>,
) -> Instance {
    let least = least_noise(experiment);
    let (runs, learned) = (at_rate(runs.tested, least), at_rate(runs.learned, least));
    let mut inputs = of_runs(&[role::PREDICTIONS], &runs);
    inputs.extend(of_runs(&[role::LABELS], &learned));
    inputs.extend([corpus(experiment), output(role::INDEX, "index"), output(role::SPLITS, SPLIT)]);
    inputs.push(output(role::EXCLUSIONS, "extract"));
    if !runs.iter().any(|run| run.method.reads_vectors) {
        inputs.extend(of_runs(&[role::CHECKPOINT], &runs));
        inputs.push(values(experiment, role::FEATURES));
    }
    let detects = detector.as_deref().and_then(Detector::find);
    let chosen = detector.as_deref() == Some(CHOSEN);
    let reads_vectors = chosen || detects.is_some_and(|(_, detector)| detector.reads_vectors);
    inputs.extend(compared(experiment).filter(|_| reads_vectors));
    let exchanged = least.zip(runs.first()).map(|(rate, run)| noise_slot(rate, run.seed));
    inputs.extend(exchanged.map(|slot| output(role::NOISE, &slot)));
    inputs.extend(compares_noise.then(|| output(role::NOISE_SUMMARY, COMPARISON)));
    let params = AuditParams {
        method,
        detector,
        sounds,
        manifest: experiment.manifest.clone(),
        frame_times_s: experiment.frontend.frame_times_s,
        arithmetic: experiment.arithmetic,
        corrections: experiment.pipeline.corrections.clone(),
    };
    inputs.extend(corrections_file(experiment));
    Instance::new(AUDIT, StageParams::Audit(Box::new(params)), inputs)
}

/// The kinds of model that methods name in the place of the pipeline's.
fn own_models(experiment: &Experiment) -> BTreeMap<String, String> {
    let pipeline = &experiment.pipeline;
    let names = |method: &&PlannedMethod| pipeline.methods.own_kind(method.name()).is_some();
    let own = experiment.methods.iter().filter(names);
    let own = own.filter(|method| method.model.kind != pipeline.model.kind);
    own.map(|method| (method.name().to_string(), method.model.kind.clone())).collect()
}

/// The report on some runs.
pub(super) fn report(experiment: &Experiment, runs: &[Run]) -> Instance {
    let params = StageParams::Report(Box::new(ReportParams {
        title: experiment.pipeline.title.clone(),
        manifest: experiment.manifest.clone(),
        pipeline_toml: experiment.text.clone(),
        model: experiment.pipeline.model.kind.clone(),
        own_models: own_models(experiment),
        balanced: experiment.pipeline.split.balance.is_some(),
        corrections: experiment.pipeline.corrections.clone(),
    }));
    let least = least_noise(experiment);
    let runs = at_rate(runs, least);
    let mut inputs = of_runs(&[role::HISTORY], &runs);
    inputs.extend(corrections_file(experiment));
    let noise = experiment.pipeline.label_noise.as_ref();
    inputs.extend(noise.map(|_| output(role::NOISE_SUMMARY, COMPARISON)));
    inputs.extend([
        output(role::SUMMARY, &main_evaluation(experiment)),
        output(role::INDEX_SUMMARY, "index"),
        output(role::EXCLUSIONS, "extract"),
        output(role::SPLITS, SPLIT),
    ]);
    Instance::new(REPORT, params, inputs)
}
