//! The map stage: `features.parquet` or `vectors.parquet` in rows that models read where they lie.

use ambivox_features::{map_frames, map_vectors};
use ambivox_settings::{MapParams, role};

use crate::StageError;
use crate::job::Job;

pub(crate) fn run(params: MapParams, job: &Job<'_>) -> Result<(), StageError> {
    match params {
        MapParams::Features => {
            map_frames(job.input(role::FEATURES)?, &job.output(role::FEATURES)?)?;
        }
        MapParams::Vectors => {
            map_vectors(job.input(role::VECTORS)?, &job.output(role::VECTORS)?)?;
        }
    }
    Ok(())
}
