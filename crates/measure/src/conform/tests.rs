//! Comparisons with references made here, right and wrong.

use fs_err as fs;
use hound::{SampleFormat, WavSpec, WavWriter};
use polars::prelude::{Column, DataFrame, ParquetWriter};
use tempfile::TempDir;

use super::*;
use crate::failure::exit_code;
use crate::sound::generate;

/// Two sounds, one of them too short for a frame, and a reference of their descriptors.
struct Bench {
    folder: TempDir,
}

impl Bench {
    /// `edit` changes the reference's columns.
    fn new(edit: impl FnOnce(&mut Vec<Column>)) -> Self {
        let bench = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir(bench.path("wavs")).unwrap();
        bench.wav("voice.wav", &generate(1.0));
        bench.wav("short.wav", &[0.0; 399]);
        let mut columns = bench.columns();
        edit(&mut columns);
        let mut rows = DataFrame::new_infer_height(columns).unwrap();
        let file = fs::File::create(bench.path("reference.parquet")).unwrap();
        ParquetWriter::new(file).finish(&mut rows).unwrap();
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn wav(&self, name: &str, samples: &[f32]) {
        let spec = WavSpec {
            channels: 1,
            sample_rate: 16_000,
            bits_per_sample: 32,
            sample_format: SampleFormat::Float,
        };
        let mut writer = WavWriter::create(self.path("wavs").join(name), spec).unwrap();
        for &sample in samples {
            writer.write_sample(sample).unwrap();
        }
        writer.finalize().unwrap();
    }

    fn columns(&self) -> Vec<Column> {
        let set = FeatureSet::builtin("ser32").unwrap();
        let samples = read(&self.path("wavs/voice.wav")).unwrap();
        let frames = Extractor::new(&set).unwrap().process(&samples);
        let names = Column::new("file".into(), vec!["voice.wav"; frames.len()]);
        let values = (0..frames.width()).map(|at| {
            let values: Vec<f32> = frames.column(at).collect();
            Column::new(frames.columns()[at].as_str().into(), values)
        });
        std::iter::once(names).chain(values).collect()
    }

    fn args(&self) -> Args {
        Args {
            reference: self.path("reference.parquet"),
            set: "ser32".to_owned(),
            json: false,
            paths: vec![self.path("wavs")],
        }
    }
}

/// Adds to one value.
fn plant(columns: &mut [Column], name: &str, frame: usize, change: f32) {
    let column = columns.iter_mut().find(|column| column.name() == name).unwrap();
    let mut values: Vec<f32> = column.f32().unwrap().into_no_null_iter().collect();
    values[frame] += change;
    *column = Column::new(name.into(), values);
}

#[test]
fn a_true_reference_conforms() {
    let bench = Bench::new(|_| {});
    let (text, conforms) = run(&bench.args()).unwrap();
    assert!(conforms);
    assert!(text.ends_with("\nconforms: 32 columns, 98 frames of 1 files"), "{text}");
}

#[test]
fn a_planted_error_falls_short_and_is_shown_with_its_place() {
    let bench = Bench::new(|columns| {
        plant(columns, "mfcc3", 40, 0.01);
        plant(columns, "F0", 0, 100.0);
    });
    bench.wav("unknown.wav", &[0.0; 800]);
    let (text, conforms) = run(&bench.args()).unwrap();
    assert!(!conforms);
    assert!(text.lines().all(|line| line.len() <= 80), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn json_says_the_same() {
    let bench = Bench::new(|columns| plant(columns, "mfcc3", 40, 0.01));
    let (text, conforms) = run(&Args { json: true, ..bench.args() }).unwrap();
    assert!(!conforms);
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["conforms"], false);
    assert_eq!(document["columns"][2]["within"], 97);
    assert_eq!(document["columns"][2]["worst"]["frame"], 40);
}

#[test]
fn files_of_the_reference_that_were_not_given_are_named() {
    let bench = Bench::new(|columns| {
        let mut names = vec!["voice.wav"; 98];
        names.extend(["other.wav"; 2]);
        let longer = |column: &Column| column.extend_constant(0.0f32.into(), 2).unwrap();
        *columns = columns[1..].iter().map(longer).collect();
        columns.push(Column::new("file".into(), names));
    });
    let (text, conforms) = run(&bench.args()).unwrap();
    assert!(conforms && text.contains("not given (1):\n  other.wav"), "{text}");
}

#[test]
fn a_column_that_is_missing_is_named() {
    let bench = Bench::new(|columns| columns.truncate(30));
    let error = run(&bench.args()).unwrap_err();
    assert_eq!(exit_code(&error), 3);
    assert!(error.to_string().contains("no column F0_de, voiceProb_de, zcr_de"), "{error}");
}

#[test]
fn another_number_of_frames_is_an_error() {
    let bench = Bench::new(|columns| {
        *columns = columns.iter().map(|column| column.slice(0, 90)).collect();
    });
    let error = run(&bench.args()).unwrap_err();
    assert_eq!(exit_code(&error), 3);
    assert!(
        error.to_string().contains("voice.wav: 98 frames here, 90 in the reference"),
        "{error}"
    );
}

#[test]
fn nothing_in_common_is_an_error() {
    let bench = Bench::new(|_| {});
    let paths = vec![bench.path("wavs/short.wav")];
    assert_eq!(exit_code(&run(&Args { paths, ..bench.args() }).unwrap_err()), 3);
}

#[test]
fn wrong_use_is_told_apart() {
    let bench = Bench::new(|_| {});
    let twice = vec![bench.path("wavs"), bench.path("wavs/voice.wav")];
    for args in [
        Args { reference: bench.path("none.parquet"), ..bench.args() },
        Args { set: "none".to_owned(), ..bench.args() },
        Args { set: "none.toml".to_owned(), ..bench.args() },
        Args { paths: vec![bench.path("none")], ..bench.args() },
        Args { paths: twice, ..bench.args() },
    ] {
        let error = run(&args).unwrap_err();
        assert_eq!(exit_code(&error), 2, "{error}");
    }
}
