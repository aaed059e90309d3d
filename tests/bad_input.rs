//! Mistakes of the user and faults of the data: each a clear message and the right exit code.

use std::path::Path;

use fs_err as fs;

use crate::corpora::{SPEAKERS, add_row, synthetic, tones};
use crate::harness::{DATA, DONE, Ran, USAGE, xtask};

#[test]
fn an_unknown_fold_is_answered_with_the_known_ones() {
    let ran = tones().run(&["cv", "--fold", "nobody"]).ended(USAGE);
    ran.complained_of(&["nobody"]).complained_of(&SPEAKERS);
}

#[test]
fn an_unknown_method_is_answered_with_the_known_ones() {
    tones().run(&["cv", "--method", "majic"]).ended(USAGE).complained_of(&["baseline", "lw"]);
}

#[test]
fn an_unknown_command_is_wrong_use() {
    tones().run(&["trian"]).ended(USAGE).complained_of(&["trian"]);
}

#[test]
fn a_missing_pipeline_is_named() {
    let house = tones();
    fs::remove_file(house.path("pipelines/tiny.toml")).unwrap();
    house.run(&["plan"]).ended(USAGE).complained_of(&["pipelines/tiny.toml"]);
}

#[test]
fn a_typo_in_a_pipeline_is_pointed_at() {
    let house = tones();
    house.edit("pipelines/tiny.toml", "patience = 2", "patiense = 2");
    let pipeline = house.read("pipelines/tiny.toml");
    let line = 1 + pipeline.lines().position(|line| line.starts_with("patiense")).unwrap();
    let place = format!("line {line}, column 1");
    let ran = house.run(&["plan"]).ended(USAGE);
    ran.complained_of(&["tiny.toml", &place, "unknown field `patiense`", "`patience`"]);
}

#[test]
fn an_unknown_key_in_a_manifest_is_pointed_at() {
    let house = tones();
    house.edit("data-manifests/tiny.toml", "licence =", "license =");
    let ran = house.run(&["index"]).ended(USAGE);
    ran.complained_of(&["data-manifests/tiny.toml", "line 5, column 1", "unknown field `license`"]);
}

#[test]
fn a_corpus_that_nobody_named_asks_for_its_variable() {
    let house = tones();
    house.edit("pipelines/tiny.toml", "root = \"../corpus\"\n", "");
    house.run(&["index"]).ended(DATA).complained_of(&["TINY_ROOT"]);

    let mut command = house.command(&["index"]);
    let found = command.env("TINY_ROOT", house.path("corpus")).status().unwrap();
    assert_eq!(found.code(), Some(DONE));
}

#[test]
fn a_corpus_that_is_not_there_is_named() {
    let house = tones();
    house.edit("pipelines/tiny.toml", "root = \"../corpus\"", "root = \"../elsewhere\"");
    house.run(&["index"]).ended(DATA).complained_of(&["elsewhere"]);
}

#[test]
fn an_empty_corpus_is_no_corpus() {
    let house = tones();
    house.write("corpus/labels.csv", "file,speaker,emotion\n");
    house.run(&["index"]).ended(DATA).complained_of(&["labels.csv"]);
}

#[test]
fn a_row_whose_file_is_missing_is_named() {
    let house = tones();
    add_row(&house, "wav/gone.wav,anna,happy");
    house.run(&["extract"]).ended(DATA).complained_of(&["wav/gone.wav"]);
}

#[test]
fn a_label_that_the_manifest_does_not_know_is_named_with_its_row() {
    let house = tones();
    house.edit("corpus/labels.csv", "bert-sad-1.wav,bert,sad\n", "bert-sad-1.wav,bert,glum\n");
    house.run(&["index"]).ended(DATA).complained_of(&["labels.csv", "glum"]);
}

#[test]
fn two_utterances_of_one_id_are_named() {
    let house = tones();
    add_row(&house, "wav/anna-sad-0.wav,anna,happy");
    house.run(&["index"]).ended(DATA).complained_of(&[
        "labels.csv:3",
        "labels.csv:26",
        "wav/anna-sad-0",
    ]);
}

#[test]
fn a_class_that_never_occurs_is_named() {
    let house = tones();
    house.edit("pipelines/tiny.toml", "\"sadness\"]", "\"sadness\", \"anger\"]");
    house.run(&["cv"]).ended(DATA).complained_of(&["anger"]);
}

/// What nobody shows in training cannot be learned.
#[test]
fn a_class_missing_from_training_is_named_with_the_fold() {
    let house = tones();
    let table = house.read("corpus/labels.csv");
    let only_anna_is_sad = ["bert", "carl", "dora"].into_iter().fold(table, |table, speaker| {
        table.replace(&format!(",{speaker},sad"), &format!(",{speaker},unsure"))
    });
    house.write("corpus/labels.csv", only_anna_is_sad);
    house.run(&["cv"]).ended(DATA).complained_of(&["fold anna", "sadness"]);
}

/// A speaker who never sounds sad can still be tested; what cannot be computed is null.
#[test]
fn a_class_missing_from_one_fold_leaves_its_recall_open() {
    let house = tones();
    let table = house.read("corpus/labels.csv");
    house.write("corpus/labels.csv", table.replace(",carl,sad", ",carl,unsure"));
    house.run(&["cv", "--method", "baseline"]).ended(DONE);
    let summary = house.json("results/tiny/summary.json");
    let fold = &summary["methods"]["baseline"]["seeds"]["0"]["folds"]["carl"];
    assert_eq!(fold["n"], 3);
    assert!(fold["recall"][1].is_null() && fold["recall"][0].is_number(), "{fold}");
    assert_eq!(fold["ua"], fold["recall"][0]);
}

/// With hundreds, one that reads the index takes up work of the others that wait for it.
#[test]
fn hundreds_of_threads_do_not_wait_for_one_another() {
    let house = synthetic();
    let xtask = xtask().to_str().unwrap();
    let extract = ["120", xtask, "extract", "--threads", "256"];
    let output = house.command_of(Path::new("timeout"), &extract).output().unwrap();
    Ran::new(&extract, output).ended(DONE);
}
