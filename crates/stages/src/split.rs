//! The split stage: utterances to folds.

use ambivox_corpus::{read_index, splits};
use ambivox_settings::{Exclusions, SplitParams, counted, role};

use crate::StageError;
use crate::job::Job;

pub(crate) fn run(params: &SplitParams, job: &Job<'_>) -> Result<(), StageError> {
    let utterances = read_index(job.input(role::INDEX)?)?;
    let exclusions: Exclusions = job.read_json(role::EXCLUSIONS)?;
    let parts = job.optional_input(role::PARTS);
    let splits = splits(&utterances, &exclusions, &params.split, &params.manifest, parts)?;
    for note in &splits.notes {
        job.reporter.warn(note.clone());
    }
    for fold in &splits.folds {
        let leaks = [(&fold.in_two_parts, "speaker"), (&fold.same_recordings, "recording")];
        for (found, what) in leaks.into_iter().filter(|(found, _)| !found.is_empty()) {
            let (name, count) = (&fold.name, counted(found.len(), what));
            job.reporter.warn(format!("fold {name}: {count} in two of its parts; see the report"));
        }
    }
    job.write_json(role::SPLITS, &splits)
}
