//! The synth stage: the synthetic corpus and the truth about it.

use ambivox_settings::{SynthSettings, role};
use ambivox_synth::generate;

use crate::StageError;
use crate::job::Job;

pub(crate) fn run(settings: &SynthSettings, job: &Job<'_>) -> Result<(), StageError> {
    let (corpus, truth) = (job.output(role::CORPUS)?, job.output(role::TRUTH)?);
    let progress = |done, total| job.reporter.progress(done, total, "turns", "");
    Ok(generate(settings, &corpus, &truth, &progress)?)
}
