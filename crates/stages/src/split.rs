//! The split stage: utterances to folds.

use std::collections::BTreeSet;

use ambivox_corpus::{read_index, splits};
use ambivox_settings::{Exclusions, SplitParams, role};

use crate::StageError;
use crate::job::Job;

pub(crate) fn run(params: &SplitParams, job: &Job<'_>) -> Result<(), StageError> {
    let utterances = read_index(job.input(role::INDEX)?)?;
    let exclusions: Exclusions = job.read_json(role::EXCLUSIONS)?;
    let excluded: BTreeSet<String> =
        exclusions.excluded.into_iter().map(|exclusion| exclusion.utterance_id).collect();
    let splits = splits(&utterances, &excluded, &params.split, &params.manifest)?;
    job.write_json(role::SPLITS, &splits)
}
