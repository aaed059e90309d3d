//! `cargo xtask`: the front door of a checkout. It builds the program that a command is for and hands the
//! command on; its own are the chores: the rules of the workspace, fuzzing, what CI runs.

mod binary;
mod ci;
mod cli;
mod hand_on;
mod sources;
mod tidy;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use ambivox_settings::{exit, printable};
use anyhow::Result;
use clap::Parser as _;
use fs_err as fs;

use cli::{Cli, Command};

/// The program is used wrongly.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Usage(pub(crate) String);

fn main() -> ExitCode {
    match run() {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            // Nothing is left to do where standard error is closed.
            writeln!(std::io::stderr(), "error: {}", printable(&format!("{error:#}"))).ok();
            ExitCode::from(if error.is::<Usage>() { exit::USAGE } else { exit::FAILED })
        }
    }
}

fn run() -> Result<u8> {
    let root = workspace_root()?;
    if let Some(handed) = hand_on::asked(std::env::args_os(), &root) {
        return hand_on::run(&root, &handed);
    }
    match Cli::parse().command {
        Command::Tidy(own) => tidy::command(&root, &own),
        Command::Ci => ci::run(&root),
        Command::Fuzz(own) => ci::fuzz::run(&root, &own),
    }?;
    Ok(exit::DONE)
}

/// Above the manifest of this program: where Cargo says that it lies, else where it lay when it was
/// built.
fn workspace_root() -> Result<PathBuf> {
    let told =
        std::env::var_os("CARGO_MANIFEST_DIR").map(|folder| PathBuf::from(folder).join(".."));
    let told = told.filter(|root| root.join("xtask/Cargo.toml").is_file());
    let built = || Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    Ok(fs::canonicalize(told.unwrap_or_else(built))?)
}
