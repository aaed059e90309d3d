//! The descriptors against openSMILE's own output, frame by frame.
//!
//! The reference tables lie in the shared reference folder (`AMBIVOX_SHARED`); where it is missing
//! these tests say so and do nothing.

#![allow(clippy::print_stderr, reason = "a test that skips says so")]
#![allow(clippy::unwrap_used, reason = "a test that cannot read its reference has failed")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ambivox_lld::{Extractor, FeatureSet, Frames};
use polars::prelude::*;

/// Reference rows by file; every row has all columns.
type Table = BTreeMap<String, Vec<Vec<f32>>>;

fn shared() -> Option<PathBuf> {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let root = std::env::var_os("AMBIVOX_SHARED").map_or(default, PathBuf::from);
    let found = root.join("features/golden").is_dir();
    if !found {
        eprintln!("skipped: no reference tables in {} (set AMBIVOX_SHARED)", root.display());
    }
    found.then_some(root)
}

fn read_table(path: &Path, columns: &[String]) -> Table {
    let file = fs_err::File::open(path).unwrap();
    let frame = ParquetReader::new(file.into_parts().0).finish().unwrap();
    let files = frame.column("file").unwrap().str().unwrap().clone();
    let values: Vec<Vec<f32>> = columns
        .iter()
        .map(|name| frame.column(name).unwrap().f32().unwrap().into_no_null_iter().collect())
        .collect();
    let mut table = Table::new();
    for (row, file) in files.iter().map(Option::unwrap).enumerate() {
        let row = values.iter().map(|column| column[row]).collect();
        table.entry(file.to_owned()).or_default().push(row);
    }
    table
}

fn samples(root: &Path, file: &str) -> Vec<f32> {
    let signal = root.join("features/golden/signals").join(file);
    let speech = root.join("data/emodb/wav").join(file);
    let path = if signal.exists() { signal } else { speech };
    let mut reader = hound::WavReader::open(path).unwrap();
    reader.samples::<i16>().map(|s| f32::from(s.unwrap()) / 32768.0).collect()
}

/// How far a value may lie from its reference: absolute, or relative to the column's largest value
/// within the window of the delta (deltas of large values round at the size of those values).
fn tolerance(column: &str, neighbourhood: f32) -> f32 {
    let delta = column.ends_with("_de");
    if column.starts_with("mfcc") {
        if delta { 5e-4 } else { 2e-3 }
    } else if column.starts_with("voiceProb") {
        if delta { 1e-6 } else { 2e-6 }
    } else {
        1e-5 * neighbourhood
    }
}

#[derive(Clone, Default)]
struct Worst {
    error: f32,
    tolerance: f32,
    place: String,
}

struct Comparison {
    columns: Vec<String>,
    worst: Vec<Worst>,
    failed: bool,
    frames: usize,
}

impl Comparison {
    fn add(&mut self, file: &str, got: &Frames, expected: &[Vec<f32>]) {
        assert_eq!(got.len(), expected.len(), "rows of {file}");
        self.frames += got.len();
        for (t, (row, reference)) in got.rows().zip(expected).enumerate() {
            let voiced = |row: &[f32]| row[13] > 0.0;
            assert_eq!(voiced(row), voiced(reference), "voicing of {file}, frame {t}");
            for column in 0..row.len() {
                let near = neighbourhood(expected, t, column);
                self.value(file, t, column, row[column] - reference[column], near);
            }
        }
    }

    fn value(&mut self, file: &str, t: usize, column: usize, error: f32, neighbourhood: f32) {
        let tolerance = tolerance(&self.columns[column], neighbourhood);
        let error = error.abs();
        self.failed |= error.is_nan() || error > tolerance;
        let worst = &mut self.worst[column];
        if error.total_cmp(&worst.error).is_gt() {
            *worst = Worst { error, tolerance, place: format!("{file}, frame {t}") };
        }
    }

