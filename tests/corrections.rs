//! A reviewer's corrections: audit, correct, train again.

use serde_json::Value;

use crate::corpora::tones;
use crate::harness::{DATA, DONE, House};

const FILE: &str = "pipelines/corrections.csv";
const HEAD: &str = "utterance_id,given,label,decision,comment\n";

/// The corpus of tones with one label that is wrong.
fn mislabelled() -> House {
    let house = tones();
    let row = "wav/carl-happy-1.wav,carl,";
    house.edit("corpus/labels.csv", &format!("{row}happy"), &format!("{row}sad"));
    house
}

fn correct(house: &House, rows: &str) {
    house.write(FILE, format!("{HEAD}{rows}"));
}

/// Labels tested of carl, by class: row sums of the confusion matrix.
fn tested(house: &House) -> Vec<u64> {
    let summary = house.json("results/tiny/summary.json");
    let fold = &summary["methods"]["lw"]["seeds"]["0"]["folds"]["carl"];
    let rows = fold["confusion"].as_array().unwrap().iter();
    let count = |row: &Value| row.as_array().unwrap().iter().filter_map(Value::as_u64).sum();
    rows.map(count).collect()
}

/// The label that `audit.csv` says was trained on.
fn audited(house: &House, utterance: &str) -> String {
    let csv = house.read("results/tiny/audit.csv");
    let mut rows = csv.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let head = rows.next().unwrap();
    let column = |name: &str| head.iter().position(|head| *head == name).unwrap();
    let row = rows.find(|row| row[column("utterance_id")] == utterance).unwrap();
    row[column("gold")].to_owned()
}

/// Stages that would run, less what follows `/`.
fn stale(house: &House) -> Vec<String> {
    let plan = house.run(&["plan", "--method", "lw", "--json"]).ended(DONE).document();
    let stages = plan["stages"].as_array().unwrap().iter();
    let due = stages.filter(|stage| stage["state"] != "fresh");
    let name = |slot: &str| slot.split('/').next().unwrap_or_default().to_owned();
    let mut due: Vec<String> = due.map(|stage| name(stage["slot"].as_str().unwrap())).collect();
    due.dedup();
    due
}

#[test]
fn audit_correct_and_train_again() {
    let house = mislabelled();
    house.run(&["cv", "--method", "lw"]).ended(DONE);
    house.run(&["audit"]).ended(DONE);
    assert_eq!(audited(&house, "wav/carl-happy-1"), "sadness");
    assert_eq!(tested(&house), [2, 4]);

    correct(
        &house,
        "wav/carl-happy-1,sadness,happiness,accept,\nwav/anna-sad-0,sadness,sadness,reject,\n",
    );
    house.edit(
        "pipelines/tiny.toml",
        "[network]",
        "[corrections]\nfile = \"corrections.csv\"\n\n[network]",
    );
    assert_eq!(stale(&house), ["correct", "train", "evaluate", "report"]);
    house.run(&["cv", "--method", "lw"]).ended(DONE);
    house.run(&["audit"]).ended(DONE);
    assert_eq!(audited(&house, "wav/carl-happy-1"), "happiness");
    assert_eq!(tested(&house), [2, 4], "those tested keep their labels");

    // What leaves the labels as they are trains nothing; what changes them trains again.
    let same = "wav/carl-happy-1,sadness,happiness,other,clearly\n";
    correct(&house, same);
    let again = house.run(&["cv", "--method", "lw"]).ended(DONE);
    assert!(again.stderr.contains("1 made"), "{}", again.stderr);
    house.edit("pipelines/tiny.toml", "corrections.csv\"", "corrections.csv\"\ntest = true");
    house.run(&["cv", "--method", "lw"]).ended(DONE);
    assert_eq!(tested(&house), [3, 3], "those tested too");
    correct(&house, &format!("{same}wav/anna-sad-0,sadness,happiness,other,\n"));
    assert_eq!(stale(&house), ["correct", "train", "evaluate", "report"]);
}

#[test]
fn corrections_that_do_not_fit_stop_before_any_training() {
    let house = mislabelled();
    house.edit(
        "pipelines/tiny.toml",
        "[network]",
        "[corrections]\nfile = \"corrections.csv\"\n\n[network]",
    );
    house
        .run(&["cv"])
        .ended(DATA)
        .complained_of(&["corrections.csv: there is no such file", "hint: "]);
    let right = "wav/carl-happy-1,sadness,happiness,accept,\n";
    let twice = format!("{right}{right}");
    for (rows, fault) in [
        ("nobody,sadness,happiness,accept,\n", ":2: there is no utterance \"nobody\""),
        ("wav/carl-happy-1,sadness,joy,other,\n", ":2: \"joy\" is no label here; there are"),
        ("wav/carl-happy-1,happiness,sadness,accept,\n", "and is \"sadness\" now"),
        (twice.as_str(), ":2 and "),
    ] {
        correct(&house, rows);
        let ran =
            house.run(&["cv"]).ended(DATA).complained_of(&["corrections.csv", fault, "hint: "]);
        assert!(!ran.stderr.contains("train"), "{}", ran.stderr);
    }
    correct(&house, right);
    house.run(&["cv", "--method", "lw", "--fold", "anna"]).ended(DONE);
}
