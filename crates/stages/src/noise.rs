//! The noise stage: labels exchanged at a known rate.

use ambivox_corpus::{Utterance, exchange_labels};
use ambivox_settings::{NoiseParams, Splits, role};

use crate::job::Job;
use crate::tables::noise;
use crate::{StageError, taking_part};

pub(crate) fn run(params: &NoiseParams, job: &Job<'_>) -> Result<(), StageError> {
    let splits: Splits = job.read_json(role::SPLITS)?;
    let utterances = taking_part::read(&splits, job)?;
    let utterances: Vec<&Utterance> = utterances.iter().collect();
    let labels = exchange_labels(&utterances, &splits.classes, params);
    noise::write(&job.output(role::NOISE)?, &splits.classes, &labels)
}
