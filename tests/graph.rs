//! One graph for every command: what one has made, another neither takes for garbage nor sets beside
//! what it cannot be compared with.

use fs_err as fs;

use crate::corpora::{SPEAKERS, tones};
use crate::corrections::page_data;
use crate::harness::{DONE, House, USAGE};

const SPACE: &str = "schema = 1\nsearch = \"grid\"\n\n[settings]\n\
    \"training.learning_rate\" = [0.02, 0.03]\n";

/// Folds of each method in the published rates.
fn folds(house: &House, method: &str) -> Vec<String> {
    let summary = house.json("results/tiny/summary.json");
    let folds = &summary["methods"][method]["seeds"]["0"]["folds"];
    folds.as_object().map_or_else(Vec::new, |folds| folds.keys().cloned().collect())
}

/// Speakers of the published ranking.
fn audited(house: &House) -> Vec<String> {
    let data = page_data(house);
    let entries = data["entries"].as_array().unwrap().iter();
    let speaker = |id: &str| id.split(['/', '-']).nth(1).unwrap().to_owned();
    let mut speakers: Vec<String> =
        entries.map(|entry| speaker(entry["id"].as_str().unwrap())).collect();
    speakers.sort();
    speakers.dedup();
    speakers
}

#[test]
fn what_audit_and_tune_made_last_is_no_garbage() {
    let house = tones();
    house.write("space.toml", SPACE);
    let space = house.path("space.toml");
    let tune = ["tune", "--space", space.to_str().unwrap(), "--method", "lw", "--fold", "anna"];
    house.run(&["audit", "--method", "lw"]).ended(DONE);
    house.run(&tune).ended(DONE);
    let garbage = || {
        let gc = house.run(&["gc", "--keep-days", "0", "--json"]).ended(DONE).document();
        gc["results"].as_array().unwrap().len()
    };
    assert_eq!(garbage(), 0);
    house.run(&["audit", "--method", "lw"]).ended(DONE).complained_of(&["nothing to do"]);
    house.run(&tune).ended(DONE).complained_of(&["nothing to do"]);
    // What they had made before is.
    house.run(&["audit", "--method", "lw", "--sounds", "2"]).ended(DONE);
    assert_eq!(garbage(), 1);
}

#[test]
fn rates_are_compared_over_common_folds() {
    let house = tones();
    house.run(&["cv", "--method", "baseline"]).ended(DONE);
    assert_eq!(folds(&house, "baseline"), SPEAKERS);
    let ran = house.run(&["report", "--method", "lw", "--fold", "anna", "--json"]).ended(DONE);
    assert_eq!([folds(&house, "baseline"), folds(&house, "lw")], [["anna"], ["anna"]]);
    let warning = ran.document()["warnings"][0].as_str().unwrap().to_owned();
    assert!(warning.contains("have tested: anna. Trained too"), "{warning}");
    assert!(warning.contains("train/baseline/0/bert"), "{warning}");
    let events = house.path("results/tiny/tensorboard/baseline/seed-0");
    assert_eq!(fs::read_dir(events).unwrap().count(), SPEAKERS.len(), "TensorBoard has all");
    // A fold of another method that is there by chance takes none away.
    let text = house.run(&["cv", "--method", "baseline"]).ended(DONE).text();
    assert_eq!(folds(&house, "baseline"), SPEAKERS);
    assert_eq!(folds(&house, "lw"), [""; 0]);
    assert!(text.contains("not in the table: train/lw/0/anna."), "{text}");
    house.run(&["cv", "--method", "lw"]).ended(DONE);
    assert_eq!([folds(&house, "baseline"), folds(&house, "lw")], [SPEAKERS; 2]);
}

#[test]
fn an_audit_of_one_fold_is_never_empty() {
    let house = tones();
    let one = ["audit", "--method", "lw", "--fold", "anna"];
    // Nobody else's run has learned anything of anna's labels.
    house.run(&one).ended(USAGE).complained_of(&["no label was both learned", "--fold out"]);
    house.run(&["audit", "--method", "lw"]).ended(DONE);
    assert_eq!(audited(&house), SPEAKERS);
    house.run(&one).ended(DONE);
    assert_eq!(audited(&house), ["anna"]);
}
