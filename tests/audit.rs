//! The ranking of labels, through the real command.

use crate::corpora::{SPEAKERS, tones, tones_of};
use crate::harness::{DONE, USAGE};

#[test]
fn a_label_that_is_wrong_on_purpose_comes_first() {
    let house = tones();
    house.edit(
        "corpus/labels.csv",
        "wav/carl-happy-1.wav,carl,happy",
        "wav/carl-happy-1.wav,carl,sad",
    );
    house.edit("pipelines/tiny.toml", "max_epochs = 2", "max_epochs = 30");
    house.edit("pipelines/tiny.toml", "patience = 2", "patience = 30");
    let ran = house.run(&["audit"]).ended(DONE);
    assert!(ran.stdout.lines().all(|line| line.chars().count() <= 80 || line.contains('/')));
    let csv = house.read("results/tiny/audit.csv");
    let rows: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(rows.len(), 1 + SPEAKERS.len() * 6);
    let column = |name: &str| rows[0].iter().position(|head| *head == name).unwrap();
    let first = |name: &str| rows[1][column(name)];
    assert!(first("utterance_id").contains("carl-happy-1"), "{csv}");
    assert_eq!((first("rank"), first("gold"), first("suggestion")), ("1", "sadness", "happiness"));
    assert!(house.path("results/tiny/audit.parquet").is_file());
    let page = house.read("results/tiny/audit.html");
    assert_eq!(page.matches("<tr data-entry=").count(), SPEAKERS.len() * 6);
    assert_eq!(page.matches("\"attention\":\"\"").count(), 0, "every sound is attended to");
    assert_eq!(page.matches("\"sound\":null").count(), 0, "24 are fewer than 50");
    let scores: Vec<f64> =
        rows[1..].iter().map(|row| row[column("score")].parse().unwrap()).collect();
    assert!(scores.is_sorted_by(|a, b| a >= b), "{scores:?}");

    // The same method's runs tell again without work; of other results the ranking does not stay.
    let again = house.run(&["audit", "--method", "lw"]).ended(DONE);
    assert!(again.stderr.contains("nothing to do"), "{}", again.stderr);
    assert_eq!(house.read("results/tiny/audit.csv"), csv);
    let fewer = house.run(&["audit", "--sounds", "3"]).ended(DONE);
    assert!(fewer.stderr.contains("1 made"), "{}", fewer.stderr);
    let page = house.read("results/tiny/audit.html");
    assert_eq!(page.matches("\"sound\":null").count(), SPEAKERS.len() * 6 - 3);
    house.edit("pipelines/tiny.toml", "label_rate = 0.2", "label_rate = 0.1");
    house.run(&["cv", "--method", "lw"]).ended(DONE).complained_of(&["audit.csv: removed"]);
    assert!(!house.path("results/tiny/audit.csv").exists());
}

/// Spreadsheets would compute it.
#[test]
fn no_cell_is_a_formula() {
    let house = tones_of(["=1+1", "@bert", "-carl", "dora"]);
    house.run(&["audit"]).ended(DONE);
    let csv = house.read("results/tiny/audit.csv");
    for speaker in ["'=1+1", "'@bert", "'-carl", "dora"] {
        assert_eq!(csv.matches(&format!(",{speaker},")).count(), 6, "{csv}");
    }
}

#[test]
fn one_method_tells() {
    let house = tones();
    house
        .run(&["audit", "--method", "lw", "--method", "baseline"])
        .ended(USAGE)
        .complained_of(&["name it with --method"]);
}
