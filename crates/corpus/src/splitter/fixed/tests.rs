//! Lists of parts in both forms, as they are and as they should not be.

use std::path::Path;

use ambivox_settings::{Exclusions, SplitSettings, Splits};
use fs_err as fs;

use super::*;
use crate::splits;
use crate::testing::{manifest_of, strings, utterance};

/// Speakers a to d, each with two utterances of two classes, in files in a folder of their own.
fn corpus() -> Vec<Utterance> {
    let mut utterances = Vec::new();
    for speaker in ["a", "b", "c", "d"] {
        for class in ["anger", "sadness"] {
            for take in 0..2 {
                let id = format!("{speaker}-{class}-{take}");
                let mut utterance = utterance(&id, speaker, Some(class));
                utterance.path = format!("wav/{speaker}/{id}.wav");
                utterances.push(utterance);
            }
        }
    }
    utterances
}

fn settings() -> Settings {
    Settings {
        id: Some("FileName".to_owned()),
        part: Some("Split_Set".to_owned()),
        train: strings(&["Train"]),
        validation: Some(Validation::Parts(strings(&["Development"]))),
        test: strings(&["Test1"]),
        allow_overlap: false,
    }
}

fn drawn(share: f64) -> Validation {
    Validation::Else(Choice::Drawn(Drawn { share, seed: 1 }))
}

fn of_folder() -> Settings {
    Settings { validation: Some(drawn(0.3)), ..Settings::default() }
}

fn divided(
    path: &Path,
    fixed: &Settings,
    utterances: &[Utterance],
) -> Result<(Splits, Vec<String>), CorpusError> {
    let section = Section::new(KIND.name, fixed).unwrap();
    let classes = strings(&["anger", "sadness"]);
    let settings = SplitSettings { section, classes, balance: None };
    let manifest = manifest_of("iemocap", &["*"], "[labels]\n");
    let exclusions = Exclusions::default();
    let splits = splits(utterances, &exclusions, &settings, &manifest, Some(path))?;
    let notes = splits.notes.clone();
    Ok((splits, notes))
}

/// A table with the part of every speaker; names are those of files.
fn table(parts: &[(&str, &str)]) -> String {
    let part = |speaker: &str| parts.iter().find(|(of, _)| *of == speaker).map(|(_, part)| *part);
    let rows = corpus().into_iter().filter_map(|u| {
        let file = Path::new(&u.path).file_name()?.to_str()?.to_owned();
        Some(format!("{file},{},{}\n", u.speaker, part(&u.speaker)?))
    });
    format!("FileName,SpkrID,Split_Set\n{}", rows.collect::<String>())
}

const PARTS: [(&str, &str); 4] =
    [("a", "Train"), ("b", "Development"), ("c", "Test1"), ("d", "Train")];

fn of_table(text: &str, fixed: &Settings) -> Result<(Splits, Vec<String>), CorpusError> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("labels_consensus.csv");
    fs::write(&file, text).unwrap();
    divided(&file, fixed, &corpus())
}

#[test]
fn a_table_of_parts_is_followed() {
    let (splits, notes) = of_table(&table(&PARTS), &settings()).unwrap();
    assert_eq!((notes.len(), splits.listed, splits.folds.len()), (0, true, 1));
    let fold = &splits.folds[0];
    assert_eq!(fold.name, "Test1");
    assert_eq!(
        (&fold.tested[..], &fold.validating[..]),
        (&["c".to_owned()][..], &["b".to_owned()][..])
    );
    assert_eq!(fold.test, ["c-anger-0", "c-anger-1", "c-sadness-0", "c-sadness-1"]);
    assert!(fold.left_out.is_empty() && fold.in_two_parts.is_empty());
}

