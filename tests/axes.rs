//! Kinds of models and of splits, through the real commands.

use std::fmt::Write as _;

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

fn both_methods_tell_tones_apart(house: &House) {
    let table = house.run(&["cv"]).ended(DONE).text();
    assert!(table.contains("| baseline ") && table.contains("| lw "), "{table}");
    let summary = house.json("results/tiny/summary.json");
    for method in ["baseline", "lw"] {
        let ua = summary["methods"][method]["over_seeds"]["mean"]["ua"].as_f64().unwrap();
        assert!(ua > 0.9, "{method}: the two tones are told apart by their pitch: {summary}");
    }
}

/// The one section of a pipeline that says which model it is, from the folds to the prediction.
#[test]
fn label_rules_learn_with_fully_connected_layers_over_functionals() {
    let house = with_mlp();
    house.edit(PIPELINE, "set = \"ser32\"", "set = \"ser32\"\nfunctionals = true");
    house.edit(PIPELINE, "max_epochs = 2\npatience = 2", "max_epochs = 20\npatience = 20");
    both_methods_tell_tones_apart(&house);
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
fn attention_is_learned_over_frames_without_a_blstm() {
    let house = tones();
    let pooling = "kind = \"attention-pooling\"\nhidden = []\nleak = 0.1\ndropout = 0.2\n";
    house.edit(PIPELINE, BLSTM, pooling);
    house.edit(PIPELINE, "max_epochs = 2\npatience = 2", "max_epochs = 60\npatience = 60");
    both_methods_tell_tones_apart(&house);
    house.run(&["audit", "--method", "lw"]).ended(DONE);
    let to = house.path("model").display().to_string();
    house.run(&["bundle", "--method", "lw", &to]).ended(DONE);
    let sound = house.path("corpus/wav/anna-happy-0.wav").display().to_string();
    let document = predict(&house, &["--json", &sound], b"").ended(DONE).document();
    assert_eq!(document["sounds"][0]["emotion"], "happiness", "{document}");
}

#[test]
fn a_model_that_its_features_do_not_suit_is_refused_with_the_remedy() {
    let house = with_mlp();
    let told = ["[model] (mlp) learns from one vector of an utterance", "add a section [pooling]"];
    house.run(&["plan"]).ended(USAGE).complained_of(&told);
    house.edit(PIPELINE, "kind = \"mlp\"", "kind = \"forest\"");
    let told = [
        "tiny.toml: model.kind: there is no \"forest\"",
        "attention-pooling, blstm-attention, linear, linear-svm, mlp",
    ];
    house.run(&["plan"]).ended(USAGE).complained_of(&told);
}

/// A rule under two names, one of them with keys of its own of model and training; the mean of the last epochs'
/// probabilities, and of their parameters, from the training to the prediction.
#[test]
fn methods_have_names_and_the_last_epochs_are_kept_together() {
    let house = tones();
    let more = "label_scale = 1.0\n\n[methods.softened]\nrule = \"baseline\"\nfixed_target = \"softmax\"\n\
        label_scale = 1.0\nweights = \"equal\"\nmodel = { attention_over = \"logits\", dropout_mask = \
        \"utterance\" }\ntraining = { keep = { average_of_last = 2 } }\n\n[methods.lw]";
    house.edit(PIPELINE, "label_scale = 1.0\n\n[methods.lw]", more);
    house.edit(PIPELINE, "patience = 2", "patience = 1\nkeep = { mean_of_last = 2 }");
    let table = house.run(&["cv"]).ended(DONE).text();
    let at = |method: &str| table.find(&format!("| {method} ")).unwrap();
    assert!(at("baseline") < at("lw") && at("lw") < at("softened"), "{table}");
    let summary = house.json("results/tiny/summary.json");
    let pooled = |method: &str| &summary["methods"][method]["seeds"]["0"]["pooled"];
    assert_ne!(pooled("baseline"), pooled("softened"), "other targets and weights");
    house.run(&["report"]).ended(DONE);
    assert!(house.read("results/tiny/report.html").contains("softened"));
    let to = house.path("model").display().to_string();
    house.run(&["bundle", "--method", "softened", &to]).ended(DONE);
    let sound = house.path("corpus/wav/anna-happy-0.wav").display().to_string();
    let document = predict(&house, &["--json", &sound], b"").ended(DONE).document();
    assert_eq!(document["model"]["method"], "softened", "{document}");
    let refused = house.run(&["plan", "--method", "mellow"]).ended(USAGE);
    refused.complained_of(&["no method `mellow`", "baseline, lw, softened"]);
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
    assert!(
        page.contains("Results by fold") && page.contains("Part of the speakers is the test set")
    );
    house.run(&["audit", "--method", "lw"]).ended(DONE);
    house.run(&["cv", "--fold", "anna"]).ended(USAGE).complained_of(&["no fold `anna`", "1, 2, 3"]);
    house.edit(PIPELINE, "folds = 3", "folds = 5");
    let told = ["split.folds = 5, and 4 speakers", "lower split.folds"];
    house.run(&["cv"]).ended(DATA).complained_of(&told);
}

/// Nobody validates: all others train, for all epochs, and every page can do with it.
#[test]
fn who_validates_and_by_what_is_a_setting() {
    let house = tones();
    let loso = "kind = \"leave-one-speaker-out\"";
    house.edit(PIPELINE, loso, &format!("{loso}\nvalidation = \"none\""));
    house.run(&["cv", "--method", "lw"]).ended(DONE);
    let summary = house.json("results/tiny/summary.json");
    let fold = &summary["methods"]["lw"]["seeds"]["0"]["folds"]["anna"];
    assert_eq!((&fold["best_epoch"], &fold["epochs"]), (&2.into(), &2.into()), "{fold}");
    house.run(&["report", "--method", "lw"]).ended(DONE);
    assert!(house.read("results/tiny/report.html").contains("all others train, for all epochs"));
    house.run(&["audit", "--method", "lw"]).ended(DONE);
    house.edit(PIPELINE, "validation = \"none\"", "validation = { share = 0.3, seed = 1 }");
    house.edit(PIPELINE, "patience = 2", "patience = 2\ncriterion = \"macro-f1\"");
    house.run(&["cv", "--method", "lw"]).ended(DONE);
    house.edit(PIPELINE, "\"macro-f1\"", "\"accuracy\"");
    let told = ["unknown variant `accuracy`", "`soft-loss`"];
    house.run(&["plan"]).ended(USAGE).complained_of(&told);
}

/// Values of every speaker about their own mean: another stage, and training reads what it made.
#[test]
fn values_are_normalised_over_every_speaker() {
    let house = tones();
    house.edit(PIPELINE, "[model]", "[normalisation]\nover = \"speaker\"\n\n[model]");
    let plan = house.run(&["plan", "--method", "lw"]).ended(DONE).text();
    assert!(plan.lines().any(|line| line.starts_with("normalise")), "{plan}");
    house.run(&["cv", "--method", "lw"]).ended(DONE);
    house.run(&["audit", "--method", "lw"]).ended(DONE);
    let to = house.path("model").display().to_string();
    house.run(&["bundle", "--method", "lw", &to]).ended(DONE);
    let sound = house.path("corpus/wav/anna-sad-0.wav").display().to_string();
    let told = ["normalised over all that a speaker has said"];
    predict(&house, &["--json", &sound], b"").ended(DATA).complained_of(&told);
    house.edit(PIPELINE, "over = \"speaker\"", "over = \"training\"");
    let plan = house.run(&["plan", "--method", "lw"]).ended(DONE).text();
    assert!(!plan.contains("normalise"), "{plan}");
}

/// One recording under two names and two labels: one label is wrong for sure, and a fold that has it in two
/// parts says so.
#[test]
fn one_recording_under_two_labels_is_told() {
    let house = tones();
    let of = |name: &str| house.path(&format!("corpus/wav/{name}.wav"));
    std::fs::copy(of("anna-happy-0"), of("bert-sad-9")).unwrap();
    let table = house.read("corpus/labels.csv");
    house.write("corpus/labels.csv", format!("{table}wav/bert-sad-9.wav,bert,sad\n"));
    let told = ["fold anna: ", "in two of its parts"];
    house.run(&["cv", "--method", "lw"]).ended(DONE).complained_of(&told);
    house.run(&["report", "--method", "lw"]).ended(DONE);
    assert!(house.read("results/tiny/report.html").contains("Recordings in two parts of a fold"));
    house.run(&["audit", "--method", "lw"]).ended(DONE);
    let ranked = house.read("results/tiny/audit.csv");
    let mut first: Vec<&str> = ranked.lines().skip(1).take(2).collect();
    first.sort_unstable_by_key(|row| row.contains(",wav/bert-sad-9,"));
    assert!(
        first[0].contains("wav/anna-happy-0") && first[1].contains("wav/bert-sad-9"),
        "{ranked}"
    );
    let told = "wav/anna-happy-0 has the same recording and is labelled happiness. Given sadness;";
    assert!(first[1].contains(told), "{ranked}");
}

/// A table without speakers is divided by a list, and by nothing else.
#[test]
fn a_table_without_speakers_needs_listed_parts() {
    let rows = [("dora", "test"), ("carl", "dev"), ("bert", "other"), ("anna", "train")];
    let house = with_parts(&rows);
    house.edit("data-manifests/tiny.toml", "speaker = \"speaker\"\n", "");
    house.run(&["cv", "--method", "lw"]).ended(DONE);
    house.run(&["report", "--method", "lw"]).ended(DONE);
    assert!(house.read("results/tiny/report.html").contains("The parts are those of a list"));
    house.edit(PIPELINE, LISTED, "kind = \"leave-one-speaker-out\"");
    let told = ["24 utterances of the classes have no speaker", "csv.columns.speaker", "\"fixed\""];
    house.run(&["cv", "--method", "lw"]).ended(DATA).complained_of(&told);
}

/// Three models of one training part, each validated by another speaker, are rated one by one and together;
/// under label noise too, where the course of training tells which labels are wrong.
#[test]
fn parts_that_validate_in_turn_are_one_test_set() {
    let rows = [("anna", "train"), ("bert", "train"), ("carl", "train"), ("dora", "test")];
    let house = with_parts(&rows);
    let turn = "validation = { parts = 3, seed = 1 }\ntest = [\"test\"]";
    house.edit(PIPELINE, "validation = [\"dev\"]\ntest = [\"test\", \"other\"]", turn);
    let noise = "[label_noise]\nrates = [0.0, 0.25]\nkind = \"symmetric\"\nseed = 1\n\n[model]";
    house.edit(PIPELINE, "[model]", noise);
    house.edit(PIPELINE, "patience = 2", "patience = 2\ndynamics = true");
    let table = house.run(&["cv"]).ended(DONE).text();
    assert!(table.contains("Test set test:") && table.contains("as of one model"), "{table}");
    let summary = house.json("results/tiny/summary.json");
    let lw = &summary["methods"]["lw"];
    assert_eq!(lw["seeds"]["0"]["folds"].as_object().unwrap().len(), 3);
    assert_eq!(lw["ensemble"]["parts"], 3);
    assert_eq!(lw["ensemble"]["pooled"]["n"], 6);
    assert!(lw["ensemble"]["folds"]["test"]["wa"].is_number(), "{lw}");
    house.run(&["report"]).ended(DONE);
    let page = house.read("results/tiny/report.html");
    assert!(page.contains("Rates under label noise, test set test"));
    assert!(page.contains("mean margin over epochs (AUM)"));
}

/// The detector that is named ranks, and says what it needs where runs do not have it.
#[test]
fn an_audit_ranks_by_the_detector_that_is_named() {
    let house = tones();
    let audit = ["audit", "--method", "lw", "--detector", "margin"];
    house.run(&audit).ended(USAGE).complained_of(&[
        "detector margin",
        "training.dynamics = true",
        "again",
    ]);
    house.edit(PIPELINE, "patience = 2", "patience = 2\ndynamics = true");
    house.run(&audit).ended(DONE);
    assert!(house.read("results/tiny/audit.html").contains("mean margin over epochs (AUM)"));
    house.run(&["audit", "--detector", "guess"]).ended(USAGE).complained_of(&["guess", "margin"]);
}

/// Support vector machines under every label rule that learns from labels.
#[test]
fn label_rules_learn_with_support_vector_machines() {
    let house = tones();
    house.edit(PIPELINE, BLSTM, "kind = \"linear-svm\"\nc = 1.0\n");
    house.edit(PIPELINE, "[model]", "[pooling]\nkind = \"functionals\"\n\n[model]");
    both_methods_tell_tones_apart(&house);
    house.run(&["audit", "--method", "lw"]).ended(DONE);
    let to = house.path("model").display().to_string();
    house.run(&["bundle", "--method", "lw", &to]).ended(DONE);
    let sound = house.path("corpus/wav/anna-sad-0.wav").display().to_string();
    let document = predict(&house, &["--json", &sound], b"").ended(DONE).document();
    assert_eq!(document["sounds"][0]["emotion"], "sadness", "{document}");
}

const LISTED: &str = "kind = \"fixed\"\nfile = \"parts.csv\"\nid = \"file\"\npart = \"set\"\n\
    train = [\"train\"]\nvalidation = [\"dev\"]\ntest = [\"test\", \"other\"]";

/// The parts of a list: anna and bert train, carl validates, dora is tested; a second test set has one file.
fn with_parts(rows: &[(&str, &str)]) -> House {
    let house = tones();
    house.edit(PIPELINE, "kind = \"leave-one-speaker-out\"", LISTED);
    let mut list = "file,set\n".to_owned();
    for line in house.read("corpus/labels.csv").lines().skip(1) {
        let (file, _) = line.split_once(',').unwrap();
        let set = rows.iter().find(|(of, _)| file.contains(of)).map(|(_, set)| *set);
        if let Some(set) = set {
            writeln!(list, "{file},{set}").unwrap();
        }
    }
    house.write("pipelines/parts.csv", list);
    house
}

#[test]
fn parts_of_a_list_are_followed() {
    let rows = [
        ("dora-sad-2", "other"),
        ("dora", "test"),
        ("carl", "dev"),
        ("anna", "train"),
        ("bert", "train"),
    ];
    let house = with_parts(&rows);
    let table = house.run(&["cv", "--method", "lw"]).ended(DONE).text();
    assert!(table.contains("| lw "), "{table}");
    let summary = house.json("results/tiny/summary.json");
    let folds = summary["methods"]["lw"]["seeds"]["0"]["folds"].as_object().unwrap();
    let counts: Vec<(&str, u64)> =
        folds.iter().map(|(name, fold)| (name.as_str(), fold["n"].as_u64().unwrap())).collect();
    assert_eq!(counts, [("other", 1), ("test", 5)]);
    house.run(&["report", "--method", "lw"]).ended(DONE);
    assert!(house.read("results/tiny/report.html").contains("The parts are those of a list"));
    house.run(&["cv", "--method", "lw"]).ended(DONE).text().find("nothing to do").unwrap();

    // Another place of the same list changes nothing, another list does.
    let list = house.read("pipelines/parts.csv");
    house.write("corpus/../lists/parts.csv", &list);
    house.edit(PIPELINE, "file = \"parts.csv\"", "file = \"../lists/parts.csv\"");
    let planned = house.run(&["plan", "--method", "lw"]).ended(DONE).text();
    assert!(planned.contains("7 fresh, 1 stale"), "the page alone shows the text: {planned}");
    house.edit("lists/parts.csv", "dora-sad-2.wav,other", "dora-sad-2.wav,test");
    house.edit("lists/parts.csv", "dora-sad-1.wav,test", "dora-sad-1.wav,other");
    let planned = house.run(&["plan", "--method", "lw"]).ended(DONE).text();
    let is_stale = |line: &str| line.starts_with("split") && line.contains("stale");
    assert!(planned.lines().any(is_stale), "{planned}");
}

#[test]
fn speakers_in_two_parts_are_refused_or_told() {
    let rows = [
        ("anna-sad-2", "test"),
        ("anna-happy-2", "other"),
        ("dora", "test"),
        ("carl", "dev"),
        ("anna", "train"),
        ("bert", "train"),
    ];
    let house = with_parts(&rows);
    let told = ["fold other: speakers in two of its parts: anna", "split.allow_overlap = true"];
    house.run(&["cv", "--method", "lw"]).ended(DATA).complained_of(&told);
    house.edit(PIPELINE, LISTED, &format!("{LISTED}\nallow_overlap = true"));
    let told = ["fold other: 1 speaker in two of its parts"];
    house.run(&["cv", "--method", "lw"]).ended(DONE).complained_of(&told);
    house.run(&["report", "--method", "lw"]).ended(DONE);
    let report = house.read("results/tiny/report.html");
    assert!(report.contains("Speakers in two parts of a fold") && report.contains("anna"));
    house.edit(PIPELINE, "test = [\"test\", \"other\"]", "test = [\"tests\"]");
    let told = ["no part \"tests\"; there are: dev, other, test, train"];
    house.run(&["cv", "--method", "lw"]).ended(DATA).complained_of(&told);
    house.edit(PIPELINE, "validation = [\"dev\"]\n", "");
    house.run(&["plan"]).ended(USAGE).complained_of(&["name what validates, or \"none\""]);
}
