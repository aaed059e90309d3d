//! Kinds of models and of splits, through the real commands.

use crate::corpora::tones;
use crate::harness::{DATA, DONE, House, USAGE};
use crate::predict::predict;

const PIPELINE: &str = "pipelines/tiny.toml";
const BLSTM: &str = "kind = \"blstm-attention\"\nlinear = 8\nlstm = 4\ndropout = 0.5\n\
    attention_over = \"blstm\"\n";

/// The corpus of tones, with fully connected layers in place of the paper's network.
fn with_mlp() -> House {
    let house = tones();
    house.edit(PIPELINE, BLSTM, "kind = \"mlp\"\nhidden = [6]\nleak = 0.1\ndropout = 0.2\n");
    house
}

/// The one section of a pipeline that says which model it is, from the folds to the prediction.
#[test]
fn label_rules_learn_with_fully_connected_layers_over_functionals() {
    let house = with_mlp();
    house.edit(PIPELINE, "set = \"ser32\"", "set = \"ser32\"\nfunctionals = true");
    house.edit(PIPELINE, "max_epochs = 2\npatience = 2", "max_epochs = 20\npatience = 20");
    let table = house.run(&["cv"]).ended(DONE).text();
    assert!(table.contains("| baseline ") && table.contains("| lw "), "{table}");
    let summary = house.json("results/tiny/summary.json");
    for method in ["baseline", "lw"] {
        let ua = summary["methods"][method]["over_seeds"]["mean"]["ua"].as_f64().unwrap();
        assert!(ua > 0.9, "{method}: the two tones are told apart by their pitch: {summary}");
    }
    house.run(&["audit", "--method", "lw"]).ended(DONE);
    assert!(house.read("results/tiny/audit.html").contains("anna"));
    let to = house.path("model").display().to_string();
    house.run(&["bundle", "--method", "lw", &to]).ended(DONE);
    let sound = house.path("corpus/wav/anna-happy-0.wav").display().to_string();
    let document = predict(&house, &["--json", &sound], b"").ended(DONE).document();
    assert_eq!(document["sounds"][0]["emotion"], "happiness", "{document}");
    house.run(&["cv"]).ended(DONE).text().find("nothing to do").unwrap();
}

#[test]
fn a_model_that_its_features_do_not_suit_is_refused_with_the_remedy() {
    let house = with_mlp();
    let told = ["[model] (mlp) learns from one vector of an utterance", "add a section [pooling]"];
    house.run(&["plan"]).ended(USAGE).complained_of(&told);
    house.edit(PIPELINE, "kind = \"mlp\"", "kind = \"forest\"");
    let told = ["pipelines/tiny.toml", "`forest`", "`blstm-attention`, `linear`, `mlp`"];
    house.run(&["plan"]).ended(USAGE).complained_of(&told);
}

/// Four speakers in three parts: one has two of them.
#[test]
fn speakers_are_tested_in_parts() {
    let house = tones();
    let loso = "kind = \"leave-one-speaker-out\"";
    let parts = "kind = \"group-k-fold\"\ngroup = \"speaker\"\nfolds = 3\nseed = 1";
    house.edit(PIPELINE, loso, parts);
    let table = house.run(&["cv", "--method", "lw"]).ended(DONE).text();
    assert!(table.contains("| lw "), "{table}");
    let summary = house.json("results/tiny/summary.json");
    let folds = summary["methods"]["lw"]["seeds"]["0"]["folds"].as_object().unwrap();
    assert!(folds.keys().eq(["1", "2", "3"]), "{folds:?}");
    assert_eq!(summary["methods"]["lw"]["seeds"]["0"]["pooled"]["n"], 24, "each is tested once");
    house.run(&["report", "--method", "lw"]).ended(DONE);
    let page = house.read("results/tiny/report.html");
    assert!(page.contains("Fold by fold") && page.contains("Part of the speakers is tested"));
    house.run(&["audit", "--method", "lw"]).ended(DONE);
    house.run(&["cv", "--fold", "anna"]).ended(USAGE).complained_of(&["no fold `anna`", "1, 2, 3"]);
    house.edit(PIPELINE, "folds = 3", "folds = 5");
    let told = ["split.folds = 5, and 4 speakers", "lower split.folds"];
    house.run(&["cv"]).ended(DATA).complained_of(&told);
}
