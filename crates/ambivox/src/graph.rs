//! A pipeline as a value: its instances, and which reads what of which.
//!
//! All that plans, runs, shows or clears up does it by a [`Graph`], so that none of them has an opinion
//! of its own on what a pipeline is.

mod places;

use std::collections::{BTreeMap, BTreeSet};

use ambivox_settings::StageParams;
use serde::{Deserialize, Serialize};

use crate::experiment::Experiment;
use crate::method::PlannedMethod;
pub(crate) use places::{audit, is_noisy_throughout, last_table, main_evaluation, runs, training};

/// Slot of the stage that divides utterances into folds.
pub(crate) const SPLIT: &str = "split";
/// Slot of the stage that sets rates of noise side by side.
pub(crate) const COMPARISON: &str = "compare-noise";
/// Slot of the page.
pub(crate) const REPORT: &str = "report";
/// Slot of the stage that ranks labels by how suspect they are.
pub(crate) const AUDIT: &str = "audit";
/// Slots of trials begin so.
const TRIAL: &str = "tune/";

/// Where an input comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Source {
    /// The corpus's root folder, outside the store.
    Corpus,
    /// The reviewer's file of corrections, outside the store.
    Corrections,
    /// Features that somebody has computed, outside the store.
    Table,
    /// The list of parts that somebody has published or written down, outside the store.
    Parts,
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
            Source::Corpus | Source::Corrections | Source::Table | Source::Parts => None,
        });
        slots.collect()
    }
}

/// One run of the train stage.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Run {
    pub(crate) method: PlannedMethod,
    pub(crate) seed: u64,
    pub(crate) fold: String,
    /// Share of training labels exchanged, above 0; `None` where they are left alone.
    pub(crate) noise: Option<f64>,
}

impl Run {
    /// `<method>/<seed>/<fold>`.
    pub(crate) fn id(&self) -> String {
        format!("{}/{}/{}", self.method.name(), self.seed, self.fold)
    }

    /// Slot of its training.
    pub(crate) fn slot(&self) -> String {
        format!("train{}/{}", places::noise_suffix(self.noise), self.id())
    }
}

/// A pipeline's instances, each after those whose outputs it reads.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Graph(Vec<Instance>);

impl Graph {
    /// What comes before all training, and so before the folds are known: synth (where the corpus is),
    /// index, extract, split, and the labels exchanged and corrected.
    pub(crate) fn before_training(experiment: &Experiment) -> Self {
        let mut all = places::preparation(experiment);
        all.extend(places::noise(experiment));
        all.extend(places::corrections(experiment));
        Self(all)
    }

    /// All that comes of these runs, with all that comes before.
    pub(crate) fn of(experiment: &Experiment, runs: &[Run]) -> Self {
        let mut graph = Self::before_training(experiment);
        graph.0.extend(runs.iter().map(|run| training(experiment, run)));
        graph.0.extend(places::conclusions(experiment, runs));
        graph.0.push(places::report(experiment, runs));
        graph
    }

    /// With instances that a command has beside those of a cross-validation, after all that they read.
    pub(crate) fn with(mut self, more: impl IntoIterator<Item = Instance>) -> Self {
        self.0.extend(more);
        self
    }

    /// The instances at these slots, with all that they are made of.
    pub(crate) fn upto<'a>(&'a self, slots: impl IntoIterator<Item = &'a str>) -> Self {
        let mut wanted: BTreeSet<&str> = slots.into_iter().collect();
        let mut kept: Vec<Instance> = Vec::new();
        for instance in self.0.iter().rev() {
            if wanted.contains(instance.slot.as_str()) {
                wanted.extend(instance.slots());
                kept.push(instance.clone());
            }
        }
        kept.reverse();
        Self(kept)
    }

    /// In order.
    pub(crate) fn instances(&self) -> &[Instance] {
        &self.0
    }

    /// The instance at a slot.
    pub(crate) fn get(&self, slot: &str) -> Option<&Instance> {
        self.0.iter().find(|instance| instance.slot == slot)
    }

    /// The instances in groups, of which none reads another of its own: each in the last that is early
    /// enough for those who read it, so that trainings are together, whichever labels they learn.
    pub(crate) fn waves(&self) -> Vec<Vec<&Instance>> {
        let mut from_the_end: BTreeMap<&str, usize> = BTreeMap::new();
        let mut waves: Vec<Vec<&Instance>> = Vec::new();
        for instance in self.0.iter().rev() {
            let wave = from_the_end.get(instance.slot.as_str()).copied().unwrap_or(0);
            for slot in instance.slots() {
                let its = from_the_end.entry(slot).or_default();
                *its = (*its).max(wave + 1);
            }
            waves.resize_with(waves.len().max(wave + 1), Vec::new);
            waves[wave].push(instance);
        }
        let in_order = |wave: Vec<_>| wave.into_iter().rev().collect();
        waves.into_iter().rev().map(in_order).collect()
    }
}

