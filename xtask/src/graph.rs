//! The stages of a pipeline as instances: parameters, and where each input comes from.

use std::collections::BTreeMap;

use ambivox_settings::{
    EvaluateParams, ExtractParams, IndexParams, MethodParams, ReportParams, SplitParams,
    StageParams, TrainParams, role,
};

use crate::experiment::Experiment;

/// Where an input comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// The corpus's root folder, outside the store.
    Corpus,
    /// An output of another instance.
    Output {
        /// That instance's slot.
        slot: String,
        /// The output's role.
        role: &'static str,
    },
}

/// One stage at its place in the pipeline.
#[derive(Debug, Clone, PartialEq)]
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
}

/// One run of the train stage.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Run {
    pub(crate) method: MethodParams,
    pub(crate) seed: u64,
    pub(crate) fold: String,
}

impl Run {
    /// `<method>/<seed>/<fold>`.
    pub(crate) fn id(&self) -> String {
        format!("{}/{}/{}", self.method.method(), self.seed, self.fold)
    }

    fn slot(&self) -> String {
        format!("train/{}", self.id())
    }
}

fn output(role: &'static str, slot: &str) -> (String, Source) {
    (role.to_owned(), Source::Output { slot: slot.to_owned(), role })
}

/// The inputs that every run has one of.
fn of_runs(roles: &[&'static str], runs: &[Run]) -> Vec<(String, Source)> {
    let of_run = |run: &Run| {
        let (id, slot) = (run.id(), run.slot());
        let input =
            move |&role| (format!("{role}/{id}"), Source::Output { slot: slot.clone(), role });
        roles.iter().map(input).collect::<Vec<_>>()
    };
    runs.iter().flat_map(of_run).collect()
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

/// All runs of a pipeline over these folds: method by method, seed by seed, fold by fold.
pub(crate) fn runs(experiment: &Experiment, folds: &[String]) -> Vec<Run> {
    let pipeline = &experiment.pipeline;
    let mut runs = Vec::new();
    for (_, method) in pipeline.methods.list() {
        for &seed in &pipeline.training.seeds {
            let run = |fold: &String| Run { method: method.clone(), seed, fold: fold.clone() };
            runs.extend(folds.iter().map(run));
        }
    }
    runs
}

/// A run as an instance of the train stage.
pub(crate) fn training(experiment: &Experiment, run: &Run) -> Instance {
    let pipeline = &experiment.pipeline;
    let mut training = pipeline.training.clone();
    training.seeds = Vec::new();
    let params = TrainParams {
        fold: run.fold.clone(),
        method: run.method.clone(),
        seed: run.seed,
        feature_set: experiment.feature_set.clone(),
        network: pipeline.network.clone(),
        training,
    };
    let inputs = vec![
        output(role::FEATURES, "extract"),
        output(role::INDEX, "index"),
        output(role::SPLITS, "split"),
    ];
    Instance::new(&run.slot(), StageParams::Train(Box::new(params)), inputs)
}

/// The evaluation of some runs.
pub(crate) fn evaluation(experiment: &Experiment, runs: &[Run]) -> Instance {
    let pipeline = &experiment.pipeline;
    let params = StageParams::Evaluate(EvaluateParams {
        pipeline: pipeline.name.clone(),
        synthetic: experiment.manifest.synthetic,
    });
    let mut inputs = of_runs(&[role::PREDICTIONS, role::LABELS, role::HISTORY], runs);
    inputs.extend([output(role::INDEX, "index"), output(role::SPLITS, "split")]);
    inputs.extend(pipeline.synth.as_ref().map(|_| output(role::TRUTH, "synth")));
    Instance::new("evaluate", params, inputs)
}

/// The report on some runs.
pub(crate) fn report(experiment: &Experiment, runs: &[Run]) -> Instance {
    let params = StageParams::Report(Box::new(ReportParams {
        title: experiment.pipeline.title.clone(),
        manifest: experiment.manifest.clone(),
        pipeline_toml: experiment.text.clone(),
    }));
    let mut inputs = of_runs(&[role::HISTORY], runs);
    inputs.extend([
        output(role::SUMMARY, "evaluate"),
        output(role::INDEX_SUMMARY, "index"),
        output(role::EXCLUSIONS, "extract"),
        output(role::SPLITS, "split"),
    ]);
    Instance::new("report", params, inputs)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::experiment::tests::Toy;

    fn describe(instance: &Instance) -> String {
        let inputs = instance.inputs.iter().map(|(role, source)| match source {
            Source::Corpus => format!("{role} < corpus root"),
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
        instances.push(evaluation(&experiment, &runs[..1]));
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
        instances.extend([evaluation(&experiment, &runs), report(&experiment, &runs)]);
        for instance in instances {
            let told = instance.inputs.contains_key(role::TRUTH);
            assert_eq!(told, instance.stage() == "evaluate", "{}", instance.slot);
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
