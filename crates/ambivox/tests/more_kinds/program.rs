//! The program at work on a small corpus: a cross-validation, one that is killed, its report, a bundle and what
//! it predicts.

use std::f32::consts::TAU;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use fs_err as fs;
use hound::{SampleFormat, WavSpec, WavWriter};
use tempfile::TempDir;

/// Set where the program is to do what its arguments say.
const ASKED: &str = "AMBIVOX_MORE_KINDS";

const PIPELINE: &str = r#"schema = 1
name = "tones"
title = "Tones, by kinds of one's own"

[corpus]
manifest = "tones-manifest.toml"
root = "corpus"
on_broken = "stop"

[frontend]
kind = "loudness"
floor = 1e-6

[pooling]
kind = "loudest"

[split]
kind = "halves"
classes = ["happiness", "sadness"]

[model]
kind = "centroids"
step = 0.5
pause_ms = 40

[training]
seeds = [0]
batch_size = 8
learning_rate = 0.01
gradient_clip = 0.0
max_epochs = 25
patience = 25

[methods.gently]
rule = "smoothed"
share = 0.1

[methods.smoothed]
share = 0.5
"#;

const MANIFEST: &str = r#"schema = 1
name = "tones"
title = "Tones"
synthetic = false
licence = "CC0-1.0"
source = "https://example.org"
citation = "none"
root_env = "TONES_ROOT"
adapter = "csv"
files = ["labels.csv", "*.wav"]

[labels]
happy = "happiness"
sad = "sadness"

[csv]
table = "labels.csv"
delimiter = ","

[csv.columns]
file = "file"
speaker = "speaker"
emotion = "emotion"
"#;

/// Whether this process is to be the program, or a stage that it runs, and not its test.
pub(crate) fn is_asked_for() -> bool {
    let stage = std::env::args().skip(1).take(2).eq([ambivox_stages::RUN, "--request"]);
    stage || std::env::var_os(ASKED).is_some()
}

struct House(TempDir);

impl House {
    /// High tones are happy, low ones sad.
    fn new() -> Self {
        let house = Self(TempDir::new().unwrap());
        fs::create_dir(house.path("corpus")).unwrap();
        let mut table = "file,speaker,emotion\n".to_owned();
        for (number, speaker) in ["anna", "bert", "carl", "dora"].iter().enumerate() {
            for (emotion, hz) in [("happy", 900.0), ("sad", 150.0)] {
                for take in 0..3 {
                    let file = format!("{speaker}-{emotion}-{take}.wav");
                    tone(&house.path("corpus").join(&file), hz + (17 * number + 5 * take) as f32);
                    table.extend([&file, ",", speaker, ",", emotion, "\n"]);
                }
            }
        }
        fs::write(house.path("corpus/labels.csv"), table).unwrap();
        fs::write(house.path("tones-manifest.toml"), MANIFEST).unwrap();
        fs::write(house.path("tones.toml"), PIPELINE).unwrap();
        house
    }

    fn path(&self, relative: &str) -> PathBuf {
        self.0.path().join(relative)
    }

    fn edit(&self, from: &str, to: &str) {
        let text = fs::read_to_string(self.path("tones.toml")).unwrap();
        assert_eq!(text.matches(from).count(), 1, "{from}");
        fs::write(self.path("tones.toml"), text.replace(from, to)).unwrap();
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(words).current_dir(self.0.path()).env(ASKED, "1").stdin(Stdio::null());
        command
    }

    fn on_pipeline(&self, words: &[&str]) -> Command {
        let mut command = self.command(words);
        command.args(["--pipeline", "tones.toml"]);
        command
    }

    fn run(&self, words: &[&str]) -> String {
        told(self.on_pipeline(words).output().unwrap(), 0)
    }

    /// Every outcome that a person reads or that later work depends on.
    fn outcome(&self) -> Vec<(String, Vec<u8>)> {
        let mut found = Vec::new();
        let mut open = vec![self.path(".ambivox/store/objects/train")];
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path.strip_prefix(self.0.path()).unwrap().display().to_string();
                if path.is_dir() {
                    open.push(path);
                } else {
                    found.push((name, fs::read(path).unwrap()));
                }
            }
        }
        found.push((
            "summary".to_owned(),
            fs::read(self.path("results/tones/summary.json")).unwrap(),
        ));
        found.sort();
        found
    }
}

