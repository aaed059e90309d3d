//! The stage that sets runs under label noise of several rates side by side: `noise.json`.

use std::collections::BTreeMap;

use ambivox_eval::audit::Evidence;
use ambivox_eval::{
    CHOSEN, DETECTORS, Detection, Detector, Draw, NoiseDetection, NoisePoint, NoiseSummary,
    Summary, choose, found_by_choice,
};
use ambivox_settings::{CompareNoiseParams, Method, Splits, role};
use fs_err as fs;

use crate::StageError;
use crate::evidence::Learned;
use crate::job::Job;
use crate::nearest_vectors::Neighbours;
use crate::tables::labels::{LearnedLabel, read_learned};
use crate::tables::noise::{self, NoisyLabels};
use crate::tables::predictions;

pub(crate) fn run(params: &CompareNoiseParams, job: &Job<'_>) -> Result<(), StageError> {
    let splits: Splits = job.read_json(role::SPLITS)?;
    let mut summary = NoiseSummary {
        schema: NoiseSummary::SCHEMA,
        pipeline: params.pipeline.clone(),
        kind: params.kind.id().to_owned(),
        methods: BTreeMap::new(),
        detection: Vec::new(),
        chosen: BTreeMap::new(),
    };
    let mut draws = Draws::new();
    let neighbours = Neighbours::read(job, &splits.utterances)?;
    for &rate in &params.rates {
        let text = fs::read_to_string(job.input(&format!("{}/{rate}", role::SUMMARY))?)?;
        let of_rate = Summary::from_json(&text)?;
        for (id, method) in &of_rate.methods {
            let points = summary.methods.entry(id.clone()).or_default();
            points.extend(NoisePoint::of(rate, &of_rate, method));
        }
        let of_rate = Rated { job, classes: &splits.classes, neighbours: &neighbours, rate };
        summary.detection.extend(of_rate.detections(&mut draws)?);
    }
    for (method, draws) in &draws {
        add_choice(&mut summary, method, draws);
    }
    job.write_text(role::NOISE_SUMMARY, &summary.to_json()?)
}

/// Labels exchanged, at every rate and for the runs of every seed, as a method's runs tell of them.
type Draws = BTreeMap<Method, Vec<Draw>>;

/// Adds which detectors together find most by a method's runs, and what such a choice finds among labels that had
/// no part in it.
fn add_choice(summary: &mut NoiseSummary, method: &Method, draws: &[Draw]) {
    let chosen: Vec<String> = choose(draws).iter().map(|one| one.name.to_owned()).collect();
    if !chosen.is_empty() {
        summary.chosen.insert(method.id().to_owned(), chosen);
    }
    for of_rate in found_by_choice(draws).chunk_by(|a, b| a.0 == b.0) {
        let found: Vec<Detection> = of_rate.iter().map(|(_, found)| *found).collect();
        let found = NoiseDetection::over_seeds(of_rate[0].0, method.id(), CHOSEN, &found, &[]);
        summary.detection.extend(found);
    }
    summary.detection.sort_by(|a, b| a.rate.total_cmp(&b.rate));
}

/// The runs with labels exchanged at one rate.
struct Rated<'a> {
    job: &'a Job<'a>,
    classes: &'a [String],
    neighbours: &'a Neighbours,
    rate: f64,
}

/// Detections by method and the detector's place.
type Found = BTreeMap<(Method, usize), Vec<Detection>>;

/// What runs made of every label, by method and seed.
type Together = BTreeMap<(Method, u64), BTreeMap<String, Learned>>;

