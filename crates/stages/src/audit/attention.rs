//! Where the out-of-fold models attend: those that did not train on the speaker.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ambivox_features::FeatureTable;
use ambivox_models::{Checkpoint, Rows};
use ambivox_settings::role;

use crate::StageError;
use crate::averages::Mean;
use crate::job::Job;

/// Attention weights by utterance, one per frame: the mean over the networks that were tested on
/// it, by `tested_by`, the fold that tests each utterance. None where the request has no frames, for methods whose networks see none.
pub(super) fn out_of_fold(
    job: &Job<'_>,
    tested_by: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, Vec<f32>>, StageError> {
    let Some(features) = job.optional_input(role::FEATURES) else { return Ok(BTreeMap::new()) };
    let mut folds: BTreeMap<String, Vec<&Path>> = BTreeMap::new();
    for (run, checkpoint) in job.run_inputs(role::CHECKPOINT)? {
        folds.entry(run.fold).or_default().push(checkpoint);
    }
    let features = FeatureTable::open(features)?;
    let mut attention: BTreeMap<String, Mean> = BTreeMap::new();
    for (fold, checkpoints) in folds {
        let tested: BTreeSet<String> =
            tested_by.iter().filter(|(_, by)| **by == fold).map(|(id, _)| id.clone()).collect();
        for checkpoint in checkpoints {
            add(checkpoint, &tested, &features, &mut attention)?;
        }
    }
    let narrow = |mean: Mean| mean.mean().into_iter().map(|weight| weight as f32).collect();
    Ok(attention.into_iter().map(|(id, mean)| (id, narrow(mean))).collect())
}

fn add(
    checkpoint: &Path,
    tested: &BTreeSet<String>,
    features: &FeatureTable,
    attention: &mut BTreeMap<String, Mean>,
) -> Result<(), StageError> {
    let Checkpoint { predictor, scaling, .. } = Checkpoint::load(checkpoint)?;
    let found = tested.iter().filter_map(|id| Some((id, features.values(id)?)));
    let (ids, rows): (Vec<&String>, Vec<Rows<'_>>) =
        found.map(|(id, values)| (id, Rows::of(values, &scaling))).unzip();
    let said = predictor.predict(&rows.iter().collect::<Vec<_>>())?;
    for (id, prediction) in ids.into_iter().zip(said) {
        let Some(weights) = prediction.attention else { continue };
        let wide: Vec<f64> = weights.into_iter().map(f64::from).collect();
        attention.entry(id.clone()).or_default().add(&wide);
    }
    Ok(())
}
