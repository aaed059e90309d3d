//! `cargo xtask`: plans a pipeline's stages, runs those that are stale, publishes what they made;
//! and the house rules.
//!
//! It links no numeric library: the stages do their work in a program of its own, which is built
//! when one of them has to run.

mod answer;
mod binary;
mod ci;
mod cli;
mod code;
mod commands;
mod corpus;
mod execute;
mod experiment;
mod failure;
mod graph;
mod plan;
mod progress;
mod publish;
mod resolve;
mod select;
mod session;
mod spawn;
mod table;
mod tidy;
mod toolchain;
mod vouch;
mod work;

use std::io::Write as _;
use std::process::ExitCode;

use ambivox_settings::exit;
use clap::Parser as _;

use cli::Cli;

fn main() -> ExitCode {
    match session::run(Cli::parse()) {
        Ok(()) => ExitCode::from(exit::DONE),
        Err(error) => {
            // Nothing is left to do where standard error is closed.
            writeln!(std::io::stderr(), "error: {error:#}").ok();
            ExitCode::from(failure::exit_code(&error))
        }
    }
}
