//! The binary `ambivox-measure`: measures what the other crates do and makes nothing that they use.
//!
//! `cargo xtask conform` and `cargo xtask bench` build it and hand their arguments on.

mod bench;
mod cli;
mod conform;
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
        Command::Conform(args) => {
            let (text, conforms) = conform::run(&args)?;
            output::print(&text)?;
            Ok(if conforms { exit::DONE } else { exit::FAILED })
        }
        Command::Bench(Bench::Lld(args)) => bench::lld::run(&args).map(|()| exit::DONE),
        Command::Bench(Bench::Train(args)) => bench::train::run(&args).map(|()| exit::DONE),
        Command::Bench(Bench::Extract(args)) => bench::extract::run(&args).map(|()| exit::DONE),
        Command::Bench(Bench::Encoder(args)) => bench::encoder::run(&args).map(|()| exit::DONE),
        Command::EncoderWorker => bench::encoder::serve().map(|()| exit::DONE),
        Command::Bench(Bench::Memory(args)) => bench::memory::run(&args).map(|()| exit::DONE),
        Command::MemoryWorker(args) => bench::memory::serve(&args).map(|()| exit::DONE),
        Command::ExtractWorker(args) => bench::extract::serve(&args).map(|()| exit::DONE),
        Command::BenchWorker => bench::train::serve().map(|()| exit::DONE),
    }
}
