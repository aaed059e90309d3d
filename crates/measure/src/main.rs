//! The binary `ambivox-measure`: measures what the other crates do and makes nothing that they use.
//!
//! `cargo xtask bench` builds it and hands its arguments on.

mod bench;
mod cli;
mod failure;
mod machine;
mod output;
mod sound;
mod statistics;

use std::process::ExitCode;

use ambivox_settings::exit;
use anyhow::Result;
use clap::Parser as _;

use cli::{Bench, Cli, Command};

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            output::complain(&error);
            ExitCode::from(failure::exit_code(&error))
        }
    }
}

fn run(command: Command) -> Result<u8> {
    match command {
        Command::Bench(Bench::Lld(args)) => bench::lld::run(&args).map(|()| exit::DONE),
        Command::Bench(Bench::Train(args)) => bench::train::run(&args).map(|()| exit::DONE),
        Command::BenchWorker => bench::train::serve().map(|()| exit::DONE),
    }
}
