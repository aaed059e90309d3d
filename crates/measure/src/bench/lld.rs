//! The time that the descriptors take.

mod opensmile;

use std::hint::black_box;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Instant;

use ambivox_lld::{Extractor, FeatureSet, SAMPLE_RATE};
use anyhow::Result;

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
}

/// What openSMILE computes beside ours.
const SET_OF_OPENSMILE: &str = "ser32";

/// Sounds in memory.
struct Material {
    sounds: Vec<Vec<f32>>,
    /// Their length in all.
    seconds: f64,
}

/// Prints the speed of every built-in set, and of openSMILE on the same sounds.
pub(crate) fn run(args: &Args) -> Result<()> {
    let sounds = sounds(&args.paths)?;
    let samples: usize = sounds.iter().map(Vec::len).sum();
    let material = Material { sounds, seconds: samples as f64 / f64::from(SAMPLE_RATE) };
    print(&machine::describe())?;
    let (files, seconds) = (material.sounds.len(), material.seconds);
    print(&format!("{files} files, {seconds:.1} s of sound in memory, one thread"))?;
    print(&format!("median of {} runs, slowest to fastest\n", args.runs))?;
    print(&format!("{:<16}{:>12}{:>12}{:>20}", "set", "x real time", "us/frame", "spread"))?;
    for name in FeatureSet::builtin_names().filter(|name| *name != SET_OF_OPENSMILE) {
        let set = FeatureSet::builtin(name)?;
        let times =
            (0..args.runs.get()).map(|_| material.time(&set)).collect::<Result<Vec<_>>>()?;
        print(&material.line(name, &Spread::of(&times), &set)?)?;
    }
    beside_opensmile(args, &material)
}

/// The set that both compute, in turns where openSMILE is there.
fn beside_opensmile(args: &Args, material: &Material) -> Result<()> {
    let set = FeatureSet::builtin(SET_OF_OPENSMILE)?;
    let mut opensmile = OpenSmile::start(&args.python, &material.sounds)?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..args.runs.get() {
        ours.push(material.time(&set)?);
        if let Some(opensmile) = &mut opensmile {
            theirs.push(opensmile.time()?);
        }
    }
    print(&material.line(SET_OF_OPENSMILE, &Spread::of(&ours), &set)?)?;
    let Some(opensmile) = opensmile else {
        let python = args.python.display();
        return print(&format!("\n{python} has no package opensmile; --python names another"));
    };
    print(&material.line("openSMILE", &Spread::of(&theirs), &set)?)?;
    let ratios: Vec<f64> = theirs.iter().zip(&ours).map(|(theirs, ours)| theirs / ours).collect();
    print(&format!("\n{}", verdict(&opensmile.version, &Spread::of(&ratios))))
}

fn verdict(version: &str, ratio: &Spread) -> String {
    let Spread { median, least, greatest } = *ratio;
    format!(
        "{SET_OF_OPENSMILE}: {median:.1} x the speed of openSMILE (Python package {version}), {least:.1} to \
         {greatest:.1} in turns"
    )
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

    fn line(&self, name: &str, times: &Spread, set: &FeatureSet) -> Result<String> {
        let speed = |time: f64| format!("{:.0}", self.seconds / time);
        let range = format!("{} to {}", speed(times.greatest), speed(times.least));
        let micros = 1e6 * times.median / self.frames(set)?.max(1) as f64;
        Ok(format!("{name:<16}{:>12}{micros:>12.2}{range:>20}", speed(times.median)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_median_speed_and_its_range() {
        let material = Material { sounds: vec![generate(1.0), generate(0.5)], seconds: 1.5 };
        let set = FeatureSet::builtin("ser32").unwrap();
        assert_eq!(material.frames(&set).unwrap(), 98 + 48);
        let times = Spread { median: 0.00146, least: 0.001, greatest: 0.003 };
        let text = material.line("ser32", &times, &set).unwrap();
        assert_eq!(text, "ser32                   1027       10.00         500 to 1500");
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
