//! The split stage: utterances to folds.

use ambivox_corpus::{read_index, splits};
use ambivox_settings::{Exclusions, Grouping, SplitParams, counted, role};

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
    // Where single utterances are divided, that is so in every fold.
    let divided = splits.grouping == Grouping::Utterance && !splits.listed;
    if divided && splits.folds.iter().any(|fold| !fold.in_two_parts.is_empty()) {
        let folds = counted(splits.folds.len(), "fold");
        job.reporter.warn(format!("{folds} of single utterances, whoever speaks; see the report"));
    }
    for fold in &splits.folds {
        let speakers = (!divided).then_some((&fold.in_two_parts, "speaker"));
        let leaks = speakers.into_iter().chain([(&fold.same_recordings, "recording")]);
        for (found, what) in leaks.filter(|(found, _)| !found.is_empty()) {
            let (name, count) = (&fold.name, counted(found.len(), what));
            job.reporter.warn(format!("fold {name}: {count} in two of its parts; see the report"));
        }
    }
    job.write_json(role::SPLITS, &splits)
}