#[test]
fn every_part_that_is_tested_has_a_fold_and_the_rest_is_told() {
    let parts = [("a", "Train"), ("b", "Development"), ("c", "Test1"), ("d", "Test2")];
    let both = Settings { test: strings(&["Test2", "Test1"]), ..settings() };
    let (splits, notes) = of_table(&table(&parts), &both).unwrap();
    assert!(notes[0].contains("fold Test1: 4 utterances of the classes in none of its parts"));
    let names: Vec<&str> = splits.folds.iter().map(|fold| fold.name.as_str()).collect();
    assert_eq!(names, ["Test1", "Test2"]);
    assert_eq!(splits.folds[1].left_out[0], "c-anger-0", "who is tested elsewhere does not train");
    let (_, notes) = of_table(&table(&parts), &settings()).unwrap();
    let told = "parts of the list that [split] does not name, left out: \"Test2\" (4)";
    assert!(notes.iter().any(|note| note == told), "{notes:?}");
    let stranger = format!("{}x.wav,x,Train\n", table(&PARTS));
    let (_, notes) = of_table(&stranger, &settings()).unwrap();
    assert_eq!(notes, ["fold Test1: 1 row of no utterance of the corpus: x.wav"]);
}

#[test]
fn faults_of_a_list_are_named() {
    let refused =
        |text: &str, settings: &Settings| of_table(text, settings).unwrap_err().to_string();
    let twice = format!("{}a-anger-0.wav,a,Test1\n", table(&PARTS));
    let text = refused(&twice, &settings());
    assert!(
        text.contains("labels_consensus.csv:2 and labels_consensus.csv:18: \"a-anger-0\""),
        "{text}"
    );
    let misnamed = Settings { test: strings(&["Test3"]), ..settings() };
    let text = refused(&table(&PARTS), &misnamed);
    assert!(text.contains("no part \"Test3\"; there are: Development, Test1, Train"), "{text}");
    let text = refused("FileName,Part\nx,Train\n", &settings());
    assert!(text.contains("Split_Set"), "{text}");
    let others = "FileName,Split_Set\nx,Train\ny,Development\nz,Test1\n";
    let text = refused(others, &settings());
    assert!(text.contains("no utterance of the classes is in its training part"), "{text}");
    let shared = table(&PARTS).replace("d-anger-0.wav,d,Train", "d-anger-0.wav,d,Test1");
    let text = refused(&shared, &settings());
    assert!(text.contains("fold Test1: speakers in two of its parts: d\nhint: "), "{text}");
    let allowed = Settings { allow_overlap: true, ..settings() };
    let (splits, _) = of_table(&shared, &allowed).unwrap();
    assert_eq!(splits.folds[0].in_two_parts, ["d"]);
    let lacking = table(&[("a", "Train"), ("b", "Development"), ("c", "Test1")]);
    let lacking: String = lacking
        .lines()
        .filter(|line| !line.starts_with("a-sad"))
        .fold(String::new(), |text, line| text + line + "\n");
    assert!(refused(&lacking, &settings()).contains("no training utterance is labelled sadness"));
}

/// Folds in EmoBox's form: `fold` by `fold` the speakers tested, all others train.
fn emobox(folds: &[(&str, &[&str])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, tested) in folds {
        let into = folder.path().join(name);
        fs::create_dir(&into).unwrap();
        let lines = |test: bool| -> String {
            let utterances = corpus().into_iter();
            let of_part = utterances.filter(|u| tested.contains(&u.speaker.as_str()) == test);
            let line = |u: Utterance| {
                let (id, path) = (&u.utterance_id, &u.path);
                format!(
                    "{{\"key\": \"toy-{id}\", \"wav\": \"downloads/toy/{path}\", \"length\": 1}}\n"
                )
            };
            of_part.map(line).collect()
        };
        for (part, test) in [("train", false), ("test", true)] {
            fs::write(into.join(format!("toy_{part}_{name}.jsonl")), lines(test)).unwrap();
            fs::write(into.join(format!("toy_{part}_{name}.json")), "[]").unwrap();
        }
    }
    folder
}

