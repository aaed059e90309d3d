//! The stage that ranks labels by how suspect they are: `audit.parquet` and `audit.csv`.

use std::collections::BTreeMap;

use ambivox_corpus::{Utterance, read_index};
use ambivox_eval::audit::{Evidence, rank};
use ambivox_settings::{AuditParams, Splits, role};

use crate::StageError;
use crate::job::Job;
use crate::tables::audit::Table;
use crate::tables::labels::read_learned;
use crate::tables::predictions;

pub(crate) fn run(params: &AuditParams, job: &Job<'_>) -> Result<(), StageError> {
    let splits: Splits = job.read_json(role::SPLITS)?;
    let learned = learned(params, job, &splits.classes)?;
    let unheard = unheard(job, &splits.classes)?;
    let index = read_index(job.input(role::INDEX)?)?;
    let index: BTreeMap<&str, &Utterance> =
        index.iter().map(|utterance| (utterance.utterance_id.as_str(), utterance)).collect();
    let evidence = learned.iter().filter_map(|(id, learned)| {
        let evidence = learned.evidence(index.get(id.as_str())?, &splits.classes)?;
        Some(Evidence { unheard: unheard.get(id)?.mean(), ..evidence })
    });
    let suspects = rank(evidence.collect());
    let table = Table { classes: &splits.classes, index: &index, suspects: &suspects };
    table.write_parquet(&job.output(role::AUDIT)?)?;
    table.write_csv(&job.output(role::AUDIT_CSV)?)
}

/// What the runs that trained on an utterance made of its label, over folds and seeds.
#[derive(Default)]
struct Learned {
    shares: Mean,
    weight: Mean,
    loss: Mean,
}

impl Learned {
    /// Without the networks that did not hear the speaker; `None` where there is no gold label.
    fn evidence(&self, utterance: &Utterance, classes: &[String]) -> Option<Evidence> {
        let gold = utterance.gold.as_ref()?;
        let votes = |class| utterance.votes.get(class).copied().unwrap_or(0);
        Some(Evidence {
            utterance_id: utterance.utterance_id.clone(),
            gold: classes.iter().position(|class| class == gold)?,
            learned: self.shares.mean(),
            weight: self.weight.mean().first().copied()?,
            loss: self.loss.mean().first().copied()?,
            unheard: Vec::new(),
            votes: classes.iter().map(votes).collect(),
        })
    }
}

fn learned(
    params: &AuditParams,
    job: &Job<'_>,
    classes: &[String],
) -> Result<BTreeMap<String, Learned>, StageError> {
    let mut learned: BTreeMap<String, Learned> = BTreeMap::new();
    for (run, file) in job.run_inputs(role::LABELS)? {
        if run.method.id() != params.method {
            return Err(StageError::Request(format!("{run} is not of {}", params.method)));
        }
        for label in read_learned(file, classes)?.into_values().flatten() {
            let of_utterance = learned.entry(label.utterance_id).or_default();
            of_utterance.shares.add(&label.shares);
            of_utterance.weight.add(&[label.weight]);
            of_utterance.loss.add(&[label.loss]);
        }
    }
    Ok(learned)
}

/// What the networks say that did not hear the speaker, over seeds.
fn unheard(job: &Job<'_>, classes: &[String]) -> Result<BTreeMap<String, Mean>, StageError> {
    let mut unheard: BTreeMap<String, Mean> = BTreeMap::new();
    for (_, file) in job.run_inputs(role::PREDICTIONS)? {
        for tested in predictions::read_test(file, classes)? {
            let wide: Vec<f64> = tested.probabilities.iter().copied().map(f64::from).collect();
            unheard.entry(tested.utterance_id).or_default().add(&wide);
        }
    }
    Ok(unheard)
}

/// The mean of vectors of one length.
#[derive(Default)]
struct Mean {
    sum: Vec<f64>,
    count: f64,
}

impl Mean {
    fn add(&mut self, values: &[f64]) {
        self.sum.resize(values.len(), 0.0);
        self.sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
        self.count += 1.0;
    }

    fn mean(&self) -> Vec<f64> {
        self.sum.iter().map(|sum| sum / self.count).collect()
    }
}
