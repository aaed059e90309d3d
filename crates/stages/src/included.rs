//! The utterances that a pipeline's folds are made of.

use std::collections::BTreeSet;

use ambivox_corpus::{Utterance, read_index};
use ambivox_settings::{Splits, role};

use crate::StageError;
use crate::job::Job;

/// Those of the index that the splits name, in the index's order.
pub(crate) fn read(splits: &Splits, job: &Job<'_>) -> Result<Vec<Utterance>, StageError> {
    let chosen: BTreeSet<&str> = splits.utterances.iter().map(String::as_str).collect();
    let mut utterances = read_index(job.input(role::INDEX)?)?;
    utterances.retain(|utterance| chosen.contains(utterance.utterance_id.as_str()));
    Ok(utterances)
}