/// Whose labels are ranked, by what, and with how many sounds.
#[derive(Debug, Clone)]
pub(crate) struct Audited {
    /// The method's id.
    pub(crate) method: String,
    /// The detector's name; learned label and loss where there is none.
    pub(crate) detector: Option<String>,
    /// Whether it tells what was found at several rates of noise.
    pub(crate) compares_noise: bool,
    /// Sounds that the page has.
    pub(crate) sounds: usize,
}

/// The runs by which labels are ranked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AuditedRuns<'a> {
    /// Those that tested the speakers whose labels are ranked.
    pub(crate) tested: &'a [Run],
    /// Those that say what was learned of any label; the former among them.
    pub(crate) learned: &'a [Run],
}

impl From<Vec<Instance>> for Graph {
    /// Instances that are in order.
    fn from(instances: Vec<Instance>) -> Self {
        Self(instances)
    }
}

/// Whether a place is one of those beside the graph of a cross-validation: which there are is known to
/// the command that was given, not to the pipeline.
pub(crate) fn is_beside(slot: &str) -> bool {
    slot == AUDIT || slot.starts_with(TRIAL)
}

/// Slot of a training in a trial of this number.
pub(crate) fn trial_slot(number: usize, training: &str) -> String {
    format!("{TRIAL}{number}/{training}")
}

#[cfg(test)]
mod every_key;

#[cfg(test)]
mod tests {
    use ambivox_settings::role;

    use super::*;
    use crate::experiment::tests::{Toy, builtin_pipeline};

    fn describe(instance: &Instance) -> String {
        let inputs = instance.inputs.iter().map(|(role, source)| match source {
            Source::Corpus => format!("{role} < corpus root"),
            Source::Corrections => format!("{role} < the reviewer's file"),
            Source::Table => format!("{role} < the table of features"),
            Source::Parts => format!("{role} < the list of parts"),
            Source::Output { slot, role: from } => format!("{role} < {slot}:{from}"),
        });
        format!("{}\n  {}", instance.slot, inputs.collect::<Vec<_>>().join("\n  "))
    }

    #[test]
    fn a_pipeline_over_a_corpus_of_its_own() {
        let experiment = Toy::new().read().unwrap();
        let runs = runs(&experiment, &["s1".to_owned()]);
        assert_eq!(runs.len(), 2 * 3);
        let text: Vec<String> = Graph::of(&experiment, &runs[..1]).0.iter().map(describe).collect();
        insta::assert_snapshot!(text.join("\n"));
    }

    #[test]
    fn a_synthetic_corpus_is_made_and_its_truth_is_for_evaluation_alone() {
        let experiment = builtin_pipeline("demo-full");
        let folds = ["Ses01F".to_owned(), "Ses01M".to_owned()];
        let runs = runs(&experiment, &folds);
        let Graph(instances) = Graph::of(&experiment, &runs);
        assert_eq!(instances[0].slot, "synth");
        for instance in instances {
            let told = instance.inputs.contains_key(role::TRUTH);
            assert_eq!(told, instance.stage() == "evaluate", "{}", instance.slot);
        }
    }

    #[test]
    fn noise_has_runs_and_an_evaluation_for_every_rate() {
        let toy = Toy::new();
        let noise = "[label_noise]\nrates = [0.0, 0.25]\nkind = \"symmetric\"\nseed = 5\n\n[model]";
        toy.edit("[model]", noise);
        let experiment = toy.read().unwrap();
        let runs = runs(&experiment, &["s1".to_owned()]);
        assert_eq!(runs.len(), 2 * 2 * 3);
        let first = |run: &&Run| run.seed == 0 && run.method.name().id() == "baseline";
        let some: Vec<Run> = runs.iter().filter(first).cloned().collect();
        let Graph(instances) = Graph::of(&experiment, &some);
        let noise = instances.iter().filter(|instance| instance.stage() == "noise");
        assert_eq!(noise.count(), 3, "one for every seed");
        let after = instances.iter().skip_while(|instance| instance.slot != "noise/0.25/0");
        let of_others = ["noise/0.25/1", "noise/0.25/2"];
        let shown = after.filter(|instance| !of_others.contains(&instance.slot.as_str()));
        let text: Vec<String> = shown.map(describe).collect();
        insta::assert_snapshot!(text.join("\n"));
    }

    /// One wave after another, slots of each.
    fn waves(graph: &Graph) -> Vec<String> {
        let slots = |wave: Vec<&Instance>| {
            wave.iter().map(|instance| instance.slot.as_str()).collect::<Vec<_>>().join(" ")
        };
        graph.waves().into_iter().map(slots).collect()
    }

