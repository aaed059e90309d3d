//! The memory and the speed of training on more frames than memory holds.
//!
//! The corpora are generated rows of frames, without sound, in the form in which trainings read them. Each
//! measurement is a process of its own: it fits the scaling to all frames, and then trains the network of
//! the pipeline `iemocap` on so many mini-batches, drawn from all utterances, with the file's pages out of
//! memory at the start.

mod corpus;
mod worker;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};
use serde::Serialize;

use crate::machine;
use crate::output::print;
use worker::Measured;
pub(crate) use worker::{WorkerArgs, serve};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Hours of frames, one measurement each; an hour takes 46 MB of disk
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_value = "1,5")]
    hours: Vec<u32>,
    /// Mini-batches to train on
    #[arg(long, value_name = "N", default_value = "100")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    batches: u32,
    /// Folder for the generated files, which are removed at the end
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// All that was measured, as the JSON document has it.
#[derive(Debug, Serialize)]
struct Results {
    schema: u32,
    machine: String,
    batches: u32,
    trainings: Vec<Training>,
}

#[derive(Debug, Serialize)]
struct Training {
    hours: u32,
    #[serde(flatten)]
    measured: Measured,
}

/// Prints a line for every number of hours as soon as it is known, or all of it as JSON.
pub(crate) fn run(args: &Args) -> Result<()> {
    let say = |line: &str| if args.json { Ok(()) } else { print(line) };
    let folder = args.folder.clone().unwrap_or_else(std::env::temp_dir);
    let folder = tempfile::tempdir_in(folder)?;
    let machine = machine::describe();
    say(&format!("{machine}\n{} mini-batches of {}\n", args.batches, worker::BATCH))?;
    say(&heading())?;
    let mut trainings = Vec::new();
    for &hours in &args.hours {
        let file = folder.path().join(format!("{hours}.safetensors"));
        corpus::write(&file, hours)?;
        let measured = ask(&file, args.batches)?;
        fs_err::remove_file(&file)?;
        say(&line(hours, &measured))?;
        trainings.push(Training { hours, measured });
    }
    let results = Results { schema: 1, machine, batches: args.batches, trainings };
    if args.json { print(&serde_json::to_string_pretty(&results)?) } else { Ok(()) }
}

/// Has another process measure.
fn ask(file: &Path, batches: u32) -> Result<Measured> {
    let output = Command::new(std::env::current_exe()?)
        .arg("memory-worker")
        .arg(file)
        .arg(batches.to_string())
        .output()?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "a training failed: {errors}");
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn heading() -> String {
    let heads = ["hours", "utterances", "anonymous MB", "s to scale", "frames/s"];
    heads.map(|head| format!("{head:>13}")).concat()
}

fn line(hours: u32, measured: &Measured) -> String {
    let Measured { utterances, anonymous_mb, scaling_s, frames_per_s } = measured;
    let anonymous = anonymous_mb.map_or_else(|| "-".to_owned(), |mb| format!("{mb:.0}"));
    format!("{hours:>13}{utterances:>13}{anonymous:>13}{scaling_s:>13.1}{frames_per_s:>13.0}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_corpus_is_trained_on_in_this_process() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("rows");
        corpus::write(&file, 1).unwrap();
        let measured = worker::measure(&file, 1).unwrap();
        assert_eq!(measured.utterances, corpus::lengths(1).count());
        assert!(measured.frames_per_s > 0.0);
        let row = line(1, &measured);
        assert_eq!(row.chars().count(), heading().chars().count(), "{row}");
    }
}