/// What a command has said, which has to end with this code.
fn told(output: Output, code: i32) -> String {
    let text = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap()).concat();
    assert_eq!(output.status.code(), Some(code), "{text}");
    text
}

fn tone(file: &Path, hz: f32) {
    let spec = WavSpec {
        channels: 1,
        sample_rate: 16_000,
        bits_per_sample: 16,
        sample_format: SampleFormat::Int,
    };
    let mut writer = WavWriter::create(file, spec).unwrap();
    for n in 0..6000 {
        let phase = TAU * hz * n as f32 / 16_000.0;
        writer.write_sample((9000.0 * phase.sin()) as i16).unwrap();
    }
    writer.finalize().unwrap();
}

/// All of it.
pub(crate) fn test() {
    let house = House::new();
    kinds_of_ones_own_are_cross_validated(&house);
    a_killed_run_ends_with_the_same_bytes(&house);
    networks_are_bundled_and_asked(&house);
    settings_of_ones_own_are_checked(&house);
}

fn kinds_of_ones_own_are_cross_validated(house: &House) {
    let table = house.run(&["cv"]);
    assert!(table.contains("| gently ") && table.contains("| smoothed "), "{table}");
    let summary = fs::read_to_string(house.path("results/tones/summary.json")).unwrap();
    let summary: serde_json::Value = serde_json::from_str(&summary).unwrap();
    let seed = &summary["methods"]["gently"]["seeds"]["0"];
    assert!(seed["folds"].as_object().unwrap().keys().eq(["even", "odd"]), "{summary}");
    assert_eq!(
        (seed["pooled"]["n"].as_u64(), seed["pooled"]["ua"].as_f64()),
        (Some(24), Some(1.0))
    );
    house.run(&["report"]);
    let page = fs::read_to_string(house.path("results/tones/report.html")).unwrap();
    assert!(page.contains("gently") && page.contains("centroids"), "the report names both");
    assert!(house.run(&["cv"]).contains("nothing to do"));
}

fn a_killed_run_ends_with_the_same_bytes(undisturbed: &House) {
    let house = House::new();
    let mut run = house.on_pipeline(&["cv", "--jobs", "1"]).spawn().unwrap();
    let partial = house.path(".ambivox/store/partial");
    let begun = Instant::now();
    let trains = |folder: &Path| {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.into_iter().any(|entry| entry.file_name().to_string_lossy().contains("train"))
    };
    while !trains(&partial) {
        assert!(begun.elapsed() < Duration::from_mins(1), "no training began");
        sleep(Duration::from_millis(10));
    }
    sleep(Duration::from_millis(300));
    run.kill().unwrap();
    run.wait().unwrap();
    assert!(!house.path("results/tones/summary.json").exists(), "it was done before it was killed");
    house.run(&["cv"]);
    assert!(house.outcome() == undisturbed.outcome(), "the kill left a trace");
}

fn networks_are_bundled_and_asked(house: &House) {
    house.run(&["bundle", "--method", "gently", "networks"]);
    let ask = ["predict", "--model", "networks", "--json", "corpus/anna-happy-0.wav"];
    let answer = house.command(&ask).stderr(Stdio::inherit()).output().unwrap();
    let answer: serde_json::Value = serde_json::from_slice(&answer.stdout).unwrap();
    assert_eq!(answer["sounds"][0]["emotion"], "happiness", "{answer}");
}

fn settings_of_ones_own_are_checked(house: &House) {
    for (from, to, expected) in [
        ("floor = 1e-6", "flor = 1e-6", "[frontend]: unknown field `flor`"),
        ("kind = \"loudest\"", "kind = \"louder\"", "functionals, statistics, loudest, none"),
        ("kind = \"halves\"", "kind = \"thirds\"", "group-k-fold, fixed, halves"),
        ("step = 0.5", "step = 1.5", "model.step: from 0 to 1"),
        ("kind = \"centroids\"", "kind = \"centroid\"", "probabilities, centroids"),
        ("share = 0.1", "share = 1.0", "methods.gently: share is from 0 to below 1"),
        ("rule = \"smoothed\"", "rule = \"smooth\"", "sce, elr, smoothed"),
    ] {
        house.edit(from, to);
        let refused = told(house.on_pipeline(&["plan"]).output().unwrap(), 2);
        assert!(refused.contains(expected), "{to}: {refused}");
        house.edit(to, from);
    }
}
