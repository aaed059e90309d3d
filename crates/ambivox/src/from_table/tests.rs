//! What is written of two tables, and what is wrong with others.

use ambivox_settings::{Grouping, exit};
use tempfile::TempDir;

use super::*;
use crate::experiment::Experiment;
use crate::failure::exit_code;

const LABELS: &str = "id,emotion\nu1,happy\nu2,sad\nu3,happy\nu4,sad\nu5,happy\nu6,sad\n";

/// A folder with a table of labels and a file beside it.
struct Case(TempDir);

impl Case {
    fn new(labels: &str, file: &str, content: &str) -> Self {
        let case = Self(tempfile::tempdir().unwrap());
        fs::write(case.path("my labels[1].csv"), labels).unwrap();
        fs::write(case.path(file), content).unwrap();
        case
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, change: impl FnOnce(&mut Tables)) -> Result<Experiment> {
        let mut tables = Tables { table: Some(self.path("my labels[1].csv")), ..Tables::default() };
        change(&mut tables);
        let store = Store::open(&self.path("store"))?;
        let progress = Progress::new(true);
        let place = Place { results: &self.path("results"), store: &store, progress: &progress };
        Experiment::read(&pipeline(&tables, false, &place)?)
    }

    fn features(&self, file: &str) -> Result<Experiment> {
        self.run(|tables| tables.features = Some(self.path(file)))
    }

    /// The complaint about a file of probabilities, by names relative to the folder.
    fn fault(&self, change: impl FnOnce(&mut Tables)) -> String {
        let error = self.run(change).unwrap_err();
        assert_eq!(exit_code(&error), exit::DATA, "{error}");
        error.to_string().replace(&format!("{}/", self.0.path().display()), "")
    }
}

fn vectors(head: &str) -> String {
    let rows = (1..7).map(|n| format!("u{n},{n}.5,1\n"));
    std::iter::once(format!("{head}\n")).chain(rows).collect()
}

#[test]
fn a_pipeline_of_vectors_reads_and_finds_the_table() {
    let case = Case::new(LABELS, "v.csv", &vectors("path,a,b"));
    let experiment = case.features("v.csv").unwrap();
    let pipeline = &experiment.pipeline;
    assert_eq!(pipeline.name, "my-labels-1-");
    assert_eq!(pipeline.split.classes, ["happy", "sad"]);
    assert_eq!(pipeline.frontend.settings["id"].as_str(), Some("path"));
    let split = &pipeline.split.section.settings;
    assert_eq!(split["group"].as_str(), Some(Grouping::Utterance.as_str()));
    assert_eq!(
        (split["folds"].as_integer(), pipeline.model.settings["c"].as_float()),
        (Some(5), Some(0.01))
    );
    assert!(!experiment.manifest.has_recordings());
    let root = experiment.corpus_root(|_| None).unwrap();
    let listing = crate::corpus::listing(
        &ambivox_artifacts::StatMemo::in_memory(),
        &root,
        &experiment.manifest,
    );
    assert_eq!(listing.unwrap().files, 1, "a name with brackets is that file");
}

#[test]
fn speakers_stay_whole_where_there_are_three() {
    let group = |speakers: [&str; 3]| {
        let speakers = speakers.iter().cycle();
        let rows = LABELS.lines().skip(1).zip(speakers).map(|(row, who)| format!("{row},{who}\n"));
        let labels: String = ["id,emotion,speaker\n".to_owned()].into_iter().chain(rows).collect();
        let case = Case::new(&labels, "v.csv", &vectors("id,a,b"));
        let split = case.features("v.csv").unwrap().pipeline.split.section.settings;
        (split["group"].as_str().unwrap().to_owned(), split["folds"].as_integer())
    };
    assert_eq!(group(["ann", "bob", "cem"]), ("speaker".to_owned(), Some(3)));
    assert_eq!(group(["ann", "bob", "bob"]), ("utterance".to_owned(), Some(5)));
}

