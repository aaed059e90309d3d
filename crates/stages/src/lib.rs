//! The stages of a pipeline: each a function from a typed request to files.
//!
//! A stage reads its parameters and inputs from a [`Request`] and writes the outputs that
//! [`StageParams::outputs`] names into the request's folder. Nothing else reaches it: no environment,
//! no clock, no other stage. The same request and input contents give the same bytes for any number of
//! threads.

mod annotators;
mod audit;
mod averages;
mod compare_noise;
mod correct;
mod error;
mod evaluate;
mod evidence;
mod extract;
mod included;
mod index;
mod job;
mod map;
mod nearest_vectors;
mod noise;
mod normalise;
mod program;
mod report;
mod reporter;
mod run_histories;
mod split;
mod synth;
mod tables;
#[cfg(test)]
mod tests;
mod train;

use std::path::Path;

use ambivox_settings::{Request, StageParams};

pub use error::StageError;
pub use program::{RUN, main};
pub use reporter::Reporter;
pub use tables::predictions::validation_loss;

use job::Job;

/// Reads a request and checks what its types cannot.
pub fn read_request(file: &Path) -> Result<Request, StageError> {
    let text = fs_err::read_to_string(file).map_err(|e| StageError::Request(e.to_string()))?;
    let request: Request = serde_json::from_str(&text)
        .map_err(|error| StageError::Request(format!("{}: {error}", file.display())))?;
    if request.threads == 0 {
        return Err(StageError::Request("threads = 0; at least 1".to_owned()));
    }
    Ok(request)
}

/// Works a request in the current rayon pool.
pub fn run(request: &Request, reporter: &Reporter) -> Result<(), StageError> {
    if !request.out.is_dir() {
        let out = request.out.display();
        return Err(StageError::Request(format!("there is no folder {out} for the outputs")));
    }
    if request.shard.is_some() && !matches!(request.work, StageParams::Extract(_)) {
        let name = request.work.name();
        return Err(StageError::Request(format!("stage {name} is not made in parts")));
    }
    let job = Job::new(request, reporter);
    match &request.work {
        StageParams::Synth(params) => synth::run(params, &job),
        StageParams::Index(params) => index::run(params, &job),
        StageParams::Extract(params) => extract::run(params, &job),
        StageParams::Map(params) => map::run(*params, &job),
        StageParams::Normalise(params) => normalise::run(params, &job),
        StageParams::Split(params) => split::run(params, &job),
        StageParams::Noise(params) => noise::run(params, &job),
        StageParams::Correct(_) => correct::run(&job),
        StageParams::Train(params) => train::run(params, &job),
        StageParams::Evaluate(params) => evaluate::run(params, &job),
        StageParams::CompareNoise(params) => compare_noise::run(params, &job),
        StageParams::Audit(params) => audit::run(params, &job),
        StageParams::Report(params) => report::run(params, &job),
    }?;
    job.check_inputs()
}
