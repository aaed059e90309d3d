//! The time that the descriptors take.

mod opensmile;

use std::hint::black_box;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Instant;

use ambivox_lld::{Extractor, FeatureSet, SAMPLE_RATE};
use anyhow::Result;
use serde::Serialize;

use crate::machine;
use crate::output::print;
use crate::sound::{files, generate, read};
use crate::statistics::Spread;
use opensmile::OpenSmile;

/// Length of the generated sound, in seconds.
const GENERATED_SECONDS: f64 = 60.0;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Audio files, and folders of .wav files [default: 60 s of a generated voice]
    paths: Vec<PathBuf>,
    /// How often to measure
    #[arg(long, value_name = "N", default_value = "7")]
    runs: NonZeroUsize,
    /// The Python whose package opensmile is timed too, if it has it
    #[arg(long, value_name = "FILE", default_value = "python3")]
    python: PathBuf,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// What openSMILE computes beside ours.
const SET_OF_OPENSMILE: &str = "ser32";

/// Sounds in memory.
struct Material {
    sounds: Vec<Vec<f32>>,
    /// Their length in all.
    seconds: f64,
}

/// All that was measured, as the JSON document has it.
#[derive(Debug, Serialize)]
struct Results {
    schema: u32,
    machine: String,
    files: usize,
    /// Length of the sound.
    seconds: f64,
    runs: usize,
    sets: Vec<Timing>,
    opensmile: Option<Beside>,
}

/// What a set took on one thread.
#[derive(Debug, Serialize)]
struct Timing {
    set: String,
    frames: usize,
    /// For all of the sound.
    seconds: Spread,
}

/// openSMILE on the same sound, in turns with ours.
#[derive(Debug, Serialize)]
struct Beside {
    version: String,
    timing: Timing,
    /// Its time over ours.
    ratio: Spread,
}

/// Prints the speed of every built-in set, and of openSMILE on the same sounds.
pub(crate) fn run(args: &Args) -> Result<()> {
    let results = measure(args)?;
    let text =
        if args.json { serde_json::to_string_pretty(&results)? } else { text(&results, args) };
    print(&text)
}

fn measure(args: &Args) -> Result<Results> {
    let sounds = sounds(&args.paths)?;
    let samples: usize = sounds.iter().map(Vec::len).sum();
    let material = Material { sounds, seconds: samples as f64 / f64::from(SAMPLE_RATE) };
    let mut sets = Vec::new();
    for name in FeatureSet::builtin_names().filter(|name| *name != SET_OF_OPENSMILE) {
        let set = FeatureSet::builtin(name)?;
        let times = (0..args.runs.get()).map(|_| material.time(&set));
        sets.push(material.timing(name, &times.collect::<Result<Vec<_>>>()?, &set)?);
    }
    let (ours, opensmile) = beside_opensmile(args, &material)?;
    sets.push(ours);
    let (files, seconds) = (material.sounds.len(), material.seconds);
    let (machine, runs) = (machine::describe(), args.runs.get());
    Ok(Results { schema: 1, machine, files, seconds, runs, sets, opensmile })
}

/// The set that both compute, in turns where openSMILE is there.
fn beside_opensmile(args: &Args, material: &Material) -> Result<(Timing, Option<Beside>)> {
    let set = FeatureSet::builtin(SET_OF_OPENSMILE)?;
    let mut opensmile = OpenSmile::start(&args.python, &material.sounds)?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..args.runs.get() {
        ours.push(material.time(&set)?);
        if let Some(opensmile) = &mut opensmile {
            theirs.push(opensmile.time()?);
        }
    }
    let timing = material.timing(SET_OF_OPENSMILE, &ours, &set)?;
    let Some(opensmile) = opensmile else { return Ok((timing, None)) };
    let ratios: Vec<f64> = theirs.iter().zip(&ours).map(|(theirs, ours)| theirs / ours).collect();
    let beside = Beside {
        version: opensmile.version.clone(),
        timing: material.timing("openSMILE", &theirs, &set)?,
        ratio: Spread::of(&ratios),
    };
    Ok((timing, Some(beside)))
}

