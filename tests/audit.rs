//! The ranking of labels, through the real command.

use std::fmt::Write as _;

use crate::corpora::{SPEAKERS, tones, tones_of};
use crate::harness::{DATA, DONE, USAGE};

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

/// Two who hear what is there and one who always says the same; the labels are what most of them say.
#[test]
fn annotators_are_set_beside_each_other_and_the_models() {
    let house = tones();
    let labels = house.read("corpus/labels.csv");
    let mut ratings = "file,who,heard\n".to_owned();
    for row in labels.lines().skip(1) {
        let [file, _, heard] = row.split(',').collect::<Vec<_>>()[..] else { panic!("{row}") };
        writeln!(ratings, "{file},E1,{heard}\n{file},E2,{heard}\n{file},=E3,happy").unwrap();
    }
    house.write("corpus/ratings.csv", ratings);
    house.edit("data-manifests/tiny.toml", "\"wav/*.wav\"", "\"ratings.csv\", \"wav/*.wav\"");
    house.edit("data-manifests/tiny.toml", "emotion = \"emotion\"\n", "");
    let named = "delimiter = \",\"\nratings = { table = \"ratings.csv\", utterance = \"file\", \
        annotator = \"who\", label = \"heard\" }\n";
    house.edit("data-manifests/tiny.toml", "delimiter = \",\"\n", named);

    let index = house.run(&["index"]).ended(DONE).stdout;
    assert!(index.contains("3 annotators, 72 ratings of 24 utterances"), "{index}");
    assert!(index.contains("| anna        6           3         3 |"), "{index}");
    let audited = house.run(&["audit"]).ended(DONE).stdout;
    assert!(audited.lines().all(|line| line.chars().count() <= 80 || line.contains('/')));
    let consensus = house.read("results/tiny/consensus.csv");
    assert_eq!(consensus.lines().count(), 1 + 24);
    for row in consensus.lines().skip(1) {
        let cells: Vec<&str> = row.split(',').collect();
        assert!(
            cells[1] == cells[5] && cells[1] == cells[7],
            "label, Dawid-Skene, CROWDLAB: {row}"
        );
    }
    let annotators = house.read("results/tiny/annotators.csv");
    let worst = annotators.lines().nth(1).unwrap();
    assert!(worst.starts_with("'=E3,24,0.5000,") && worst.contains(",0.5000,"), "{annotators}");
    house.run(&["report"]).ended(DONE);
    assert!(house.read("results/tiny/report.html").contains("3 annotators gave 72 ratings"));
    let pipeline = house.read("pipelines/tiny.toml");
    let weighed =
        "[methods.weighed]\nrule = \"soft-target\"\nsmoothing = 0.0\nvotes = \"dawid-skene\"\n";
    house.write("pipelines/tiny.toml", format!("{pipeline}\n{weighed}"));
    let weighed = ["cv", "--method", "weighed"];
    house.run(&weighed).ended(DONE);
    house.edit("pipelines/tiny.toml", "dawid-skene", "counted");
    let counted = house.run(&weighed).ended(DONE);
    assert!(counted.stderr.contains("train/weighed/0/anna: done"), "{}", counted.stderr);
    house.edit("pipelines/tiny.toml", "counted", "dawid-skene");

    // Of a corpus that does not tell who rated there are none, and old ones do not stay.
    house.run(&["audit"]).ended(DONE);
    assert!(house.path("results/tiny/consensus.csv").exists());
    house.edit("data-manifests/tiny.toml", named, "delimiter = \",\"\n");
    house.edit("data-manifests/tiny.toml", "speaker\"\n", "speaker\"\nemotion = \"emotion\"\n");
    house.run(&weighed).ended(DATA).complained_of(&["weighs annotators", "csv.ratings"]);
    let audited = house.run(&["audit"]).ended(DONE).complained_of(&["annotators.csv: removed"]);
    assert!(!audited.stdout.contains("lowest quality"), "{}", audited.stdout);
    assert!(!house.path("results/tiny/consensus.csv").exists());
}

/// Labels may be audited by folds of their own, which mix speakers, while speakers are tested whole.
#[test]
fn the_audit_may_have_folds_of_its_own() {
    let house = tones();
    house.run(&["cv", "--method", "lw"]).ended(DONE);
    let split = |folds: u8| {
        format!(
            "[audit.split]\nkind = \"group-k-fold\"\ngroup = \"utterance\"\nfolds = {folds}\nseed = 1\n\n[model]"
        )
    };
    house.edit("pipelines/tiny.toml", "[model]", &split(1));
    let refused = house.run(&["plan"]).ended(USAGE);
    refused.complained_of(&["[audit.split]: folds: at least 3"]);
    house.edit("pipelines/tiny.toml", "folds = 1", "folds = 4");
    let audited = house.run(&["audit"]).ended(DONE);
    assert!(audited.stderr.contains("train/lw/0/1"), "{}", audited.stderr);
    assert!(audited.stdout.contains("did not train on this"), "{}", audited.stdout);
    let page = house.read("results/tiny/audit.html");
    assert!(
        page.contains("did not train on this utterance"),
        "whole speakers are in no part alone"
    );
    assert_eq!(house.read("results/tiny/audit.csv").lines().count(), 1 + 24);
    // Both stay, and neither takes the other's place.
    house.run(&["cv", "--method", "lw"]).ended(DONE).complained_of(&["nothing to do"]);
    house.run(&["audit"]).ended(DONE).complained_of(&["nothing to do"]);
    let summary = house.json("results/tiny/summary.json");
    let folds = summary["methods"]["lw"]["seeds"]["0"]["folds"].as_object().unwrap();
    assert!(folds.keys().eq(SPEAKERS), "{folds:?}");
    let gc = house.run(&["gc", "--keep-days", "0", "--json"]).ended(DONE).document();
    assert_eq!(gc["results"].as_array().unwrap().len(), 0, "{gc}");
    // Other rates leave the page where it is.
    house.run(&["cv", "--method", "baseline"]).ended(DONE);
    assert!(house.path("results/tiny/audit.html").is_file());
    house.run(&["audit"]).ended(DONE).complained_of(&["nothing to do"]);
}

#[test]
fn detectors_are_chosen_by_label_noise() {
    let house = tones();
    house.edit("pipelines/tiny.toml", "seeds = [0]", "seeds = [0, 1]");
    let chosen = ["audit", "--method", "baseline", "--detector", "chosen"];
    house.run(&chosen).ended(USAGE).complained_of(&["add it with --noise"]);
    let noise = "[label_noise]\nrates = [0.0, 0.34]\nkind = \"symmetric\"\nseed = 5\n\n[model]";
    house.edit("pipelines/tiny.toml", "[model]", noise);
    house.run(&[&chosen[..], &["--noise"]].concat()).ended(DONE);
    house.run(&["report"]).ended(DONE);
    let noise = house.json("results/tiny/noise.json");
    let names = noise["chosen"]["baseline"].as_array().unwrap();
    assert!(!names.is_empty(), "{noise}");
    let found = noise["detection"].as_array().unwrap().iter();
    let of_choice = found.filter(|found| found["score"] == "chosen").count();
    assert_eq!(of_choice, 2, "one of each method: two seeds judge each other's choice");
    assert!(
        house
            .read("results/tiny/report.html")
            .contains("Detectors that together find the most noisy labels")
    );
    house.run(&[&chosen[..], &["--noise"]].concat()).ended(DONE);
    let page = house.read("results/tiny/audit.html");
    assert!(page.contains("by the detector: chosen by label noise, "), "{page}");
    assert!(page.contains("exchanged on purpose (symmetric noise)"));
}
