//! The stage that sets runs under label noise of several rates side by side: `noise.json`.

use std::collections::BTreeMap;

use ambivox_eval::{
    ConfidentLearning, Detection, NoiseDetection, NoisePoint, NoiseSummary, Score, Summary, audit,
};
use ambivox_settings::{CompareNoiseParams, Method, Splits, role};
use fs_err as fs;

use crate::StageError;
use crate::job::Job;
use crate::tables::labels::{LearnedLabel, read_learned};
use crate::tables::noise::{self, NoisyLabels};
use crate::tables::predictions::{self, Tested};

pub(crate) fn run(params: &CompareNoiseParams, job: &Job<'_>) -> Result<(), StageError> {
    let splits: Splits = job.read_json(role::SPLITS)?;
    let mut summary = NoiseSummary {
        schema: 1,
        pipeline: params.pipeline.clone(),
        kind: params.kind.id().to_owned(),
        methods: BTreeMap::new(),
        detection: Vec::new(),
    };
    for &rate in &params.rates {
        let text = fs::read_to_string(job.input(&format!("{}/{rate}", role::SUMMARY))?)?;
        let of_rate = Summary::from_json(&text)?;
        for (id, method) in &of_rate.methods {
            let points = summary.methods.entry(id.clone()).or_default();
            points.extend(NoisePoint::of(rate, &of_rate, method));
        }
        summary.detection.extend(Detector { job, classes: &splits.classes, rate }.run()?);
    }
    job.write_text(role::NOISE_SUMMARY, &summary.to_json()?)
}

/// What finds the labels exchanged at one rate.
struct Detector<'a> {
    job: &'a Job<'a>,
    classes: &'a [String],
    rate: f64,
}

/// Detections of several seeds, by method and score.
type Found = BTreeMap<(Method, Score), Vec<Detection>>;

impl Detector<'_> {
    fn run(&self) -> Result<Vec<NoiseDetection>, StageError> {
        let noise = self.noise()?;
        if noise.is_empty() {
            return Ok(Vec::new());
        }
        let mut found = self.in_training(&noise)?;
        found.extend(self.out_of_fold(&noise)?);
        let over_seeds = |((method, score), seeds): (&(Method, Score), &Vec<Detection>)| {
            NoiseDetection::over_seeds(self.rate, method.id(), *score, seeds)
        };
        Ok(found.iter().filter_map(over_seeds).collect())
    }

    /// The noise of every seed; empty at rate 0.
    fn noise(&self) -> Result<BTreeMap<u64, NoisyLabels>, StageError> {
        let tables = self.job.inputs_below(&format!("{}/{}", role::NOISE, self.rate));
        let seeds = tables.into_iter().filter_map(|(seed, file)| Some((seed.parse().ok()?, file)));
        seeds.map(|(seed, file)| Ok((seed, noise::read(file, self.classes)?))).collect()
    }

    /// Scores from the runs that trained on the labels.
    fn in_training(&self, noise: &BTreeMap<u64, NoisyLabels>) -> Result<Found, StageError> {
        let file = self.job.input(&format!("{}/{}", role::LABELS, self.rate))?;
        let mut found = Found::new();
        for ((method, seed), labels) in read_learned(file, self.classes)? {
            let noise = of_seed(noise, seed)?;
            for score in [Score::Weight, Score::Label, Score::Loss, Score::Audit] {
                if let Some(scores) = training_scores(&labels, score) {
                    let detection = detection(noise, scores.iter().map(|(id, s)| (*id, *s)));
                    found.entry((method.clone(), score)).or_default().extend(detection);
                }
            }
        }
        Ok(found)
    }

    /// Scores from networks that learned the labels as they are and did not see the utterance's speaker.
    fn out_of_fold(&self, noise: &BTreeMap<u64, NoisyLabels>) -> Result<Found, StageError> {
        let mut tested: BTreeMap<(Method, u64), Vec<Tested>> = BTreeMap::new();
        let role = format!("{}/{}", role::PREDICTIONS, self.rate);
        for (run, file) in self.job.run_inputs(&role)? {
            let more = predictions::read_test(file, self.classes)?;
            tested.entry((run.method, run.seed)).or_default().extend(more);
        }
        let mut found = Found::new();
        for ((method, seed), tested) in tested {
            for (score, detection) in self.confidence(&tested, of_seed(noise, seed)?)? {
                found.entry((method.clone(), score)).or_default().extend(detection);
            }
        }
        Ok(found)
    }

    fn confidence(
        &self,
        tested: &[Tested],
        noise: &NoisyLabels,
    ) -> Result<[(Score, Option<Detection>); 2], StageError> {
        let given = |tested: &Tested| noise.get(&tested.utterance_id).map(|label| label.given);
        let (tested, given): (Vec<&Tested>, Vec<usize>) =
            tested.iter().filter_map(|tested| Some((tested, given(tested)?))).unzip();
        let wide = |tested: &&Tested| tested.probabilities.iter().copied().map(f64::from).collect();
        let probabilities: Vec<Vec<f64>> = tested.iter().map(wide).collect();
        let learning = ConfidentLearning::new(self.classes.len(), &given, &probabilities)?;
        let of = |scores: Vec<f64>| {
            detection(noise, tested.iter().map(|t| t.utterance_id.as_str()).zip(scores))
        };
        Ok([
            (Score::SelfConfidence, of(learning.self_confidence_scores())),
            (Score::ConfidentLearning, of(learning.adjusted_scores())),
        ])
    }
}