#[test]
fn a_folder_of_folds_is_followed_and_whole_speakers_validate() {
    let folder = emobox(&[("fold_1", &["a"]), ("fold_2", &["b", "c"])]);
    let (splits, notes) = divided(folder.path(), &of_folder(), &corpus()).unwrap();
    assert!(notes.is_empty(), "{notes:?}");
    let [one, two] = &splits.folds[..] else { panic!("two folds") };
    assert_eq!((one.name.as_str(), &one.tested[..]), ("fold_1", &["a".to_owned()][..]));
    assert_eq!((one.validating.len(), one.validation.len()), (1, 4), "a third of twelve");
    assert_eq!((two.tested.len(), two.validating.len()), (2, 1), "one speaker goes on to train");
    let again = divided(folder.path(), &of_folder(), &corpus()).unwrap().0;
    assert_eq!(again, splits);
    // As EmoBox has EmoDB's folds: the same list twice, with the recording under two names.
    let one = folder.path().join("fold_1");
    let text = fs::read_to_string(one.join("toy_test_fold_1.jsonl")).unwrap();
    fs::write(one.join("toy_test_fold1.jsonl"), text.replace("\"wav\"", "\"audio\"")).unwrap();
    assert_eq!(divided(folder.path(), &of_folder(), &corpus()).unwrap().0, splits);
    let without = Settings::default();
    let text = divided(folder.path(), &without, &corpus()).unwrap_err().to_string();
    assert!(text.contains("in its validation part") && text.contains("split.validation to"));
    let none = Some(Validation::Else(Choice::Named(crate::split::Named::None)));
    let nobody = Settings { validation: none, ..Settings::default() };
    let fold = divided(folder.path(), &nobody, &corpus()).unwrap().0.folds.remove(0);
    assert!(fold.validation.is_empty() && fold.left_out.is_empty(), "{fold:?}");
}

#[test]
fn faults_of_a_folder_are_named() {
    let refused = |folder: &Path| divided(folder, &of_folder(), &corpus()).unwrap_err().to_string();
    let empty = tempfile::tempdir().unwrap();
    let text = divided(empty.path(), &settings(), &corpus()).unwrap_err().to_string();
    assert!(text.contains("leave split.id and split.part out"), "{text}");
    assert!(refused(empty.path()).contains("no folder of a fold in it"));
    let folder = emobox(&[("fold_1", &["a"])]);
    let second = folder.path().join("fold_1/toy_test_fold1.jsonl");
    fs::rename(folder.path().join("fold_1/toy_train_fold_1.jsonl"), folder.path().join("x"))
        .unwrap();
    fs::write(folder.path().join("fold_1/toy_eval.jsonl"), "").unwrap();
    assert!(refused(folder.path()).contains("toy_eval.jsonl: its name has not one of the words"));
    fs::remove_file(folder.path().join("fold_1/toy_eval.jsonl")).unwrap();
    fs::write(&second, "").unwrap();
    let text = refused(folder.path());
    assert!(
        text.contains("toy_test_fold1.jsonl and ") && text.contains("both are of one part"),
        "{text}"
    );
    fs::remove_file(&second).unwrap();
    fs::write(folder.path().join("fold_1/toy_test_fold_1.jsonl"), "{\"key\": \"x\"}\nnot JSON\n")
        .unwrap();
    let text = refused(folder.path());
    assert!(text.contains("toy_test_fold_1.jsonl:2") && text.contains("\"key\""), "{text}");
}

