//! The learning curves of all runs that a stage is given.
//!
//! Apart from `job`, so that stages without runs do not depend on the metrics' code.

use std::collections::BTreeMap;

use ambivox_eval::RunHistory;
use ambivox_settings::role;
use fs_err as fs;

use crate::StageError;
use crate::job::{Job, Run};

/// The inputs under `history/<method>/<seed>/<fold>`.
pub(crate) fn read(job: &Job<'_>) -> Result<BTreeMap<Run, RunHistory>, StageError> {
    let read = |(run, file)| Ok((run, RunHistory::from_json(&fs::read_to_string(file)?)?));
    job.run_inputs(role::HISTORY)?.into_iter().map(read).collect()
}