fn text(results: &Results, args: &Args) -> String {
    let Results { machine, files, seconds, runs, sets, opensmile, .. } = results;
    let mut lines = vec![
        machine.clone(),
        format!("{files} files, {seconds:.1} s of sound in memory, one thread"),
        format!("median of {runs} runs, slowest to fastest\n"),
        format!("{:<16}{:>12}{:>12}{:>20}", "set", "x real time", "us/frame", "spread"),
    ];
    lines.extend(sets.iter().map(|timing| timing.line(*seconds)));
    if let Some(Beside { version, timing, ratio }) = opensmile {
        lines.extend([timing.line(*seconds), format!("\n{}", verdict(version, ratio))]);
    } else {
        let python = args.python.display();
        lines.push(format!("\n{python} has no package opensmile; --python names another"));
    }
    lines.join("\n")
}

fn verdict(version: &str, ratio: &Spread) -> String {
    let Spread { median, least, greatest } = *ratio;
    format!(
        "{SET_OF_OPENSMILE}: {median:.1} x the speed of openSMILE (Python package {version}), {least:.1} to \
         {greatest:.1} in turns"
    )
}

impl Timing {
    /// A row of the table, of sound of so many seconds.
    fn line(&self, sound: f64) -> String {
        let Self { set, frames, seconds } = self;
        let speed = |time: f64| format!("{:.0}", sound / time);
        let range = format!("{} to {}", speed(seconds.greatest), speed(seconds.least));
        let micros = 1e6 * seconds.median / (*frames).max(1) as f64;
        format!("{set:<16}{:>12}{micros:>12.2}{range:>20}", speed(seconds.median))
    }
}

fn sounds(paths: &[PathBuf]) -> Result<Vec<Vec<f32>>> {
    if paths.is_empty() {
        return Ok(vec![generate(GENERATED_SECONDS)]);
    }
    files(paths)?.iter().map(|file| read(file)).collect()
}

impl Material {
    /// Seconds that a set takes for all sounds.
    fn time(&self, set: &FeatureSet) -> Result<f64> {
        let mut extractor = Extractor::new(set)?;
        let started = Instant::now();
        for sound in &self.sounds {
            black_box(extractor.process(black_box(sound)));
        }
        Ok(started.elapsed().as_secs_f64())
    }

    fn frames(&self, set: &FeatureSet) -> Result<usize> {
        let mut extractor = Extractor::new(set)?;
        Ok(self.sounds.iter().map(|sound| extractor.process(sound).len()).sum())
    }

    fn timing(&self, name: &str, times: &[f64], set: &FeatureSet) -> Result<Timing> {
        let (set, frames) = (name.to_owned(), self.frames(set)?);
        Ok(Timing { set, frames, seconds: Spread::of(times) })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Cli {
        #[command(flatten)]
        args: Args,
    }

    #[test]
    fn a_line_has_the_median_speed_and_its_range() {
        let material = Material { sounds: vec![generate(1.0), generate(0.5)], seconds: 1.5 };
        let set = FeatureSet::builtin("ser32").unwrap();
        assert_eq!(material.frames(&set).unwrap(), 98 + 48);
        let timing = material.timing("ser32", &[0.003, 0.00146, 0.001], &set).unwrap();
        let text = timing.line(material.seconds);
        assert_eq!(text, "ser32                   1027       10.00         500 to 1500");
    }

    #[test]
    fn json_has_what_the_table_has() {
        let args = ["lld", "--json", "--runs", "1", "--python", "no-such-python"];
        let args = Cli::try_parse_from(args).unwrap().args;
        let results = measure(&args).unwrap();
        let json = serde_json::to_value(&results).unwrap();
        let table = text(&results, &args);
        for set in json["sets"].as_array().unwrap() {
            assert!(table.contains(set["set"].as_str().unwrap()), "{table}");
            assert!(set["seconds"]["median"].as_f64().unwrap() > 0.0);
        }
        assert_eq!(json["sets"].as_array().unwrap().len(), FeatureSet::builtin_names().count());
        assert!(json["opensmile"].is_null());
    }

    #[test]
    fn the_last_line_is_the_ratio() {
        let ratio = Spread { median: 25.0, least: 24.04, greatest: 26.0 };
        let text = verdict("2.6.0", &ratio);
        assert_eq!(
            text,
            "ser32: 25.0 x the speed of openSMILE (Python package 2.6.0), 24.0 to 26.0 in turns"
        );
    }
}
