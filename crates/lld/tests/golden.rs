//! The descriptors against openSMILE's own output, frame by frame.
//!
//! The reference tables lie in the shared reference folder (`AMBIVOX_SHARED`); where it is missing
//! these tests say so and do nothing.

#![allow(clippy::print_stderr, reason = "a test that skips says so")]
#![allow(clippy::unwrap_used, reason = "a test that cannot read its reference has failed")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ambivox_lld::{
    Agreement, Extractor, FeatureSet, Functionals, LoudnessSamples, LoudnessSettings,
};
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
        .map(|name| frame.column(name).unwrap().f32().unwrap().fill_null_with_values(f32::NAN))
        .map(|column| column.unwrap().into_no_null_iter().collect())
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

fn compare(root: &Path, set: &FeatureSet, reference: &Table) {
    let mut extractor = Extractor::new(set).unwrap();
    let mut agreement = Agreement::new(set);
    for (file, expected) in reference {
        let got = extractor.process(&samples(root, file));
        assert_eq!(got.len(), expected.len(), "rows of {file}");
        agreement.add(got.data(), &expected.concat());
    }
    let columns = agreement.columns();
    assert!(columns[0].frames > 10_000, "only {} frames", columns[0].frames);
    let files: Vec<&String> = reference.keys().collect();
    for column in columns {
        let file = files[column.worst.recording];
        assert!(column.holds(), "{}: {file}: {column:?}", set.name);
    }
}

fn golden(root: &Path, table: &str, columns: &[String]) -> Table {
    read_table(&root.join("features/golden").join(table), columns)
}

#[test]
fn ser32_agrees_with_opensmile_on_every_frame() {
    let Some(root) = shared() else { return };
    let set = FeatureSet::builtin("ser32").unwrap();
    compare(&root, &set, &golden(&root, "ser32.parquet", &set.columns()));
}

#[test]
fn ser32_sma3_agrees_with_opensmile_on_every_frame() {
    let Some(root) = shared() else { return };
    // This reference holds the loudness of the first sample of each frame.
    let mut set = FeatureSet::builtin("ser32-sma3").unwrap();
    set.loudness = Some(LoudnessSettings { samples: LoudnessSamples::First });
    compare(&root, &set, &golden(&root, "ser32_sma3.parquet", &set.columns()));
}

#[test]
fn is09_agrees_with_opensmile_on_every_frame() {
    let Some(root) = shared() else { return };
    let set = FeatureSet::builtin("is09").unwrap();
    let columns = set.columns();
    let (statics, deltas) = columns.split_at(16);
    let mut reference = golden(&root, "is09_lld.parquet", statics);
    let mut deltas = golden(&root, "is09_lld_de.parquet", deltas);
    // What is too short for a frame has one row without a number there.
    reference.retain(|_, rows| !rows[0][0].is_nan());
    for (file, rows) in &mut reference {
        // The deltas have two rows more, which stand beside no statics.
        let joined = rows.iter_mut().zip(deltas.remove(file).unwrap());
        joined.for_each(|(row, deltas)| row.extend(deltas));
    }
    compare(&root, &set, &reference);
}

/// Size of each static contour of `is09`, then of its delta: functionals near 0 are held to these.
fn contour_scales() -> Vec<f32> {
    let scales = |energy, mfcc, rest: [f32; 3]| [[energy].to_vec(), vec![mfcc; 12], rest.to_vec()];
    let statics = scales(0.02, 7.0, [0.14, 0.18, 90.0]);
    [statics, scales(0.006, 1.8, [0.037, 0.047, 25.0])].concat().concat()
}

/// Largest error allowed in each functional of a contour of that scale over `rows` frames. That of a
/// position is the difference between the values at the two positions, since extremes of a steady
/// contour differ by rounding alone; 1e-6 of the scale.
fn allowed(reference: &[f32], scale: f32, rows: f32) -> Vec<f32> {
    let deviation = reference[9];
    let only_rounding = deviation > 0.0 && deviation < 1e-3 * scale;
    let one = |(at, value): (usize, &f32)| match at {
        3 | 4 => 1e-6 * scale,
        6 => 1e-4 * value.abs().max(scale / rows),
        8 => 1e-4 * value.abs().max(scale * scale),
        10 | 11 if only_rounding => f32::INFINITY,
        10 => 1e-3,
        11 => 1e-3 * value.abs().max(1.0),
        _ => 1e-4 * value.abs().max(scale),
    };
    reference.iter().enumerate().map(one).collect()
}

#[test]
fn is09_functionals_agree_with_opensmile() {
    let Some(root) = shared() else { return };
    let set = FeatureSet::builtin("is09").unwrap();
    let functionals = Functionals::new(&set);
    let reference = golden(&root, "is09_func.parquet", functionals.columns());
    assert_eq!(reference.len(), 68);
    let mut extractor = Extractor::new(&set).unwrap();
    for (file, expected) in &reference {
        let frames = extractor.process(&samples(&root, file));
        let Some(got) = functionals.of(&frames) else {
            assert!(expected[0].iter().all(|value| value.is_nan()), "{file}");
            continue;
        };
        let rows = frames.len().saturating_sub(3).max(1) as f32;
        let contours = got.chunks(12).zip(expected[0].chunks(12)).zip(contour_scales());
        for (contour, ((got, expected), scale)) in contours.enumerate() {
            for (at, limit) in allowed(expected, scale, rows).into_iter().enumerate() {
                let name = &functionals.columns()[12 * contour + at];
                let error = match at {
                    3 | 4 => {
                        frames.row(got[at] as usize)[contour]
                            - frames.row(expected[at] as usize)[contour]
                    }
                    _ => got[at] - expected[at],
                };
                assert!(error.abs() <= limit, "{file}, {name}: {} {}", got[at], expected[at]);
            }
        }
    }
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
