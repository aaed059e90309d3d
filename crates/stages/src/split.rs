//! The split stage: utterances to folds.

use std::collections::BTreeSet;

use ambivox_corpus::{read_index, splits};
use ambivox_settings::{Exclusions, SplitParams, counted, role};

use crate::StageError;
use crate::job::Job;

pub(crate) fn run(params: &SplitParams, job: &Job<'_>) -> Result<(), StageError> {
    let utterances = read_index(job.input(role::INDEX)?)?;
    let exclusions: Exclusions = job.read_json(role::EXCLUSIONS)?;
    let excluded: BTreeSet<String> =
        exclusions.excluded.into_iter().map(|exclusion| exclusion.utterance_id).collect();
    let parts = job.optional_input(role::PARTS);
    let splits = splits(&utterances, &excluded, &params.split, &params.manifest, parts)?;
    for note in &splits.notes {
        job.reporter.warn(note.clone());
    }
    for fold in splits.folds.iter().filter(|fold| !fold.in_two_parts.is_empty()) {
        let (name, count) = (&fold.name, counted(fold.in_two_parts.len(), "speaker"));
        job.reporter.warn(format!("fold {name}: {count} in two of its parts; see the report"));
    }
    job.write_json(role::SPLITS, &splits)
}
