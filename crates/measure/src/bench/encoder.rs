//! The time and the memory from samples to all hidden states of an encoder, beside PyTorch and transformers.
//!
//! The models have the sizes of published ones and random weights, which transformers makes. A model has a
//! process of its own on each side; both are asked by turns, so that what disturbs the machine disturbs both.

mod ours;

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::available_parallelism;

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

use super::worker::{Worker, torch_version};
use crate::machine;
use crate::output::print;
use crate::statistics::Spread;
pub(crate) use ours::serve;

/// PyTorch's side.
const TORCH: &str = include_str!("encoder/torch.py");
/// This project's side, as a command of its own.
const OURS: &str = "encoder-worker";

/// A model's folder, and seconds of the recordings that it encodes. Whisper pads all to 30 s.
const CASES: [(&str, &[f64]); 4] = [
    ("whisper-tiny", &[4.0]),
    ("whisper-base", &[4.0]),
    ("wav2vec2-base", &[4.0, 10.0]),
    ("wavlm-base", &[4.0, 10.0]),
];

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The Python whose PyTorch and transformers make the models and are measured too
    #[arg(long, value_name = "FILE", default_value = "python3")]
    python: PathBuf,
    /// How often to measure
    #[arg(long, value_name = "N", default_value = "5")]
    runs: NonZeroUsize,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// What a worker is asked: to encode a recording of so many seconds by the model of a folder.
#[derive(Debug, Serialize, Deserialize)]
struct Job {
    folder: PathBuf,
    seconds: f64,
}

/// How it went.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Answer {
    /// Wall time.
    seconds: f64,
    /// Most memory that the process has had, in kB, where the system tells.
    peak: Option<u64>,
}

/// All that was measured, as the JSON document has it.
#[derive(Debug, Serialize)]
struct Results {
    schema: u32,
    machine: String,
    torch: String,
    runs: usize,
    encodings: Vec<Encoding>,
}

/// A recording, encoded on both sides.
#[derive(Debug, Serialize)]
struct Encoding {
    model: &'static str,
    seconds: f64,
    threads: usize,
    ours: Side,
    theirs: Side,
}

#[derive(Debug, Serialize)]
struct Side {
    seconds: Spread,
    peak_kb: Option<u64>,
}

impl Side {
    fn of(answers: &[Answer]) -> Self {
        let seconds: Vec<f64> = answers.iter().map(|answer| answer.seconds).collect();
        let peak_kb = answers.iter().filter_map(|answer| answer.peak).max();
        Self { seconds: Spread::of(&seconds), peak_kb }
    }
}

/// Prints a line for every model, length and number of threads as soon as it is known, or all as JSON.
pub(crate) fn run(args: &Args) -> Result<()> {
    let say = |line: &str| if args.json { Ok(()) } else { print(line) };
    let Some(torch) = torch_version(&args.python) else {
        let python = args.python.display();
        anyhow::bail!(
            "{python} has no PyTorch\nhint: it makes the models: pip install torch transformers, \
             and name that Python with --python"
        );
    };
    let (machine, runs) = (machine::describe(), args.runs.get());
    say(&format!("{machine}\nPyTorch {torch}; medians of {runs} alternating runs\n"))?;
    say(&heading())?;
    let folder = tempfile::tempdir()?;
    make(&args.python, folder.path())?;
    let most = available_parallelism().map_or(1, NonZeroUsize::get);
    let mut encodings = Vec::new();
    for threads in BTreeSet::from([1, most.min(2)]) {
        for (model, lengths) in CASES {
            for &seconds in lengths {
                let job = Job { folder: folder.path().join(model), seconds };
                let [ours, theirs] = alternate(&args.python, &job, threads, runs)?;
                let encoding = Encoding { model, seconds, threads, ours, theirs };
                say(&line(&encoding))?;
                encodings.push(encoding);
            }
        }
    }
    let results = Results { schema: 1, machine, torch, runs, encodings };
    if args.json { print(&serde_json::to_string_pretty(&results)?) } else { Ok(()) }
}

/// Has transformers write the models.
fn make(python: &Path, folder: &Path) -> Result<()> {
    let output = Command::new(python).args(["-c", TORCH, "make"]).arg(folder).output()?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "transformers made no models: {errors}");
    Ok(())
}

/// Both sides of a job, asked by turns.
fn alternate(python: &Path, job: &Job, threads: usize, runs: usize) -> Result<[Side; 2]> {
    let mut workers = [Worker::ours(OURS, threads)?, Worker::torch(python, TORCH, threads)?];
    let mut answers = [Vec::new(), Vec::new()];
    for _ in 0..runs {
        for (worker, answers) in workers.iter_mut().zip(&mut answers) {
            answers.push(worker.ask::<_, Answer>(job)?);
        }
    }
    Ok(answers.map(|answers| Side::of(&answers)))
}

fn heading() -> String {
    format!(
        "{:<16}{:>6}{:>5}{:>10}{:>10}{:>7}{:>10}{:>10}",
        "model", "s", "thr", "ours s", "torch s", "ratio", "ours MB", "torch MB"
    )
}

fn line(encoding: &Encoding) -> String {
    let Encoding { model, seconds, threads, ours, theirs } = encoding;
    let [own, other] = [ours, theirs].map(|side| side.seconds.median);
    let [own_mb, other_mb] = [ours, theirs].map(|side| {
        let kilobytes = side.peak_kb.map(|kilobytes| kilobytes as f64 * 1024.0 / 1e6);
        kilobytes.map_or_else(|| "-".to_owned(), |mb| format!("{mb:.0}"))
    });
    let ratio = other / own;
    format!(
        "{model:<16}{seconds:>6}{threads:>5}{own:>10.3}{other:>10.3}{ratio:>7.2}{own_mb:>10}\
         {other_mb:>10}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_python_without_torch_is_told_what_to_install() {
        let runs = NonZeroUsize::MIN;
        let args = Args { python: PathBuf::from("/nowhere/python"), runs, json: false };
        let text = run(&args).unwrap_err().to_string();
        assert!(text.contains("pip install torch transformers"), "{text}");
    }

    #[test]
    fn lines_fit_their_heading() {
        let side = |seconds| Side::of(&[Answer { seconds, peak: Some(500_000) }]);
        let (ours, theirs) = (side(0.5), side(1.0));
        let encoding = Encoding { model: "wav2vec2-base", seconds: 10.0, threads: 2, ours, theirs };
        let text = line(&encoding);
        assert_eq!(text.chars().count(), heading().chars().count(), "{text}");
        assert!(text.chars().count() <= 80 && text.contains("   2.00 "), "{text}");
    }
}