    fn report(&self) -> String {
        let lines = self.columns.iter().zip(&self.worst).map(|(name, w)| {
            format!("{name:>16}  {:.2e} (allowed {:.2e})  {}", w.error, w.tolerance, w.place)
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// Largest static value that goes into this value: itself, or the five of its delta.
fn neighbourhood(rows: &[Vec<f32>], t: usize, column: usize) -> f32 {
    let (base, reach) = if column >= 16 { (column - 16, 2) } else { (column, 0) };
    let window = t.saturating_sub(reach)..(t + reach + 1).min(rows.len());
    rows[window].iter().map(|row| row[base].abs()).fold(0.0, f32::max)
}

fn compare(root: &Path, set: &FeatureSet, table: &str) {
    let columns = set.columns();
    let reference = read_table(&root.join("features/golden").join(table), &columns);
    let mut extractor = Extractor::new(set).unwrap();
    let worst = vec![Worst::default(); columns.len()];
    let mut comparison = Comparison { columns, worst, failed: false, frames: 0 };
    for (file, expected) in &reference {
        comparison.add(file, &extractor.process(&samples(root, file)), expected);
    }
    eprintln!("{table}: {} frames\n{}", comparison.frames, comparison.report());
    assert!(comparison.frames > 10_000, "only {} frames in {table}", comparison.frames);
    assert!(!comparison.failed, "{table}:\n{}", comparison.report());
}

#[test]
fn ser32_agrees_with_opensmile_on_every_frame() {
    let Some(root) = shared() else { return };
    compare(&root, &FeatureSet::builtin("ser32").unwrap(), "ser32.parquet");
}

#[test]
fn ser32_sma3_agrees_with_opensmile_on_every_frame() {
    let Some(root) = shared() else { return };
    // This reference holds the loudness of the first sample of each frame.
    let mut set = FeatureSet::builtin("ser32-sma3").unwrap();
    set.loudness.samples = ambivox_lld::LoudnessSamples::First;
    compare(&root, &set, "ser32_sma3.parquet");
}

/// Share of voiced frames and median F0 of every fourth EmoDB file, by the speaker's sex; of frames
/// within 30 dB of the file's loudest only.
fn voicing_by_sex(root: &Path, set: &str) -> BTreeMap<&'static str, (f64, f32)> {
    const MALE: [&str; 5] = ["03", "10", "11", "12", "15"];
    let mut extractor = Extractor::new(&FeatureSet::builtin(set).unwrap()).unwrap();
    let mut pitches: BTreeMap<&str, Vec<f32>> = BTreeMap::new();
    for file in speech(root).iter().step_by(4) {
        let frames = extractor.process(&samples(root, file));
        let quietest = 1e-3f32.powf(0.3) * frames.column(12).fold(0.0, f32::max);
        let active = frames.rows().filter(|row| row[12] > quietest);
        let sex = if MALE.contains(&&file[..2]) { "male" } else { "female" };
        pitches.entry(sex).or_default().extend(active.map(|row| row[13]));
    }
    pitches.into_iter().map(|(sex, f0)| (sex, summary(f0))).collect()
}

fn speech(root: &Path) -> Vec<String> {
    let entries = fs_err::read_dir(root.join("data/emodb/wav")).unwrap();
    let mut files: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    files.sort();
    files
}

fn summary(mut f0: Vec<f32>) -> (f64, f32) {
    let frames = f0.len() as f64;
    f0.retain(|&f| f > 0.0);
    f0.sort_by(f32::total_cmp);
    (f0.len() as f64 / frames, f0[f0.len() / 2])
}

#[test]
fn long_frames_voice_the_share_of_speech_that_opensmile_does() {
    let Some(root) = shared() else { return };
    for (set, male, female) in [("ser32", 0.14, 0.41), ("ser32-prosody", 0.62, 0.74)] {
        let found = voicing_by_sex(&root, set);
        for (sex, share) in [("male", male), ("female", female)] {
            assert!((found[sex].0 - share).abs() < 0.02, "{set}, {sex}: {found:?}");
        }
    }
}
