//! The correct stage: a reviewer's corrections of the labels that training sees.

use ambivox_corpus::{Corrections, NoisyLabel, Utterance, clean_labels};
use ambivox_settings::{Splits, role};

use crate::job::Job;
use crate::tables::noise;
use crate::{StageError, included};

pub(crate) fn run(job: &Job<'_>) -> Result<(), StageError> {
    let splits: Splits = job.read_json(role::SPLITS)?;
    let mut labels = labels(&splits, job)?;
    let corrections = Corrections::read(job.input(role::CORRECTIONS)?)?;
    corrections.apply_to_labels(&mut labels, &splits.classes)?;
    noise::write(&job.output(role::CORRECTED)?, &splits.classes, &labels)
}

/// The labels that the reviewer saw: those exchanged, or the corpus's own.
fn labels(splits: &Splits, job: &Job<'_>) -> Result<Vec<NoisyLabel>, StageError> {
    if let Some(file) = job.optional_input(role::NOISE) {
        return Ok(noise::read(file, &splits.classes)?.into_values().collect());
    }
    let utterances = included::read(splits, job)?;
    let utterances: Vec<&Utterance> = utterances.iter().collect();
    Ok(clean_labels(&utterances, &splits.classes))
}