/// What annotators did not agree on trains where the list says so, and nowhere else.
#[test]
fn ambiguous_utterances_train_where_they_are_listed_to() {
    let mut utterances = corpus();
    for speaker in ["a", "c", "d"] {
        let mut ambiguous = utterance(&format!("{speaker}-mixed"), speaker, None);
        ambiguous.votes = [("anger".to_owned(), 1), ("sadness".to_owned(), 1)].into();
        utterances.push(ambiguous);
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("parts.csv");
    fs::write(&file, format!("{}a-mixed,a,Train\nc-mixed,c,Test1\n", table(&PARTS))).unwrap();
    let (splits, _) = divided(&file, &settings(), &utterances).unwrap();
    assert_eq!(splits.ambiguous, ["a-mixed", "c-mixed", "d-mixed"]);
    assert_eq!(splits.folds[0].left_out, ["c-mixed", "d-mixed"]);
    // Whose clear utterances validate, their ambiguous ones do not train; nor unseen where they are tested.
    let drawn = Settings { validation: Some(drawn(0.9)), ..settings() };
    let listed = format!("{}a-mixed,a,Train\nd-mixed,d,Train\n", table(&PARTS));
    fs::write(&file, &listed).unwrap();
    let fold = divided(&file, &drawn, &utterances).unwrap().0.folds.remove(0);
    assert_eq!(fold.validating.len(), 1);
    assert!(fold.left_out.contains(&format!("{}-mixed", fold.validating[0])), "{fold:?}");
    fs::write(&file, format!("{listed}c-mixed,c,Train\n")).unwrap();
    let text = divided(&file, &settings(), &utterances).unwrap_err().to_string();
    assert!(text.contains("speakers in two of its parts: c"), "{text}");
}

/// Several models of one training part: each part of its speakers validates one, and all test the same.
#[test]
fn parts_of_those_who_train_validate_in_turn() {
    let turn = |parts| Some(Validation::InTurn(InTurn { parts, seed: 1 }));
    let parts = [("a", "Train"), ("b", "Train"), ("c", "Test1"), ("d", "Train")];
    let in_turn = Settings { validation: turn(3), ..settings() };
    let (splits, notes) = of_table(&table(&parts), &in_turn).unwrap();
    assert!(notes.is_empty() && splits.are_test_sets(), "{notes:?}");
    let names: Vec<(&str, &str)> =
        splits.folds.iter().map(|fold| (fold.name.as_str(), fold.test_set())).collect();
    assert_eq!(names, [("Test1-1", "Test1"), ("Test1-2", "Test1"), ("Test1-3", "Test1")]);
    let validating: BTreeSet<&String> =
        splits.folds.iter().flat_map(|fold| &fold.validating).collect();
    assert!(validating.into_iter().eq(["a", "b", "d"]), "each once");
    assert!(splits.folds.iter().all(|fold| fold.test == splits.folds[0].test));
    let many = Settings { validation: turn(4), ..settings() };
    let error = of_table(&table(&parts), &many).unwrap_err().to_string();
    assert!(error.contains("split.validation.parts = 4, and 3 known speakers train"), "{error}");
}

#[test]
fn impossible_settings_are_refused() {
    let refused = |text: &str| plan(&toml::from_str(text).unwrap()).unwrap_err();
    let table = "kind = \"fixed\"\nfile = \"x.csv\"\nid = \"a\"\npart = \"b\"\ntrain = [\"t\"]";
    assert!(refused("kind = \"fixed\"").contains("file: name the list of parts"));
    assert!(refused(table).contains("a table needs id, part, train and test"));
    let whole = format!("{table}\ntest = [\"u\"]\nvalidation = ");
    assert!(refused(&format!("{table}\ntest = [\"u\"]")).contains("name what validates"));
    assert!(refused(&format!("{whole}[\"t\"]")).contains("named twice"));
    assert!(refused(&format!("{whole}\"partner\"")).contains("a list of parts, \"none\""));
    assert!(refused(&format!("{whole}{{ share = 2.0, seed = 1 }}")).contains("above 0, below 1"));
    assert!(refused(&format!("{whole}{{ parts = 1, seed = 1 }}")).contains("parts: at least 2"));
    let folder = "kind = \"fixed\"\nfile = \"x\"\nvalidation = { parts = 2, seed = 1 }";
    assert!(refused(folder).contains("a folder of folds has several"));
    assert!(refused(&format!("{whole}[\"t\"]\nvalidation_share = 0.1")).contains("unknown field"));
    let planned = plan(&toml::from_str(&format!("{whole}\"none\"")).unwrap()).unwrap();
    assert!(!planned.section.settings.contains_key("file") && planned.parts.is_some());
}

/// A table without speakers has listed parts all the same.
#[test]
fn unknown_speakers_are_in_no_two_parts() {
    let mut utterances = corpus();
    for utterance in &mut utterances {
        utterance.speaker = String::new();
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("parts.csv");
    fs::write(&file, table(&PARTS)).unwrap();
    let fold = divided(&file, &settings(), &utterances).unwrap().0.folds.remove(0);
    assert!(fold.tested.is_empty() && fold.in_two_parts.is_empty() && fold.test.len() == 4);
    let drawn = Settings { validation: Some(drawn(0.3)), ..settings() };
    let error = divided(&file, &drawn, &utterances).unwrap_err().to_string();
    assert!(error.contains("fewer than two known speakers or groups train"), "{error}");
}
