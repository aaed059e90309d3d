//! The noise stage: labels exchanged at a known rate.

use std::collections::BTreeSet;

use ambivox_corpus::{Utterance, exchange_labels, read_index};
use ambivox_settings::{NoiseParams, Splits, role};

use crate::StageError;
use crate::job::Job;
use crate::tables::noise;

pub(crate) fn run(params: &NoiseParams, job: &Job<'_>) -> Result<(), StageError> {
    let splits: Splits = job.read_json(role::SPLITS)?;
    let index = read_index(job.input(role::INDEX)?)?;
    let chosen: BTreeSet<&str> = splits.utterances.iter().map(String::as_str).collect();
    let utterances: Vec<&Utterance> =
        index.iter().filter(|u| chosen.contains(u.utterance_id.as_str())).collect();
    let labels = exchange_labels(&utterances, &splits.classes, params);
    noise::write(&job.output(role::NOISE)?, &splits.classes, &labels)
}
