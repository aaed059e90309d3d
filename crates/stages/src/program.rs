//! The command that works one stage's request, as a process of its own.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use ambivox_settings::{causes, exit, printable};
use clap::Parser;

use crate::{Reporter, StageError, read_request, run};

/// Work one stage of an Ambivox pipeline.
#[derive(Parser)]
#[command(name = "ambivox run", no_binary_name = true)]
struct Cli {
    /// The request: stage, parameters, inputs, output folder and threads, as JSON.
    #[arg(long)]
    request: PathBuf,
    /// End when standard input does, as it does at the latest when the caller dies.
    #[arg(long)]
    with_caller: bool,
}

/// The command that [`main`] does.
pub const RUN: &str = "run";

/// Works the stage that a request describes. Progress and warnings come as JSON lines on standard output,
/// an error on standard error.
pub fn main(arguments: &[OsString]) -> ExitCode {
    let Cli { request, with_caller } = Cli::parse_from(arguments);
    if with_caller {
        std::thread::spawn(end_with_caller);
    }
    match work(&request) {
        Ok(()) => ExitCode::from(exit::DONE),
        Err(error) => {
            complain(&error);
            ExitCode::from(error.exit_code())
        }
    }
}

fn work(request: &std::path::Path) -> Result<(), StageError> {
    let request = read_request(request)?;
    // The global pool, since candle's matrix products use that one.
    rayon::ThreadPoolBuilder::new()
        .num_threads(request.threads)
        .build_global()
        .map_err(|error| StageError::Request(format!("threads = {}: {error}", request.threads)))?;
    let reporter = Reporter::new(Box::new(std::io::stdout()));
    run(&request, &reporter)?;
    reporter.memory();
    Ok(())
}

/// Waits for the end of standard input, then ends the process: nobody would take its outputs.
fn end_with_caller() {
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).ok();
    std::process::exit(i32::from(exit::FAILED));
}

/// Prints the error and what caused it, less what its own text says already.
#[expect(clippy::print_stderr, reason = "errors of a stage go to standard error")]
fn complain(error: &StageError) {
    eprintln!("error: {}", printable(&causes(error).join("\ncaused by: ")));
}
