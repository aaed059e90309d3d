//! The stages of a pipeline as instances: parameters, and where each input comes from.

use std::collections::{BTreeMap, BTreeSet};

use ambivox_settings::{
    AuditParams, CompareNoiseParams, CorrectParams, EvaluateParams, ExtractParams, IndexParams,
    LabelNoiseSettings, Method, MethodParams, ReportParams, SplitParams, StageParams, TrainParams,
    role,
};
use serde::{Deserialize, Serialize};

use crate::experiment::Experiment;

/// Where an input comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Source {
    /// The corpus's root folder, outside the store.
    Corpus,
    /// The reviewer's file of corrections, outside the store.
    Corrections,
    /// An output of another instance.
    Output {
        /// That instance's slot.
        slot: String,
        /// The output's role.
        role: String,
    },
}

/// One stage at its place in the pipeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Instance {
    /// Its place: the stage's name, for a run with method, seed and fold.
    pub(crate) slot: String,
    pub(crate) work: StageParams,
    /// Inputs by role.
    pub(crate) inputs: BTreeMap<String, Source>,
}

impl Instance {
    fn new(slot: &str, work: StageParams, inputs: Vec<(String, Source)>) -> Self {
        Self { slot: slot.to_owned(), work, inputs: inputs.into_iter().collect() }
    }

    /// The stage's name.
    pub(crate) fn stage(&self) -> &'static str {
        self.work.name()
    }

    /// Slots of the instances whose outputs it reads, each once.
    pub(crate) fn slots(&self) -> BTreeSet<&str> {
        let sources = self.inputs.values();
        let slots = sources.filter_map(|source| match source {
            Source::Output { slot, .. } => Some(slot.as_str()),
            Source::Corpus | Source::Corrections => None,
        });
        slots.collect()
    }
}

/// One run of the train stage.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Run {
    pub(crate) method: MethodParams,
    pub(crate) seed: u64,
    pub(crate) fold: String,
    /// Share of training labels exchanged, above 0; `None` where they are left alone.
    pub(crate) noise: Option<f64>,
}

impl Run {
    /// `<method>/<seed>/<fold>`.
    pub(crate) fn id(&self) -> String {
        format!("{}/{}/{}", self.method.method(), self.seed, self.fold)
    }

    /// Slot of its training.
    pub(crate) fn slot(&self) -> String {
        format!("train{}/{}", noise_suffix(self.noise), self.id())
    }
}

