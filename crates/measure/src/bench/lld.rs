//! The time that the descriptors take.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Instant;

use ambivox_lld::{Extractor, FeatureSet, SAMPLE_RATE};
use anyhow::Result;

use crate::machine;
use crate::output::print;
use crate::sound::{files, generate, read};
use crate::statistics::Spread;

/// Length of the generated sound, in seconds.
const GENERATED_SECONDS: f64 = 60.0;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Audio files, and folders of .wav files [default: 60 s of a generated voice]
    paths: Vec<PathBuf>,
    /// How often to measure
    #[arg(long, value_name = "N", default_value = "7")]
    runs: NonZeroUsize,
}

/// Prints the speed of every built-in set.
pub(crate) fn run(args: &Args) -> Result<()> {
    let sounds = sounds(&args.paths)?;
    let samples: usize = sounds.iter().map(Vec::len).sum();
    let seconds = samples as f64 / f64::from(SAMPLE_RATE);
    print(&machine::describe())?;
    print(&format!("{} files, {seconds:.1} s of sound, one thread", sounds.len()))?;
    print(&format!("{:<14}{:>12}{:>12}{:>20}", "set", "x real time", "us/frame", "least to most"))?;
    for name in FeatureSet::builtin_names() {
        let mut frames = 0;
        let mut times = Vec::new();
        for _ in 0..args.runs.get() {
            let time;
            (time, frames) = timed(&FeatureSet::builtin(name)?, &sounds)?;
            times.push(time);
        }
        print(&line(name, &Spread::of(&times), frames, seconds))?;
    }
    Ok(())
}

fn sounds(paths: &[PathBuf]) -> Result<Vec<Vec<f32>>> {
    if paths.is_empty() {
        return Ok(vec![generate(GENERATED_SECONDS)]);
    }
    files(paths)?.iter().map(|file| read(file)).collect()
}

/// Seconds that all sounds take, and the number of their frames.
fn timed(set: &FeatureSet, sounds: &[Vec<f32>]) -> Result<(f64, usize)> {
    let mut extractor = Extractor::new(set)?;
    let started = Instant::now();
    let frames = sounds.iter().map(|sound| extractor.process(sound).len()).sum();
    Ok((started.elapsed().as_secs_f64(), frames))
}

fn line(name: &str, times: &Spread, frames: usize, seconds: f64) -> String {
    let range = format!("{:.0} to {:.0}", seconds / times.greatest, seconds / times.least);
    let micros = 1e6 * times.median / frames.max(1) as f64;
    format!("{name:<14}{:>12.0}{micros:>12.2}{range:>20}", seconds / times.median)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_median_speed_and_its_range() {
        let times = Spread { median: 0.02, least: 0.01, greatest: 0.04 };
        let text = line("ser32", &times, 1000, 10.0);
        assert_eq!(text, "ser32                  500       20.00         250 to 1000");
    }

    #[test]
    fn every_frame_is_timed() {
        let set = FeatureSet::builtin("ser32").unwrap();
        assert_eq!(timed(&set, &[generate(1.0), generate(0.5)]).unwrap().1, 98 + 48);
    }
}