#[test]
fn what_somebody_changed_is_kept_under_another_name() {
    let case = Case::new(LABELS, "v.csv", &vectors("id,a,b"));
    case.features("v.csv").unwrap();
    let written = case.path("results/my-labels-1-/pipeline.toml");
    fs::write(&written, "mine").unwrap();
    case.features("v.csv").unwrap();
    assert_ne!(fs::read_to_string(&written).unwrap(), "mine");
    let kept = case.path("results/my-labels-1-/pipeline.toml.kept-1");
    assert_eq!(fs::read_to_string(kept).unwrap(), "mine");
}

#[test]
fn faults_of_vectors_name_the_remedy() {
    let case = Case::new(LABELS, "v.csv", &vectors("who,a,b"));
    let of = |file: &str| case.fault(|tables| tables.features = Some(case.path(file)));
    insta::assert_snapshot!(of("v.csv"), @r#"
    v.csv: there is no column "id", which frontend.id names; it has: who, a, b
    hint: ids have the name that they have in --table, or one of utterance_id, id, file, path, name; frontend.values is --values, and frontend.layer --layer
    "#);
    insta::assert_snapshot!(of("none.csv"), @r#"
    none.csv: there is no such file
    hint: --features and --probabilities name it
    "#);
    fs::write(case.path("text.csv"), "id,a,emotion\nu1,1,sad\n").unwrap();
    insta::assert_snapshot!(of("text.csv"), @r#"
    text.csv: line 2, column emotion: "sad" is no number
    hint: frontend.values has the beginning of the names of those columns that count
    hint: ids have the name that they have in --table, or one of utterance_id, id, file, path, name; frontend.values is --values, and frontend.layer --layer
    "#);
    fs::write(case.path("v.txt"), "1 2").unwrap();
    assert!(of("v.txt").contains("of this form no table is read"), "{}", of("v.txt"));
    let other = case.fault(|tables| {
        tables.features = Some(case.path("v.csv"));
        tables.label = Some("anger".to_owned());
    });
    assert!(other.contains("there is no column \"anger\"; the columns are"), "{other}");
}

fn probabilities(head: &str, change: (&str, &str)) -> Case {
    let rows = (1..7).map(|n| format!("u{n},0.{n},0.{}\n", 10 - n));
    let text: String = [format!("{head}\n")].into_iter().chain(rows).collect();
    Case::new(LABELS, "p.csv", &text.replace(change.0, change.1))
}

#[test]
fn probabilities_give_their_columns_as_classes() {
    let case = probabilities("id,sad,happy", ("", ""));
    let experiment = case.run(|tables| tables.probabilities = Some(case.path("p.csv"))).unwrap();
    assert_eq!(experiment.pipeline.split.classes, ["sad", "happy"]);
    assert_eq!(experiment.pipeline.model.kind, "probabilities");
}

#[test]
fn faults_of_probabilities_name_labels_and_utterances() {
    let of = |case: Case| case.fault(|tables| tables.probabilities = Some(case.path("p.csv")));
    let other = probabilities("id,sad,fear", ("", ""));
    insta::assert_snapshot!(of(other), @r#"
    p.csv: no column of probabilities has the name of: happy (3 rows); the columns are sad, fear
    hint: name the columns as the labels are written, and leave other columns out
    "#);
    insta::assert_snapshot!(of(probabilities("id,sad,happy", ("u2,0.2", "u2,-0.2"))), @r#"
    p.csv: 1 utterance whose values are no probabilities: u2 (-0.2 is below 0)
    hint: give each a value of 0 or above for every label, with a sum of 1 within 0.001; logits become such by a softmax
    "#);
    insta::assert_snapshot!(of(probabilities("id,sad,happy", ("0.7", "0.8"))), @r#"
    p.csv: 1 utterance whose values are no probabilities: u3 (the sum is 1.1000)
    hint: give each a value of 0 or above for every label, with a sum of 1 within 0.001; logits become such by a softmax
    "#);
}

#[test]
fn a_pipeline_is_named_or_written() {
    let case = Case::new(LABELS, "v.csv", "");
    let store = Store::open(&case.path("store")).unwrap();
    let progress = Progress::new(true);
    let place = Place { results: case.0.path(), store: &store, progress: &progress };
    let error = pipeline(&Tables::default(), true, &place).unwrap_err();
    assert_eq!(exit_code(&error), exit::USAGE);
}