/// What tells slots of different rates of noise apart.
fn noise_suffix(noise: Option<f64>) -> String {
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

/// Slot of the stage that sets rates of noise side by side.
pub(crate) const COMPARISON: &str = "compare-noise";

/// Slot of the stage that ranks labels by how suspect they are.
pub(crate) const AUDIT: &str = "audit";

/// Slot of the evaluation that the report is about: of the runs with the least noise.
pub(crate) fn main_evaluation(experiment: &Experiment) -> String {
    evaluation_slot(least_noise(experiment))
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

/// What comes before training, each after the other: synth (where the corpus is), index, extract,
/// split.
pub(crate) fn preparation(experiment: &Experiment) -> Vec<Instance> {
    let Experiment { pipeline, manifest, feature_set, .. } = experiment;
    let synth = pipeline.synth.clone();
    let synth = synth.map(|settings| Instance::new("synth", StageParams::Synth(settings), vec![]));
    let index = StageParams::Index(IndexParams { manifest: manifest.clone() });
    let extract = StageParams::Extract(ExtractParams {
        set: feature_set.clone(),
        on_broken: pipeline.corpus.on_broken,
        functionals: pipeline.features.functionals,
    });
    let split = StageParams::Split(SplitParams {
        split: pipeline.split.clone(),
        manifest: manifest.clone(),
    });
    let indexed = output(role::INDEX, "index");
    let exclusions = output(role::EXCLUSIONS, "extract");
    let rest = [
        Instance::new("index", index, vec![corpus(experiment)]),
        Instance::new("extract", extract, vec![corpus(experiment), indexed.clone()]),
        Instance::new("split", split, vec![indexed, exclusions]),
    ];
    synth.into_iter().chain(rest).collect()
}

/// The rates of label noise that a pipeline runs at; `None` alone where it adds none.
fn noise_rates(experiment: &Experiment) -> Vec<Option<f64>> {
    match &experiment.pipeline.label_noise {
        None => vec![None],
        Some(noise) => noise.rates.iter().map(|&rate| (rate > 0.0).then_some(rate)).collect(),
    }
}

/// Labels exchanged, at every rate and for the runs of every seed.
pub(crate) fn noise(experiment: &Experiment) -> Vec<Instance> {
    let Some(noise) = &experiment.pipeline.label_noise else { return Vec::new() };
    let rates = noise.rates.iter().filter(|rate| **rate > 0.0);
    let seeds = &experiment.pipeline.training.seeds;
    let instance = |rate: f64, seed: u64| {
        let inputs = vec![output(role::INDEX, "index"), output(role::SPLITS, "split")];
        Instance::new(&noise_slot(rate, seed), StageParams::Noise(noise.params(rate, seed)), inputs)
    };
    rates.flat_map(|&rate| seeds.iter().map(move |&seed| instance(rate, seed))).collect()
}

/// Labels corrected by a reviewer, at every rate of noise and, where there is noise, for the runs of
/// every seed; after [`noise`].
pub(crate) fn corrections(experiment: &Experiment) -> Vec<Instance> {
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
    let mut inputs = vec![
        output(role::INDEX, "index"),
        output(role::SPLITS, "split"),
        (role::CORRECTIONS.to_owned(), Source::Corrections),
    ];
    inputs.extend(noise.map(|rate| output(role::NOISE, &noise_slot(rate, seed))));
    let work = StageParams::Correct(CorrectParams {});
    Instance::new(&correction_slot(noise, seed), work, inputs)
}

/// All runs of a pipeline over these folds: rate by rate, method by method, seed by seed, fold by
/// fold.
pub(crate) fn runs(experiment: &Experiment, folds: &[String]) -> Vec<Run> {
    let pipeline = &experiment.pipeline;
    let mut runs = Vec::new();
    for noise in noise_rates(experiment) {
        for (_, method) in pipeline.methods.list() {
            for &seed in &pipeline.training.seeds {
                let run =
                    |fold: &String| Run { method: method.clone(), seed, fold: fold.clone(), noise };
                runs.extend(folds.iter().map(run));
            }
        }
    }
    runs
}

/// A run as an instance of the train stage.
pub(crate) fn training(experiment: &Experiment, run: &Run) -> Instance {
    let pipeline = &experiment.pipeline;
    let mut training = pipeline.training.clone();
    training.seeds = Vec::new();
    let by_functionals = run.method.method().uses_functionals();
    let params = TrainParams {
        fold: run.fold.clone(),
        method: run.method.clone(),
        seed: run.seed,
        feature_set: experiment.feature_set.clone(),
        network: (!by_functionals).then(|| pipeline.network.clone()),
        training,
        arithmetic: experiment.arithmetic,
        correct_test: pipeline.corrections.as_ref().is_some_and(|corrections| corrections.test),
    };
    let read = if by_functionals { role::FUNCTIONALS } else { role::FEATURES };
    let mut inputs =
        vec![output(read, "extract"), output(role::INDEX, "index"), output(role::SPLITS, "split")];
    let labels = relabelled(experiment, run.noise, run.seed);
    inputs.extend(labels.map(|(role, slot)| output(role, &slot)));
    Instance::new(&run.slot(), StageParams::Train(Box::new(params)), inputs)
}

/// What is made of the runs, in order: an evaluation for every rate of noise, and all of them side
/// by side.
pub(crate) fn conclusions(experiment: &Experiment, runs: &[Run]) -> Vec<Instance> {
    let mut all: Vec<Instance> = Vec::new();
    for rate in noise_rates(experiment) {
        let at_rate: Vec<Run> = runs.iter().filter(|run| run.noise == rate).cloned().collect();
        all.push(evaluation(experiment, &at_rate, rate));
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
    inputs.extend([output(role::INDEX, "index"), output(role::SPLITS, "split")]);
    inputs.extend(pipeline.synth.as_ref().map(|_| output(role::TRUTH, "synth")));
    // The clean labels are the same whatever the seed.
    let seed = runs.iter().map(|run| run.seed).min();
    let clean = noise.zip(seed).map(|(rate, seed)| output(role::NOISE, &noise_slot(rate, seed)));
    inputs.extend(clean);
    Instance::new(&evaluation_slot(noise), params, inputs)
}

/// All rates of noise side by side.
fn noise_comparison(experiment: &Experiment, noise: &LabelNoiseSettings, runs: &[Run]) -> Instance {
    let mut inputs = vec![output(role::SPLITS, "split")];
    for &rate in &noise.rates {
        let at_rate = (rate > 0.0).then_some(rate);
        let slot = evaluation_slot(at_rate);
        let results = [role::SUMMARY, role::LABELS];
        inputs.extend(results.map(|role| named(format!("{role}/{rate}"), role, &slot)));
        for run in runs.iter().filter(|run| at_rate.is_some() && run.noise == at_rate) {
            let table = format!("{}/{rate}/{}", role::NOISE, run.seed);
            let labels = relabelled(experiment, at_rate, run.seed);
            inputs.extend(labels.map(|(role, slot)| named(table, role, &slot)));
            if run.method.method() == Method::Baseline {
                let tested = format!("{}/{rate}/{}", role::PREDICTIONS, run.id());
                inputs.push(named(tested, role::PREDICTIONS, &run.slot()));
            }
        }
    }
    let params = StageParams::CompareNoise(CompareNoiseParams {
        pipeline: experiment.pipeline.name.clone(),
        kind: noise.kind.clone(),
        rates: noise.rates.clone(),
    });
    Instance::new(COMPARISON, params, inputs)
}

/// The labels in the order in which to look at them, by a method's runs with the least noise; with so
/// many sounds.
pub(crate) fn audit(
    experiment: &Experiment,
    method: &str,
    sounds: usize,
    runs: &[Run],
) -> Instance {
    let least = least_noise(experiment);
    let runs: Vec<Run> = runs.iter().filter(|run| run.noise == least).cloned().collect();
    let mut inputs = of_runs(&[role::PREDICTIONS, role::LABELS], &runs);
    inputs.extend([
        corpus(experiment),
        output(role::INDEX, "index"),
        output(role::SPLITS, "split"),
    ]);
    if runs.iter().all(|run| !run.method.method().uses_functionals()) {
        inputs.extend(of_runs(&[role::CHECKPOINT], &runs));
        inputs.push(output(role::FEATURES, "extract"));
    }
    let exchanged = least.zip(runs.first()).map(|(rate, run)| noise_slot(rate, run.seed));
    inputs.extend(exchanged.map(|slot| output(role::NOISE, &slot)));
    let params = AuditParams {
        method: method.to_owned(),
        sounds,
        manifest: experiment.manifest.clone(),
        feature_set: experiment.feature_set.clone(),
        arithmetic: experiment.arithmetic,
        corrections: experiment.pipeline.corrections.clone(),
    };
    inputs.extend(corrections_file(experiment));
    Instance::new(AUDIT, StageParams::Audit(Box::new(params)), inputs)
}

/// The report on some runs.
pub(crate) fn report(experiment: &Experiment, runs: &[Run]) -> Instance {
    let params = StageParams::Report(Box::new(ReportParams {
        title: experiment.pipeline.title.clone(),
        manifest: experiment.manifest.clone(),
        pipeline_toml: experiment.text.clone(),
        balanced: experiment.pipeline.split.balance.is_some(),
        corrections: experiment.pipeline.corrections.clone(),
    }));
    let least = least_noise(experiment);
    let runs: Vec<Run> = runs.iter().filter(|run| run.noise == least).cloned().collect();
    let mut inputs = of_runs(&[role::HISTORY], &runs);
    inputs.extend(corrections_file(experiment));
    let noise = experiment.pipeline.label_noise.as_ref();
    inputs.extend(noise.map(|_| output(role::NOISE_SUMMARY, COMPARISON)));
    inputs.extend([
        output(role::SUMMARY, &main_evaluation(experiment)),
        output(role::INDEX_SUMMARY, "index"),
        output(role::EXCLUSIONS, "extract"),
        output(role::SPLITS, "split"),
    ]);
    Instance::new("report", params, inputs)
}

#[cfg(test)]
mod every_key;

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::experiment::tests::Toy;

    fn describe(instance: &Instance) -> String {
        let inputs = instance.inputs.iter().map(|(role, source)| match source {
            Source::Corpus => format!("{role} < corpus root"),
            Source::Corrections => format!("{role} < the reviewer's file"),
            Source::Output { slot, role: from } => format!("{role} < {slot}:{from}"),
        });
        format!("{}\n  {}", instance.slot, inputs.collect::<Vec<_>>().join("\n  "))
    }

    #[test]
    fn a_pipeline_over_a_corpus_of_its_own() {
        let experiment = Toy::new().read().unwrap();
        let runs = runs(&experiment, &["s1".to_owned()]);
        assert_eq!(runs.len(), 2 * 3);
        let mut instances = preparation(&experiment);
        instances.push(training(&experiment, &runs[0]));
        instances.extend(conclusions(&experiment, &runs[..1]));
        instances.push(report(&experiment, &runs[..1]));
        let text: Vec<String> = instances.iter().map(describe).collect();
        insta::assert_snapshot!(text.join("\n"));
    }

    #[test]
    fn a_synthetic_corpus_is_made_and_its_truth_is_for_evaluation_alone() {
        let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pipelines/demo.toml");
        let experiment = Experiment::read(&demo).unwrap();
        let folds = ["Ses01F".to_owned(), "Ses01M".to_owned()];
        let runs = runs(&experiment, &folds);
        let mut instances = preparation(&experiment);
        assert_eq!(instances[0].slot, "synth");
        instances.extend(runs.iter().map(|run| training(&experiment, run)));
        instances.extend(conclusions(&experiment, &runs));
        instances.push(report(&experiment, &runs));
        for instance in instances {
            let told = instance.inputs.contains_key(role::TRUTH);
            assert_eq!(told, instance.stage() == "evaluate", "{}", instance.slot);
        }
    }

    #[test]
    fn noise_has_runs_and_an_evaluation_for_every_rate() {
        let toy = Toy::new();
        let noise =
            "[label_noise]\nrates = [0.0, 0.25]\nkind = \"symmetric\"\nseed = 5\n\n[network]";
        toy.edit("[network]", noise);
        let experiment = toy.read().unwrap();
        let runs = runs(&experiment, &["s1".to_owned()]);
        assert_eq!(runs.len(), 2 * 2 * 3);
        let mut instances = self::noise(&experiment);
        assert_eq!(instances.len(), 3, "one for every seed");
        instances.truncate(1);
        let first = |run: &&Run| run.seed == 0 && run.method.method() == Method::Baseline;
        let some: Vec<Run> = runs.iter().filter(first).cloned().collect();
        instances.extend(some.iter().map(|run| training(&experiment, run)));
        instances.extend(conclusions(&experiment, &some));
        instances.push(report(&experiment, &some));
        let text: Vec<String> = instances.iter().map(describe).collect();
        insta::assert_snapshot!(text.join("\n"));
    }

    #[test]
    fn the_network_of_frames_concerns_those_who_train_it() {
        let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pipelines/demo.toml");
        let experiment = Experiment::read(&demo).unwrap();
        let mut pipeline = experiment.pipeline.clone();
        pipeline.network.lstm += 1;
        let wider = experiment.with_pipeline(pipeline);
        for run in runs(&experiment, &["Ses01F".to_owned()]) {
            let same = training(&experiment, &run) == training(&wider, &run);
            assert_eq!(same, run.method.method() == Method::Cyclegan, "{}", run.id());
        }
    }

    #[test]
    fn corrections_stand_between_the_labels_and_the_runs() {
        let toy = Toy::new();
        toy.edit("[network]", "[corrections]\nfile = \"corrections.csv\"\n\n[network]");
        let experiment = toy.read().unwrap();
        let instances = |experiment: &Experiment| {
            let runs = runs(experiment, &["s1".to_owned()]);
            let mut instances = corrections(experiment);
            instances.push(training(experiment, &runs[0]));
            instances
        };
        let plain = instances(&experiment);
        let text: Vec<String> = plain.iter().map(describe).collect();
        insta::assert_snapshot!(text.join("\n"), @r"
        correct
          corrections < the reviewer's file
          index < index:index
          splits < split:splits
        train/baseline/0/s1
          corrected < correct:corrected
          features < extract:features
          index < index:index
          splits < split:splits
        ");
        toy.edit("file = \"corrections.csv\"", "file = \"corrections.csv\"\ntest = true");
        let tested = instances(&toy.read().unwrap());
        assert_eq!(tested[0], plain[0]);
        assert_ne!(tested[1].work, plain[1].work);
    }

    #[test]
    fn what_was_exchanged_is_corrected() {
        let toy = Toy::new();
        let sections = "[corrections]\nfile = \"c.csv\"\n\n[label_noise]\nrates = [0.25]\n\
            kind = \"symmetric\"\nseed = 5\n\n[network]";
        toy.edit("[network]", sections);
        toy.edit("seeds = [0, 1, 2]", "seeds = [1]");
        let experiment = toy.read().unwrap();
        let slots: Vec<String> = corrections(&experiment).into_iter().map(|i| i.slot).collect();
        assert_eq!(slots, ["correct/0.25/1"]);
        let runs = runs(&experiment, &["s1".to_owned()]);
        let text = describe(&training(&experiment, &runs[0]));
        assert!(text.contains("corrected < correct/0.25/1:corrected"), "{text}");
        let comparison = conclusions(&experiment, &runs).pop().unwrap();
        let text = describe(&comparison);
        assert!(text.contains("noise/0.25/1 < correct/0.25/1:corrected"), "{text}");
    }

    #[test]
    fn a_run_reads_the_table_that_its_method_learns_from() {
        let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pipelines/demo.toml");
        let experiment = Experiment::read(&demo).unwrap();
        let runs = runs(&experiment, &["Ses01F".to_owned()]);
        assert!(runs.iter().any(|run| run.method.method() == Method::Cyclegan));
        for run in &runs {
            let inputs = training(&experiment, run).inputs;
            let of_functionals = run.method.method() == Method::Cyclegan;
            assert_eq!(inputs.contains_key(role::FUNCTIONALS), of_functionals, "{}", run.id());
            assert_eq!(inputs.contains_key(role::FEATURES), !of_functionals, "{}", run.id());
        }
    }

    #[test]
    fn a_run_knows_its_own_seed_alone() {
        let experiment = Toy::new().read().unwrap();
        let runs = runs(&experiment, &["s1".to_owned()]);
        let StageParams::Train(params) = training(&experiment, &runs[1]).work else {
            panic!("no training");
        };
        assert_eq!((params.seed, params.training.seeds), (1, vec![]));
    }
}