impl Rated<'_> {
    /// What each detector finds; adds what was exchanged to the draws of its method.
    fn detections(&self, draws: &mut Draws) -> Result<Vec<NoiseDetection>, StageError> {
        let noise = self.noise()?;
        if noise.is_empty() {
            return Ok(Vec::new());
        }
        let (mut learned, alone) = self.learned(&noise)?;
        self.add_out_of_fold(&noise, &mut learned)?;
        let mut found = Found::new();
        for ((method, seed), learned) in learned {
            let noise = of_seed(&noise, seed)?;
            let mut evidence: Vec<Evidence> =
                learned.iter().map(|(id, learned)| learned.evidence(id)).collect();
            let labels = noise.iter().map(|(id, label)| (id.clone(), label.given)).collect();
            self.neighbours.tell(&mut evidence, &labels, self.classes.len());
            detect(&mut found, &method, noise, &evidence, |_| true);
            evidence.retain(|one| noise.contains_key(&one.utterance_id));
            let wrong = evidence.iter().filter_map(|one| is_wrong(noise, one)).collect();
            draws.entry(method).or_default().extend(Draw::of(self.rate, seed, &evidence, wrong));
        }
        let over_seeds = |(key, seeds): (&(Method, usize), &Vec<Detection>)| {
            let alone = alone.get(key).map(Vec::as_slice).unwrap_or_default();
            let detector = DETECTORS[key.1].name;
            NoiseDetection::over_seeds(self.rate, key.0.id(), detector, seeds, alone)
        };
        Ok(found.iter().filter_map(over_seeds).collect())
    }

    /// The noise of every seed; empty at rate 0.
    fn noise(&self) -> Result<BTreeMap<u64, NoisyLabels>, StageError> {
        let tables = self.job.inputs_below(&format!("{}/{}", role::NOISE, self.rate));
        let seeds = tables.into_iter().filter_map(|(seed, file)| Some((seed.parse().ok()?, file)));
        seeds.map(|(seed, file)| Ok((seed, noise::read(file, self.classes)?))).collect()
    }

    /// What the runs of each method and seed together made of every utterance's label; and how well each run
    /// by itself finds the labels exchanged, by those detectors that ask no more than it.
    fn learned(&self, noise: &BTreeMap<u64, NoisyLabels>) -> Result<(Together, Found), StageError> {
        let (mut together, mut alone) = (Together::new(), Found::new());
        let file = self.job.input(&format!("{}/{}", role::LABELS, self.rate))?;
        for (run, labels) in read_learned(file, self.classes)? {
            let noise = of_seed(noise, run.seed)?;
            let evidence: Vec<Evidence> = labels.iter().map(alone_on).collect();
            detect(&mut alone, &run.method, noise, &evidence, |detector| !detector.reads_vectors);
            let of_seed = together.entry((run.method, run.seed)).or_default();
            for label in &labels {
                let new = || Learned::of(label.gold);
                of_seed.entry(label.utterance_id.clone()).or_insert_with(new).add(label);
            }
        }
        Ok((together, alone))
    }

    /// Takes in what the runs say of an utterance that did not train on it.
    fn add_out_of_fold(
        &self,
        noise: &BTreeMap<u64, NoisyLabels>,
        learned: &mut Together,
    ) -> Result<(), StageError> {
        let role = format!("{}/{}", role::PREDICTIONS, self.rate);
        for (run, file) in self.job.run_inputs(&role)? {
            let noise = of_seed(noise, run.seed)?;
            let of_seed = learned.entry((run.method, run.seed)).or_default();
            for tested in predictions::read_test(file, self.classes)? {
                // Those tested keep their labels; what is asked for is the one that was exchanged for it.
                let Some(label) = noise.get(&tested.utterance_id) else { continue };
                let new = || Learned::of(label.given);
                let one = of_seed.entry(tested.utterance_id).or_insert_with(new);
                one.add_out_of_fold(&tested.probabilities);
            }
        }
        Ok(())
    }
}

/// What one run made of a label.
fn alone_on(label: &LearnedLabel) -> Evidence {
    let mut learned = Learned::of(label.gold);
    learned.add(label);
    learned.evidence(&label.utterance_id)
}

fn of_seed(noise: &BTreeMap<u64, NoisyLabels>, seed: u64) -> Result<&NoisyLabels, StageError> {
    let lacks = || StageError::Request(format!("no noise table of seed {seed}"));
    noise.get(&seed).ok_or_else(lacks)
}

/// Adds how well each of these detectors finds the labels that were exchanged by a method's evidence.
fn detect(
    found: &mut Found,
    method: &Method,
    noise: &NoisyLabels,
    evidence: &[Evidence],
    asked: impl Fn(&Detector) -> bool,
) {
    for (place, detector) in DETECTORS.iter().enumerate().filter(|(_, one)| asked(one)) {
        let detection = detection(noise, evidence, &detector.scores(evidence));
        found.entry((method.clone(), place)).or_default().extend(detection);
    }
}

/// How well scores find the labels that were exchanged, of utterances that have a score.
fn detection(
    noise: &NoisyLabels,
    evidence: &[Evidence],
    scores: &[Option<f64>],
) -> Option<Detection> {
    let scored = evidence.iter().zip(scores);
    Detection::of(scored.filter_map(|(one, score)| Some(((*score)?, is_wrong(noise, one)?))))
}

/// Whether an utterance's label was exchanged; `None` of those whose labels could not be.
fn is_wrong(noise: &NoisyLabels, one: &Evidence) -> Option<bool> {
    noise.get(&one.utterance_id).map(|label| label.clean != label.given)
}
