//! The extract stage: the index's utterances to `features.parquet`, `vectors.parquet`, or both.

use std::collections::BTreeSet;
use std::path::Path;

use ambivox_corpus::Index;
use ambivox_features::{Outputs, Recipe, extract, extract_shard};
use ambivox_settings::{Exclusion, ExtractParams, counted, role};

use crate::StageError;
use crate::job::Job;

/// So many names are listed of what a table has beyond the corpus.
const MOST_NAMED: usize = 20;

pub(crate) fn run(params: &ExtractParams, job: &Job<'_>) -> Result<(), StageError> {
    let index = Index::open(job.input(role::INDEX)?)?;
    let table = job.optional_input(role::TABLE);
    let recipe = Recipe::open(&params.features, params.frames, table)?;
    // What is read from a table has no recordings.
    let root = if table.is_some() { Path::new("") } else { job.input(role::CORPUS)? };
    let progress = |done, total| job.reporter.progress(done, total, "utterances", "");
    if let Some(shard) = job.request.shard {
        let folder = job.request.interim.as_deref().ok_or_else(|| job.lacks("`interim`"))?;
        return Ok(extract_shard(&index, root, &recipe, shard, folder, &progress)?);
    }
    warn_of_strangers(&recipe, &index, job)?;
    let output = |role| {
        let is_made = job.request.work.outputs().iter().any(|(made, _)| *made == role);
        is_made.then(|| job.output(role)).transpose()
    };
    let (features, vectors) = (output(role::FEATURES)?, output(role::VECTORS)?);
    let outputs = Outputs { features, vectors, pieces: job.request.interim.clone() };
    let found = extract(&index, root, &recipe, params.on_broken, &outputs, &progress)?;
    for Exclusion { utterance_id, path, reason } in &found.excluded {
        job.reporter.warn(format!("{utterance_id} ({path}) is excluded: {reason}"));
    }
    for Exclusion { utterance_id, path, reason } in &found.warnings {
        job.reporter.warn(format!("{utterance_id} ({path}) is doubtful: {reason}"));
    }
    job.write_json(role::EXCLUSIONS, &found)
}

/// Says what a table has and the corpus does not.
fn warn_of_strangers(recipe: &Recipe, index: &Index, job: &Job<'_>) -> Result<(), StageError> {
    let mut known = BTreeSet::new();
    for utterance in index.utterances() {
        let utterance = utterance?;
        let bare = Path::new(&utterance.path).with_extension("");
        known.insert(bare.to_string_lossy().into_owned());
        known.extend([utterance.utterance_id, utterance.path]);
    }
    let strangers = recipe.strangers(&|name| known.contains(name));
    if let [first, ..] = &strangers[..] {
        let some = strangers[..strangers.len().min(MOST_NAMED)].join(", ");
        let count = counted(strangers.len(), "row");
        let text = if strangers.len() == 1 { first.clone() } else { format!("{count}: {some}") };
        job.reporter.warn(format!("the table has what is no utterance of the corpus: {text}"));
    }
    Ok(())
}
