//! `ambivox`: plans a pipeline's stages, runs those that are stale, publishes what they made.
//!
//! One program does all: it plans, and runs a stage by running itself again with a request, so that the
//! crash of one stage is not the end of all. It needs no source and no compiler; the pipelines and
//! built-in manifests are in it. In a checkout it stands behind `cargo xtask`.

mod answer;
mod audit;
mod bench_plan;
mod builtin;
mod bundle;
mod called;
mod cli;
mod code;
mod commands;
mod comparable;
mod corpus;
mod doctor;
mod events;
mod execute;
mod experiment;
mod facts;
mod failure;
mod from_table;
mod gc;
mod graph;
mod host;
mod init;
mod interrupt;
mod method;
mod plan;
mod progress;
mod publish;
#[cfg(test)]
mod reference;
mod registry;
mod repro;
mod resolve;
mod scratch;
mod select;
mod session;
mod show;
mod slurm;
mod spawn;
mod table;
mod tune;
mod verify;
mod work;

use std::ffi::OsString;
use std::process::ExitCode;

use ambivox_settings::exit;

pub use registry::{OnAxis, Registry};

/// Does what the command line of this process asks for, with these kinds on the axes of an experiment.
///
/// # Errors
/// Exit code 2 for kinds that have one name, as for any wrong use.
pub fn main(registry: Registry) -> ExitCode {
    if let Err(fault) = registry.install() {
        called::complain(&fault);
        return ExitCode::from(exit::USAGE);
    }
    let arguments: Vec<OsString> = std::env::args_os().collect();
    match arguments.get(1).and_then(|first| first.to_str()) {
        Some(ambivox_stages::RUN) => ambivox_stages::main(&arguments[2..]),
        Some("predict") => ambivox_predict::main(called::INSTALLED, arguments.into_iter().skip(1)),
        _ => planned(arguments),
    }
}

fn planned(arguments: Vec<OsString>) -> ExitCode {
    match session::run(cli::parse(arguments)) {
        Ok(()) => ExitCode::from(exit::DONE),
        Err(error) => {
            called::complain(&failure::told(&error));
            ExitCode::from(failure::exit_code(&error))
        }
    }
}
