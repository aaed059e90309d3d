//! The extract stage: the index's utterances to `features.parquet`, `vectors.parquet`, or both.

use std::path::Path;

use ambivox_corpus::Index;
use ambivox_features::{Outputs, Recipe, compute_portably, extract, extract_shard};
use ambivox_settings::{Arithmetic, Exclusion, ExtractParams, counted, role, some_listed};

use crate::StageError;
use crate::job::Job;

pub(crate) fn run(params: &ExtractParams, job: &Job<'_>) -> Result<(), StageError> {
    if params.arithmetic == Arithmetic::Portable {
        compute_portably();
    }
    let index = Index::open(job.input(role::INDEX)?)?;
    let table = job.optional_input(role::TABLE);
    let mut recipe = Recipe::open(&params.features, params.frames, table)?;
    let strangers = recipe.adopt(&index)?;
    // What is read from a table has no recordings.
    let root = if recipe.hears() { job.input(role::CORPUS)? } else { Path::new("") };
    let size = recipe.bytes(index.seconds()?);
    let size = size.map(|bytes| format!("{:.1} GB of frames", bytes as f64 / 1e9));
    let size = size.unwrap_or_default();
    let progress = |done, total| job.reporter.progress(done, total, "utterances", &size);
    if let Some(shard) = job.request.shard {
        let folder = job.request.interim.as_deref().ok_or_else(|| job.lacks("`interim`"))?;
        return Ok(extract_shard(&index, root, &recipe, shard, folder, &progress)?);
    }
    if !strangers.is_empty() {
        let count = counted(strangers.len(), "row");
        let some = some_listed(&strangers);
        job.reporter.warn(format!("the table has {count} of no utterance of the corpus: {some}"));
    }
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
