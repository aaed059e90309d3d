//! The audit of two files, a table of labels and one of vectors or of probabilities: no recordings, no
//! manifest, no pipeline.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::harness::{DATA, DONE, House, Ran, USAGE, xtask};

const UTTERANCES: usize = 60;
/// Their labels are wrong.
const WRONG: [usize; 4] = [7, 20, 33, 46];
const WORDS: [&str; 2] = ["happy", "sad"];

/// Labels, vectors whose first number tells them apart, and probabilities that do.
fn tables() -> House {
    let house = House::new();
    let mut labels = "utterance_id\tlabel\n".to_owned();
    let mut vectors = "id,v0,v1\n".to_owned();
    let mut probabilities = "utterance_id,sad,happy\n".to_owned();
    for n in 0..UTTERANCES {
        let truth = n % 2;
        let label = WORDS[truth ^ usize::from(WRONG.contains(&n))];
        let (sign, noise) = ([1.0, -1.0][truth], (7 * n % 11) as f64 / 11.0);
        let sad = [0.25, 0.75][truth] - 0.02 * noise;
        writeln!(labels, "u{n:02}\t{label}").unwrap();
        writeln!(vectors, "u{n:02},{},{noise}", sign * (1.0 + noise)).unwrap();
        writeln!(probabilities, "u{n:02},{sad},{}", 1.0 - sad).unwrap();
    }
    house.write("my.tsv", labels);
    house.write("vectors.csv", vectors);
    house.write("probabilities.csv", probabilities);
    house
}

fn run(house: &House, arguments: &[&str]) -> Ran {
    let table = house.path("my.tsv").display().to_string();
    let arguments = [&["audit", "--table", &table][..], arguments].concat();
    Ran::new(&arguments, house.without_pipeline(xtask(), &arguments).output().unwrap())
}

/// The command with one of the files.
fn audit(house: &House, flag: &str) -> Ran {
    let file = house.path(&format!("{flag}.csv").replace("features", "vectors"));
    run(house, &[&format!("--{flag}"), &file.display().to_string()])
}

/// Ids of the first rows of the ranking.
fn first(house: &House, count: usize) -> BTreeSet<String> {
    let csv = house.read("results/my/audit.csv");
    let mut rows = csv.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let id = rows.next().unwrap().iter().position(|name| *name == "utterance_id").unwrap();
    rows.take(count).map(|row| row[id].to_owned()).collect()
}

fn wrong() -> BTreeSet<String> {
    WRONG.iter().map(|n| format!("u{n:02}")).collect()
}

#[test]
fn wrong_labels_come_first_by_vectors() {
    let house = tables();
    let table = audit(&house, "features").ended(DONE).stdout;
    assert!(table.contains("audit.html"), "{table}");
    assert_eq!(first(&house, WRONG.len()), wrong());
    let page = house.read("results/my/audit.html");
    assert!(page.contains("There are no recordings."));
    assert_eq!(page.matches("<tr data-entry=").count(), UTTERANCES);
    assert!(house.path("results/my/audit.parquet").is_file());
    audit(&house, "features").ended(DONE).complained_of(&["nothing to do"]);

    // Ordinary commands go on from what was written.
    let pipeline = house.path("results/my/pipeline.toml").display().to_string();
    let report = ["report", "--quiet", "--pipeline", &pipeline];
    Ran::new(&report, house.without_pipeline(xtask(), &report).output().unwrap()).ended(DONE);
    let page = house.read("results/my/report.html");
    assert!(page.contains("Part of the utterances is the test set"), "{page}");
}

#[test]
fn wrong_labels_come_first_by_probabilities() {
    let house = tables();
    audit(&house, "probabilities").ended(DONE);
    assert_eq!(first(&house, WRONG.len()), wrong());
    // What the page calls probabilities are those of the file.
    let csv = house.read("results/my/audit.csv");
    assert!(csv.lines().next().unwrap().ends_with(",p_sad,p_happy"), "{csv}");
    let pipeline = house.path("results/my/pipeline.toml");
    assert!(house.read("results/my/pipeline.toml").contains("classes = [\"sad\", \"happy\"]"));

    // Whoever lists the classes in another order is told, since they are told apart by nothing else.
    house.edit("results/my/pipeline.toml", "[\"sad\", \"happy\"]", "[\"happy\", \"sad\"]");
    let again = ["audit", "--pipeline", &pipeline.display().to_string()];
    let ran = Ran::new(&again, house.without_pipeline(xtask(), &again).output().unwrap());
    ran.ended(DATA).complained_of(&["the columns of probabilities are sad, happy"]);
}

#[test]
fn what_the_two_files_do_not_share_is_named() {
    let house = tables();
    house.edit("vectors.csv", "\nu08,", "\nx08,");
    let told = ["1 of 60 utterances cannot be used", "u08", "the table has nothing of it"];
    audit(&house, "features").ended(DATA).complained_of(&told);
    house.edit("my.tsv", "u08\thappy", "u08\t");
    let told = ["1 row is without a label and left out: u08 (line 10)", "no utterance", "x08"];
    audit(&house, "features").ended(DATA).complained_of(&told[..1]);
    house.edit("my.tsv", "u08\t\n", "");
    audit(&house, "features").ended(DONE).complained_of(&told[1..]);
    house.edit("my.tsv", "u09\tsad", "u10\tsad");
    audit(&house, "features").ended(DATA).complained_of(&["are both the utterance u10"]);
}

#[test]
fn wrong_use_is_refused() {
    let house = tables();
    for arguments in [&[][..], &["--features", "a", "--probabilities", "b"]] {
        run(&house, arguments).ended(USAGE);
    }
    let both = ["--features", "a", "--pipeline", "p.toml"];
    run(&house, &both).ended(USAGE).complained_of(&["leave --pipeline out"]);
}
