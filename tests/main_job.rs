//! The main job: from audio on disk to a cross-validated table and a report.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fs_err as fs;
use serde_json::Value;

use crate::corpora::{SPEAKERS, synthetic, tones};
use crate::harness::{DONE, House};

fn summary(house: &House) -> Value {
    house.json("results/tiny/summary.json")
}

/// Rates are fractions of 1 that agree with the confusion matrix they come from.
fn check_fold(fold: &Value, utterances: u64) {
    assert_eq!(fold["n"], utterances);
    let rows = fold["confusion"].as_array().unwrap();
    let cell = |row: usize, column: usize| rows[row][column].as_u64().unwrap();
    let all: u64 = (0..rows.len()).flat_map(|r| (0..rows.len()).map(move |c| cell(r, c))).sum();
    let right: u64 = (0..rows.len()).map(|class| cell(class, class)).sum();
    assert_eq!(all, utterances);
    let accuracy = fold["wa"].as_f64().unwrap();
    assert!((accuracy - right as f64 / all as f64).abs() < 1e-12, "{fold}");
    assert!(fold["epochs"].as_u64() >= fold["best_epoch"].as_u64(), "{fold}");
}

/// TensorBoard knows a file by its name and by what its first event says.
fn check_events(house: &House, run: &str) {
    let file = format!("results/tiny/tensorboard/{run}/events.out.tfevents.0.ambivox");
    let bytes = fs::read(house.path(&file)).unwrap();
    let has = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    for text in ["brain.Event:2", "loss/validation", "validation/UA", "confusion/test"] {
        assert!(has(text), "{file} lacks {text}");
    }
    assert_eq!(has("mean weight/happiness"), run.starts_with("lw"), "{file}");
}

#[test]
fn a_folder_of_audio_becomes_a_cross_validated_table() {
    let house = tones();
    let ran = house.run(&["cv", "--quiet"]).ended(DONE);
    assert!(ran.stdout.contains("baseline") && ran.stdout.contains("lw"), "{}", ran.stdout);
    assert_eq!(ran.stderr, "", "nothing went wrong, and --quiet was asked for");

    let summary = summary(&house);
    assert_eq!(summary["schema"], 3);
    assert_eq!(summary["pipeline"], "tiny");
    assert_eq!(summary["classes"], serde_json::json!(["happiness", "sadness"]));
    for method in ["baseline", "lw"] {
        let seed = &summary["methods"][method]["seeds"]["0"];
        let folds = seed["folds"].as_object().unwrap();
        assert_eq!(folds.keys().collect::<Vec<_>>(), SPEAKERS);
        folds.values().for_each(|fold| check_fold(fold, 6));
        assert!(seed["mean"]["ua"].is_number() && seed["pooled"]["wa"].is_number(), "{seed}");
        for fold in SPEAKERS {
            check_events(&house, &format!("{method}/seed-0/{fold}"));
        }
    }

    house.run(&["report"]).ended(DONE);
    let report = house.read("results/tiny/report.html");
    assert!(report.contains("<svg") && report.contains("anna"));
    assert!(!report.to_lowercase().contains("synthetic"), "real audio is called synthetic");
}

/// The synthetic corpus goes the same way, with two runs at a time, and says what it is.
#[test]
fn the_synthetic_corpus_goes_the_same_way_and_is_called_synthetic() {
    let house = synthetic();
    house.run(&["cv", "--jobs", "2"]).ended(DONE);
    let summary = summary(&house);
    assert_eq!(summary["synthetic"], true);
    let folds = summary["methods"]["lw"]["seeds"]["0"]["folds"].as_object().unwrap();
    assert_eq!(folds.len(), 10);
    assert!(folds.contains_key("Ses01F") && folds.contains_key("Ses05M"));
    house.run(&["report"]).ended(DONE);
    assert!(house.read("results/tiny/report.html").to_lowercase().contains("synthetic"));
    assert!(house.path("results/tiny/labels.parquet").is_file());
}

/// Every output of every run, by key and name.
fn outputs_of_runs(house: &House) -> BTreeMap<PathBuf, Vec<u8>> {
    let runs = house.path("store/objects/train");
    let inside = |folder: &Path| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let outputs = inside(&runs).flat_map(|run| inside(&run));
    let content = |file: PathBuf| {
        let bytes = fs::read(&file).unwrap();
        (file.strip_prefix(&runs).unwrap().to_owned(), bytes)
    };
    outputs.map(content).collect()
}

#[test]
fn neither_threads_nor_jobs_change_a_bit_of_any_run() {
    let (one, many) = (tones(), tones());
    one.run(&["cv", "--threads", "1"]).ended(DONE);
    many.run(&["cv", "--threads", "6", "--jobs", "2"]).ended(DONE);
    let outputs = outputs_of_runs(&one);
    assert_eq!(outputs.len(), 2 * SPEAKERS.len() * 5, "{:?}", outputs.keys());
    assert!(outputs == outputs_of_runs(&many), "the outputs differ");
}

#[test]
fn folds_and_methods_can_be_named() {
    let house = tones();
    house.run(&["cv", "--fold", "bert", "--method", "lw", "--seed", "0"]).ended(DONE);
    let methods = summary(&house)["methods"].clone();
    assert_eq!(methods.as_object().unwrap().keys().collect::<Vec<_>>(), ["lw"]);
    let folds = methods["lw"]["seeds"]["0"]["folds"].as_object().unwrap().clone();
    assert_eq!(folds.keys().collect::<Vec<_>>(), ["bert"]);
}

/// Standard output is one JSON document; it names files that exist.
#[test]
fn json_is_one_document_that_names_what_was_made() {
    let house = tones();
    for (command, role) in [("index", "index"), ("extract", "features")] {
        let document = house.run(&[command, "--json"]).ended(DONE).document();
        let made = document["outputs"][role].as_str().unwrap();
        assert!(std::path::Path::new(made).is_file(), "{document}");
    }
    house.run(&["plan", "--json"]).ended(DONE).document();
    house.run(&["cv", "--json"]).ended(DONE).document();
}
