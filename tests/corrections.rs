//! A reviewer's corrections: audit, correct, train again.

use fs_err as fs;
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
        "[model]",
        "[corrections]\nfile = \"corrections.csv\"\n\n[model]",
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

/// The document in the page of suspects.
pub(crate) fn page_data(house: &House) -> Value {
    let page = house.read("results/tiny/audit.html");
    let (_, rest) = page.split_once("id=\"audit-data\">").unwrap();
    serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
}

#[test]
fn the_page_carries_on_what_was_decided_before() {
    let house = mislabelled();
    correct(
        &house,
        "wav/carl-happy-1,sadness,happiness,accept,\"hm, happy\"\n\
         wav/anna-sad-0,sadness,sadness,reject,listened\n",
    );
    house.edit(
        "pipelines/tiny.toml",
        "[model]",
        "[corrections]\nfile = \"corrections.csv\"\n\n[model]",
    );
    house.run(&["audit"]).ended(DONE);
    let data = page_data(&house);
    let entries = data["entries"].as_array().unwrap();
    let of = |id: &str| entries.iter().find(|entry| entry["id"] == id).unwrap();
    let corrected = of("wav/carl-happy-1");
    assert_eq!(
        (&corrected["label"], &corrected["original"]),
        (&"happiness".into(), &"sadness".into())
    );
    assert_eq!(corrected["earlier"]["comment"], "hm, happy");
    assert_eq!(of("wav/anna-sad-0")["earlier"]["decision"], "reject");
    assert!(of("wav/anna-sad-1")["earlier"].is_null());
    assert_eq!(data["others"].as_array().unwrap().len(), 0);

    // The page of some folds has their speakers alone, and the file saved the decisions on others too.
    let folds = ["--fold", "anna", "--fold", "bert", "--fold", "dora"];
    house.run(&[&["audit"], &folds[..]].concat()).ended(DONE);
    let data = page_data(&house);
    let ids: Vec<&str> =
        data["entries"].as_array().unwrap().iter().filter_map(|e| e["id"].as_str()).collect();
    assert!(!ids.is_empty() && !ids.iter().any(|id| id.contains("carl")), "{ids:?}");
    assert_eq!(data["others"][0]["id"], "wav/carl-happy-1");
    assert_eq!(data["others"][0]["comment"], "hm, happy");

    house.run(&["report", "--method", "lw", "--fold", "anna"]).ended(DONE);
    let report = house.read("results/tiny/report.html");
    assert!(report.contains("1 label corrected."), "in the head");
    assert!(report.contains("<code>corrections.csv</code> changes 1 label and keeps 1"));
    assert!(report.contains("of 24 utterances that are included"));
}

#[test]
fn corrections_of_the_table_are_carried_on_and_told_too() {
    let house = mislabelled();
    house.write(
        "corpus/reviewed.csv",
        format!("{HEAD}wav/carl-happy-1,sadness,happiness,accept,sure\n"),
    );
    let manifest = "data-manifests/tiny.toml";
    house.edit(manifest, "\"labels.csv\", ", "\"labels.csv\", \"reviewed.csv\", ");
    house.edit(manifest, "delimiter = ", "corrections = \"reviewed.csv\"\ndelimiter = ");
    house.run(&["audit"]).ended(DONE);
    let data = page_data(&house);
    let entries = data["entries"].as_array().unwrap();
    let entry = entries.iter().find(|entry| entry["id"] == "wav/carl-happy-1").unwrap();
    assert_eq!((&entry["label"], &entry["original"]), (&"happiness".into(), &"sadness".into()));
    assert_eq!(entry["earlier"]["comment"], "sure");
    assert!(
        house.read("results/tiny/audit.html").contains("<code>reviewed.csv</code> in the corpus")
    );
    house.run(&["report", "--method", "lw", "--fold", "anna"]).ended(DONE);
    let report = house.read("results/tiny/report.html");
    assert!(report.contains("<code>reviewed.csv</code> changes 1 label and keeps 0"), "{report}");

    // Beside a file of the pipeline's, which meets the labels that the table's has corrected.
    correct(&house, "wav/anna-sad-0,sadness,sadness,reject,listened\n");
    let corrections = "[corrections]\nfile = \"corrections.csv\"\n\n[model]";
    house.edit("pipelines/tiny.toml", "[model]", corrections);
    house.run(&["audit"]).ended(DONE);
    let data = page_data(&house);
    let earlier = |id: &str| {
        let mut entries = data["entries"].as_array().unwrap().iter();
        let earlier = &entries.find(|entry| entry["id"] == id).unwrap()["earlier"];
        let cells =
            ["id", "given", "label", "decision", "comment"].map(|key| earlier[key].as_str());
        cells.map(Option::unwrap).join(",") + "\n"
    };
    let both = [earlier("wav/carl-happy-1"), earlier("wav/anna-sad-0")].concat();
    assert!(both.starts_with("wav/carl-happy-1,happiness,happiness,reject,sure\n"), "{both}");
    correct(&house, &both);
    house.run(&["cv", "--method", "lw", "--fold", "anna"]).ended(DONE);

    fs::remove_file(house.path("corpus/reviewed.csv")).unwrap();
    let missing = ["reviewed.csv: there is no such file", "csv.corrections of the manifest"];
    house.run(&["index"]).ended(DATA).complained_of(&missing);
    fs::remove_file(house.path("corpus/labels.csv")).unwrap();
    let missing = ["labels.csv: there is no such file", "csv.table of the manifest", "TINY_ROOT"];
    house.run(&["index"]).ended(DATA).complained_of(&missing);
}

#[test]
fn corrections_that_do_not_fit_stop_before_any_training() {
    let house = mislabelled();
    house.edit(
        "pipelines/tiny.toml",
        "[model]",
        "[corrections]\nfile = \"corrections.csv\"\n\n[model]",
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

/// The reviewer has seen the labels that were exchanged.
#[test]
fn what_was_exchanged_is_corrected() {
    let house = tones();
    let noise = "[label_noise]\nrates = [0.34]\nkind = \"symmetric\"\nseed = 1\n\n[model]";
    house.edit("pipelines/tiny.toml", "[model]", noise);
    house.run(&["audit"]).ended(DONE);
    let id = "wav/carl-happy-1";
    let given = audited(&house, id);
    let label = if given == "happiness" { "sadness" } else { "happiness" };
    correct(&house, &format!("{id},{given},{label},other,\n"));
    house.edit(
        "pipelines/tiny.toml",
        "[model]",
        "[corrections]\nfile = \"corrections.csv\"\n\n[model]",
    );
    house.run(&["cv", "--method", "lw"]).ended(DONE);
    house.run(&["audit"]).ended(DONE);
    assert_eq!(audited(&house, id), label);
}