    #[test]
    fn trainings_are_in_one_wave_with_and_without_noise() {
        let toy = Toy::new();
        let noise = "[label_noise]\nrates = [0.0, 0.25]\nkind = \"symmetric\"\nseed = 5\n\n[model]";
        toy.edit("[model]", noise);
        toy.edit("seeds = [0, 1, 2]", "seeds = [1]");
        let experiment = toy.read().unwrap();
        let mut runs = runs(&experiment, &["s1".to_owned()]);
        runs.retain(|run| run.method.name().id() == "lw");
        let graph = Graph::of(&experiment, &runs);
        insta::assert_snapshot!(waves(&graph).join("\n"), @"
        index
        extract
        split
        map/features noise/0.25/1
        train/lw/1/s1 train-noise-0.25/lw/1/s1
        evaluate evaluate-noise-0.25
        compare-noise
        report
        ");
        assert_eq!(waves(&graph.upto(["extract"])), ["index", "extract"]);
        let clean = ["index", "extract", "split map/features", "train/lw/1/s1"];
        assert_eq!(waves(&graph.upto([runs[0].slot().as_str()])), clean);
        let all = graph.instances().len();
        let audited = AuditedRuns { tested: &runs, learned: &runs };
        let asked =
            Audited { method: "lw".to_owned(), detector: None, compares_noise: false, sounds: 1 };
        let audited = graph.with([audit(&experiment, asked, audited)]);
        assert_eq!(audited.instances().len(), all + 1);
        assert_eq!(waves(&audited.upto([AUDIT])), [&clean[..], &[AUDIT]].concat());
    }

    #[test]
    fn every_instance_comes_after_what_it_reads() {
        for name in ["demo-full", "noise-demo", "emodb"] {
            let experiment = builtin_pipeline(name);
            let graph = Graph::of(&experiment, &runs(&experiment, &["Ses01F".to_owned()]));
            let mut before = BTreeSet::new();
            for instance in graph.instances() {
                assert!(instance.slots().is_subset(&before), "{name}: {}", instance.slot);
                before.insert(instance.slot.as_str());
            }
            assert_eq!(before.len(), graph.instances().len(), "{name}: a slot is there twice");
        }
    }

    #[test]
    fn the_network_of_frames_concerns_those_who_train_it() {
        let experiment = builtin_pipeline("demo-full");
        let mut pipeline = experiment.pipeline.clone();
        pipeline.model.settings.insert("lstm".to_owned(), 129.into());
        let wider = experiment.with_pipeline(pipeline).unwrap();
        let folds = ["Ses01F".to_owned()];
        for (run, of_wider) in runs(&experiment, &folds).iter().zip(&runs(&wider, &folds)) {
            let same = training(&experiment, run) == training(&wider, of_wider);
            assert_eq!(same, run.method.name().id() == "cyclegan", "{}", run.id());
        }
    }

    #[test]
    fn corrections_stand_between_the_labels_and_the_runs() {
        let toy = Toy::new();
        toy.edit("[model]", "[corrections]\nfile = \"corrections.csv\"\n\n[model]");
        let experiment = toy.read().unwrap();
        let instances = |experiment: &Experiment| {
            let runs = runs(experiment, &["s1".to_owned()]);
            let Graph(all) = Graph::of(experiment, &runs[..1]);
            let slots = ["correct".to_owned(), runs[0].slot()];
            all.into_iter().filter(|i| slots.contains(&i.slot)).collect::<Vec<_>>()
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
          features < map/features:features
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
            kind = \"symmetric\"\nseed = 5\n\n[model]";
        toy.edit("[model]", sections);
        toy.edit("seeds = [0, 1, 2]", "seeds = [1]");
        let experiment = toy.read().unwrap();
        let runs = runs(&experiment, &["s1".to_owned()]);
        let graph = Graph::of(&experiment, &runs);
        let corrections = graph.0.iter().filter(|instance| instance.stage() == "correct");
        let slots: Vec<&str> = corrections.map(|instance| instance.slot.as_str()).collect();
        assert_eq!(slots, ["correct/0.25/1"]);
        let text = describe(&training(&experiment, &runs[0]));
        assert!(text.contains("corrected < correct/0.25/1:corrected"), "{text}");
        let text = describe(graph.get(COMPARISON).unwrap());
        assert!(text.contains("noise/0.25/1 < correct/0.25/1:corrected"), "{text}");
    }

    #[test]
    fn a_run_reads_the_table_that_its_method_learns_from() {
        let experiment = builtin_pipeline("demo-full");
        let runs = runs(&experiment, &["Ses01F".to_owned()]);
        assert!(runs.iter().any(|run| run.method.name().id() == "cyclegan"));
        for run in &runs {
            let inputs = training(&experiment, run).inputs;
            let of_functionals = run.method.name().id() == "cyclegan";
            assert_eq!(inputs.contains_key(role::VECTORS), of_functionals, "{}", run.id());
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
