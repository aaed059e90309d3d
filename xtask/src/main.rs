//! `cargo xtask`: plans a pipeline's stages, runs those that are stale, publishes what they made;
//! and the house rules.
//!
//! It links no numeric library: the stages do their work in a program of its own, which is built
//! when one of them has to run.

mod answer;
mod audit;
mod bench_plan;
mod binary;
mod bundle;
mod ci;
mod cli;
mod code;
mod commands;
mod comparable;
mod corpus;
mod events;
mod execute;
mod experiment;
mod failure;
mod gc;
mod graph;
mod hand_on;
mod host;
mod interrupt;
mod plan;
mod progress;
mod publish;
#[cfg(test)]
mod reference;
mod repro;
mod resolve;
mod scratch;
mod select;
mod session;
mod show;
mod slurm;
mod spawn;
mod table;
mod tidy;
mod toolchain;
mod tune;
mod verify;
mod vouch;
mod work;

use std::io::Write as _;
use std::process::ExitCode;

use ambivox_settings::{exit, printable};
use clap::Parser as _;

use cli::Cli;

fn main() -> ExitCode {
    let done = match hand_on::asked(std::env::args_os()) {
        Some(handed) => session::workspace_root().and_then(|root| hand_on::run(&root, &handed)),
        None => session::run(Cli::parse()).map(|()| exit::DONE),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            // Nothing is left to do where standard error is closed.
            writeln!(std::io::stderr(), "error: {}", printable(&failure::told(&error))).ok();
            ExitCode::from(failure::exit_code(&error))
        }
    }
}
