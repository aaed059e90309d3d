//! The extract stage: the index's utterances to `features.parquet` and, where asked for,
//! `functionals.parquet`.

use ambivox_corpus::Index;
use ambivox_features::{Outputs, extract, extract_shard};
use ambivox_lld::{FeatureSet, LldError};
use ambivox_settings::{Exclusion, ExtractParams, FeatureSetText, Shard, role};

use crate::StageError;
use crate::job::Job;

pub(crate) fn run(params: &ExtractParams, job: &Job<'_>) -> Result<(), StageError> {
    let index = Index::open(job.input(role::INDEX)?)?;
    if let Some(shard) = job.request.shard {
        return run_shard(params, shard, &index, job);
    }
    let functionals = params.functionals.then(|| job.output(role::FUNCTIONALS)).transpose()?;
    let pieces = job.request.interim.clone();
    let outputs = Outputs { features: job.output(role::FEATURES)?, functionals, pieces };
    let found = extract(
        &index,
        job.input(role::CORPUS)?,
        &feature_set(&params.set)?,
        params.on_broken,
        &outputs,
        &|done, total| job.reporter.progress(done, total, "utterances", ""),
    )?;
    for Exclusion { utterance_id, path, reason } in &found.excluded {
        job.reporter.warn(format!("{utterance_id} ({path}) is excluded: {reason}"));
    }
    for Exclusion { utterance_id, path, reason } in &found.warnings {
        job.reporter.warn(format!("{utterance_id} ({path}) is doubtful: {reason}"));
    }
    job.write_json(role::EXCLUSIONS, &found)
}

/// Keeps a part of the row groups where the whole finds them.
fn run_shard(
    params: &ExtractParams,
    shard: Shard,
    index: &Index,
    job: &Job<'_>,
) -> Result<(), StageError> {
    let folder = job.request.interim.as_deref().ok_or_else(|| job.lacks("`interim`"))?;
    let (root, set) = (job.input(role::CORPUS)?, feature_set(&params.set)?);
    let progress = |done, total| job.reporter.progress(done, total, "utterances", "");
    Ok(extract_shard(index, root, &set, params.functionals, shard, folder, &progress)?)
}

fn feature_set(text: &FeatureSetText) -> Result<FeatureSet, LldError> {
    match text {
        FeatureSetText::Builtin(name) => FeatureSet::builtin(name),
        FeatureSetText::Toml(text) => FeatureSet::from_toml(text),
    }
}
