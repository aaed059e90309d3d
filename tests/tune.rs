//! Settings searched by validation loss.

use serde_json::Value;

use crate::corpora::tones;
use crate::harness::{DONE, House, USAGE};

/// The second rate is the pipeline's own.
const SPACE: &str = r#"schema = 1
search = "grid"

[settings]
"methods.lw.label_rate" = [0.1, 0.2]
"training.learning_rate" = [0.01, 0.03]
"#;

/// Tunes `lw` on the fold that anna tests.
fn tune(house: &House, space: &str) -> Value {
    house.write("space.toml", space);
    let space = house.path("space.toml");
    let flags = ["tune", "--space", space.to_str().unwrap(), "--fold", "anna", "--json"];
    house.run(&flags).ended(DONE).document()
}

#[test]
fn trials_are_ranked_and_cached_and_shared_with_the_pipelines_own_runs() {
    let house = tones();
    house.run(&["cv", "--method", "lw", "--fold", "anna"]).ended(DONE);
    let first = tune(&house, SPACE);
    // Index, extract, map, split, and the trial with the pipeline's own settings were there.
    assert_eq!(first["stages"], serde_json::json!({ "fresh": 5, "made": 3 }));
    let trials = first["methods"][0]["trials"].as_array().unwrap();
    let losses: Vec<f64> =
        trials.iter().map(|trial| trial["validation_loss"].as_f64().unwrap()).collect();
    assert_eq!(losses.len(), 4);
    assert!(losses.is_sorted() && losses[0] < losses[3], "{losses:?}");
    assert_eq!(first["methods"][0]["method"], "lw");

    let again = tune(&house, SPACE);
    assert_eq!(again["stages"], serde_json::json!({ "fresh": 8, "made": 0 }));
    assert_eq!(again["methods"], first["methods"]);
    // The pipeline's own results are as they were.
    assert!(
        house.run(&["cv", "--fold", "anna", "--method", "lw"]).text().contains("nothing to do")
    );
}

#[test]
fn the_settings_printed_can_be_pasted() {
    let house = tones();
    house.write("space.toml", SPACE);
    let space = house.path("space.toml");
    let ran =
        house.run(&["tune", "--space", space.to_str().unwrap(), "--fold", "bert"]).ended(DONE);
    assert!(ran.stdout.lines().all(|line| line.chars().count() <= 80), "{}", ran.stdout);
    for section in ["[methods.lw]\nlabel_rate = 0.", "[training]\nlearning_rate = 0.0"] {
        assert!(ran.stdout.contains(section), "no {section:?} in\n{}", ran.stdout);
    }
}

/// The labels of the test speaker change every figure of the test, and not one of the search.
#[test]
fn nothing_of_the_test_speaker_decides() {
    let (house, other) = (tones(), tones());
    let table = other.read("corpus/labels.csv");
    let swapped = table.replace(",anna,happy", ",anna,SAD").replace(",anna,sad", ",anna,happy");
    other.write("corpus/labels.csv", swapped.replace(",anna,SAD", ",anna,sad"));
    let found = [&house, &other].map(|house| tune(house, SPACE)["methods"].clone());
    assert_eq!(found[0], found[1]);
    assert!(!house.path("store/objects/evaluate").exists(), "a search needs no evaluation");

    let accuracy = [house, other].map(|house| {
        house.run(&["cv", "--method", "lw", "--fold", "anna"]).ended(DONE);
        let summary = house.json("results/tiny/summary.json");
        summary["methods"]["lw"]["seeds"]["0"]["folds"]["anna"]["wa"].as_f64().unwrap()
    });
    assert_eq!(accuracy[0] + accuracy[1], 1.0, "what was right is wrong with the labels swapped");
}

#[test]
fn a_space_that_does_not_fit_is_refused_before_anything_runs() {
    let house = tones();
    let refused = |from: &str, to: &str| {
        assert!(SPACE.contains(from));
        house.write("space.toml", SPACE.replace(from, to));
        let space = house.path("space.toml");
        house.run(&["tune", "--space", space.to_str().unwrap()]).ended(USAGE)
    };
    refused("learning_rate", "learning_rat")
        .complained_of(&["space.toml", "training.learning_rat"]);
    refused("0.03", "true").complained_of(&["space.toml", "training.learning_rate", "float"]);
    refused("[0.1, 0.2]", "[]").complained_of(&["space.toml", "methods.lw.label_rate"]);
    refused("methods.lw", "methods.l").complained_of(&["space.toml", "[methods.l]", "hint"]);
    assert!(!house.path("store/objects").exists(), "something ran");
}