fn of_seed(noise: &BTreeMap<u64, NoisyLabels>, seed: u64) -> Result<&NoisyLabels, StageError> {
    let lacks = || StageError::Request(format!("no noise table of seed {seed}"));
    noise.get(&seed).ok_or_else(lacks)
}

/// Every utterance's mean over the runs that trained on it; `None` where nothing was learned.
fn training_scores(labels: &[LearnedLabel], score: Score) -> Option<BTreeMap<&str, f64>> {
    if score == Score::Audit {
        let doubts = training_scores(labels, Score::Label)?;
        let (ids, doubts): (Vec<&str>, Vec<f64>) = doubts.into_iter().unzip();
        let losses: Vec<f64> = training_scores(labels, Score::Loss)?.into_values().collect();
        return Some(ids.into_iter().zip(audit::scores(&doubts, &losses)).collect());
    }
    let learned = match score {
        Score::Weight => labels.iter().any(|label| label.weight != label.weight_initial),
        Score::Label => labels.iter().any(|label| label.doubt != labels[0].doubt),
        _ => true,
    };
    let mut sums: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    for label in labels {
        let value = match score {
            Score::Weight => label.weight,
            Score::Label => label.doubt,
            _ => label.loss,
        };
        let (sum, count) = sums.entry(&label.utterance_id).or_default();
        *sum += value;
        *count += 1.0;
    }
    learned.then(|| sums.into_iter().map(|(id, (sum, count))| (id, sum / count)).collect())
}

fn detection<'a>(
    noise: &NoisyLabels,
    scores: impl Iterator<Item = (&'a str, f64)>,
) -> Option<Detection> {
    let wrong = |id: &str| noise.get(id).map(|label| label.clean != label.given);
    Detection::of(scores.filter_map(|(id, score)| Some((score, wrong(id)?))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(id: &str, weight: f64, doubt: f64, loss: f64) -> LearnedLabel {
        let (utterance_id, shares) = (id.to_owned(), vec![1.0 - doubt, doubt]);
        LearnedLabel { utterance_id, gold: 0, weight_initial: 1.0, weight, shares, doubt, loss }
    }

    #[test]
    fn scores_are_means_over_the_runs_that_trained_on_the_utterance() {
        let labels =
            [label("a", 1.5, 0.2, 1.0), label("b", 1.0, 0.2, 4.0), label("a", 2.5, 0.2, 3.0)];
        let scores = training_scores(&labels, Score::Weight).unwrap();
        assert_eq!(scores, BTreeMap::from([("a", 2.0), ("b", 1.0)]));
        assert_eq!(training_scores(&labels, Score::Loss).unwrap()["a"], 2.0);
        assert_eq!(training_scores(&labels, Score::Label), None, "no label was learned");
        assert_eq!(training_scores(&labels, Score::Audit), None, "nor is there an audit");
        assert_eq!(training_scores(&labels[1..2], Score::Weight), None, "no weight was learned");
    }

    #[test]
    fn the_audits_score_is_the_mean_place_by_label_and_loss() {
        let labels =
            [label("a", 1.0, 0.2, 1.0), label("b", 1.0, 0.4, 0.5), label("c", 1.0, 0.9, 3.0)];
        let scores = training_scores(&labels, Score::Audit).unwrap();
        let expected = [("a", 1.0 / 3.0), ("b", 1.0 / 3.0), ("c", 5.0 / 6.0)];
        assert!(expected.iter().all(|(id, e)| (scores[id] - e).abs() < 1e-15), "{scores:?}");
    }
}
