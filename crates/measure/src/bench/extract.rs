//! The time and memory that an extraction takes, from sound files to `features.parquet`.
//!
//! The corpus is generated: a few files that many utterances name, so that hundreds of hours fit
//! into a few megabytes of disk. What is timed is the extract stage but for reading its request. Each
//! measurement has a process of its own, whose peak memory the system tells.

mod corpus;
mod work;

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde::Serialize;

use crate::machine;
use crate::output::print;
pub(crate) use work::WorkerArgs;
use work::{Parts, Whole};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Hours of audio to extract, one measurement each
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_value = "1,10")]
    hours: Vec<u32>,
    /// Numbers of threads to do it with, at most 1024 each
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_value = "1,2")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=ambivox_settings::MOST_THREADS as i64))]
    threads: Vec<u32>,
    /// How often to measure; the fastest counts
    #[arg(long, value_name = "N", default_value = "1")]
    runs: u32,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// All that was measured, as the JSON document has it.
#[derive(Debug, Serialize)]
struct Results {
    schema: u32,
    machine: String,
    set: &'static str,
    corpus: String,
    extractions: Vec<Extraction>,
    /// Where the time of one thread goes, for the fewest hours.
    one_thread: Profile,
}

/// The fastest run of an extraction.
#[derive(Debug, Serialize)]
struct Extraction {
    hours: u32,
    threads: u32,
    #[serde(flatten)]
    whole: Whole,
}

#[derive(Debug, Serialize)]
struct Profile {
    hours: u32,
    seconds: f64,
    parts: Parts,
}

/// Prints a line for every number of hours and threads as soon as it is known, then where the time
/// goes; or all of it as JSON.
pub(crate) fn run(args: &Args) -> Result<()> {
    let say = |line: &str| if args.json { Ok(()) } else { print(line) };
    let results = measure(args, &say)?;
    if args.json { print(&serde_json::to_string_pretty(&results)?) } else { Ok(()) }
}

fn measure(args: &Args, say: &dyn Fn(&str) -> Result<()>) -> Result<Results> {
    let folder = tempfile::tempdir()?;
    corpus::create(folder.path())?;
    let machine = machine::describe();
    say(&machine)?;
    say(&format!("{}; {}\n", work::SET, corpus::describe()))?;
    say(&heading())?;
    let mut extractions = Vec::new();
    for &hours in &args.hours {
        corpus::write(folder.path(), hours)?;
        let mut first = None;
        for &threads in &args.threads {
            let whole = fastest(args.runs, || ask(folder.path(), hours, threads))?;
            let first = *first.get_or_insert(whole.seconds);
            say(&line(hours, threads, &whole, first))?;
            extractions.push(Extraction { hours, threads, whole });
        }
    }
    let hours = args.hours.iter().copied().min().unwrap_or(1);
    let whole = fastest(args.runs, || ask(folder.path(), hours, 1))?;
    let parts = work::parts(folder.path(), hours, whole.written_mb)?;
    say(&profile(&whole, &parts))?;
    let one_thread = Profile { hours, seconds: whole.seconds, parts };
    let corpus = corpus::describe();
    Ok(Results { schema: 1, machine, set: work::SET, corpus, extractions, one_thread })
}

fn fastest(runs: u32, measure: impl Fn() -> Result<Whole>) -> Result<Whole> {
    let measured = (0..runs).map(|_| measure()).collect::<Result<Vec<_>>>()?;
    let fastest = measured.into_iter().min_by(|a, b| a.seconds.total_cmp(&b.seconds));
    fastest.context("nothing was measured; --runs is at least 1")
}

/// Has another process measure.
fn ask(folder: &Path, hours: u32, threads: u32) -> Result<Whole> {
    let output = Command::new(std::env::current_exe()?)
        .arg("extract-worker")
        .arg(folder)
        .args([hours.to_string(), threads.to_string()])
        .output()?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "an extraction failed: {errors}");
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn heading() -> String {
    let heads = ["hours", "threads", "seconds", "x realtime", "speed-up", "peak MB", "MB written"];
    heads.map(|head| format!("{head:>11}")).concat()
}

fn line(hours: u32, threads: u32, whole: &Whole, first: f64) -> String {
    let Whole { seconds, peak_mb, written_mb } = whole;
    let speed = f64::from(hours) * 3600.0 / seconds;
    let peak = peak_mb.map_or_else(|| "unknown".to_owned(), |peak| format!("{peak:.0}"));
    format!(
        "{hours:>11}{threads:>11}{seconds:>11.2}{speed:>11.0}{:>11.2}{peak:>11}{written_mb:>11.1}",
        first / seconds
    )
}

/// What of the time of one thread is which part's. What neither decodes nor describes turns rows to
/// columns, encodes and compresses, all of which threads do side by side, and appends to the file,
/// which they do in turn.
fn profile(whole: &Whole, parts: &Parts) -> String {
    let share = |seconds: f64| format!("{:.0} %", 100.0 * seconds / whole.seconds);
    let rest = (whole.seconds - parts.decoding - parts.describing).max(0.0);
    format!(
        "\nof one thread's {:.2} s: decoding {}, descriptors {}, writing {}; of this {} in turn",
        whole.seconds,
        share(parts.decoding),
        share(parts.describing),
        share(rest),
        share(parts.appending)
    )
}

/// Measures as this process's arguments say, and prints what it found.
pub(crate) fn serve(args: &WorkerArgs) -> Result<()> {
    print(&serde_json::to_string(&work::whole(args)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_speed_and_speed_up() {
        let whole = Whole { seconds: 1.8, peak_mb: Some(99.6), written_mb: 40.04 };
        assert_eq!(
            line(1, 2, &whole, 3.42),
            "          1          2       1.80       2000       1.90        100       40.0"
        );
        let unknown = Whole { peak_mb: None, ..whole };
        assert!(line(1, 2, &unknown, 3.42).contains(" unknown "));
    }

    #[test]
    fn json_has_an_extraction_in_one_object() {
        let whole = Whole { seconds: 1.8, peak_mb: None, written_mb: 40.0 };
        let json = serde_json::to_value(Extraction { hours: 1, threads: 2, whole }).unwrap();
        let expected = serde_json::json!({
            "hours": 1, "threads": 2, "seconds": 1.8, "peak_mb": null, "written_mb": 40.0
        });
        assert_eq!(json, expected);
    }

    #[test]
    fn the_rest_of_the_time_is_writing() {
        let whole = Whole { seconds: 2.0, peak_mb: None, written_mb: 1.0 };
        let text = profile(&whole, &Parts { decoding: 0.5, describing: 1.0, appending: 0.1 });
        let shares = "decoding 25 %, descriptors 50 %, writing 25 %; of this 5 % in turn";
        assert!(text.ends_with(shares), "{text}");
    }

    #[test]
    fn an_hour_of_a_generated_corpus_is_an_hour() {
        let seconds: f64 = corpus::utterances(1).iter().filter_map(|u| u.duration_s).sum();
        assert!((3600.0..3610.0).contains(&seconds), "{seconds}");
    }

    #[test]
    fn the_files_of_the_corpus_are_there_and_as_long_as_it_says() {
        let folder = tempfile::tempdir().unwrap();
        corpus::create(folder.path()).unwrap();
        for utterance in &corpus::utterances(1)[..70] {
            let file = folder.path().join(&utterance.path);
            let whole = ambivox_audio::probe(&file).unwrap().duration_s;
            let cut = utterance.start_s.unwrap() + utterance.duration_s.unwrap();
            assert!((whole - cut).abs() < 1e-3, "{}: {whole} {cut}", utterance.path);
        }
    }
}
