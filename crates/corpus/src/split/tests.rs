//! Folds of made-up speakers, of IEMOCAP's and of EmoDB's.

use ambivox_settings::BalanceSettings;
use proptest::prelude::*;

use super::*;
use crate::testing::{manifest, manifest_of, shared, strings, table_1, utterance, utterances_of};

const CLASSES: [&str; 4] = ["happiness", "sadness", "neutral", "anger"];

fn settings(classes: &[&str]) -> SplitSettings {
    let (scheme, classes) = (SplitScheme::LeaveOneSpeakerOut, strings(classes));
    SplitSettings { scheme, classes, balance: None }
}

fn toy(rest: &str) -> Manifest {
    manifest_of("iemocap", &["*"], &format!("[labels]\n{rest}"))
}

/// One utterance of each class per speaker, each speaker in the session named by `session`.
fn corpus(speakers: &[&str], session: impl Fn(&str) -> String) -> Vec<Utterance> {
    let mut utterances = Vec::new();
    for speaker in speakers {
        for class in CLASSES {
            let mut utterance = utterance(&format!("{speaker}_{class}"), speaker, Some(class));
            utterance.session = session(speaker);
            utterances.push(utterance);
        }
    }
    utterances
}

fn split(utterances: &[Utterance], manifest: &Manifest) -> Result<Splits, CorpusError> {
    splits(utterances, &BTreeSet::new(), &settings(&CLASSES), manifest)
}

fn partners(splits: &Splits) -> Vec<(&str, &str)> {
    splits.folds.iter().map(|fold| (fold.test.as_str(), fold.validation.as_str())).collect()
}

#[test]
fn the_manifests_partner_validates() {
    let utterances = corpus(&["a", "b", "c"], str::to_owned);
    let manifest = toy("[speakers]\na.validation = \"c\"\nb = {}\nc = {}\n");
    let splits = split(&utterances, &manifest).unwrap();
    assert_eq!(partners(&splits), [("a", "c"), ("b", "c"), ("c", "a")]);
    assert_eq!(splits.folds[0].training, ["b"]);
    assert_eq!(splits.folds[0].name, "a");
}

#[test]
fn the_only_other_speaker_of_the_session_validates() {
    let speakers = ["Ses01F", "Ses01M", "Ses02F", "Ses02M"];
    let utterances = corpus(&speakers, |speaker| speaker[..5].to_owned());
    let splits = split(&utterances, &toy("")).unwrap();
    let expected =
        [("Ses01F", "Ses01M"), ("Ses01M", "Ses01F"), ("Ses02F", "Ses02M"), ("Ses02M", "Ses02F")];
    assert_eq!(partners(&splits), expected);
}

#[test]
fn else_the_next_speaker_validates_and_the_first_follows_the_last() {
    let expected = [("a", "b"), ("b", "c"), ("c", "a")];
    let alone = corpus(&["c", "a", "b"], str::to_owned);
    assert_eq!(partners(&split(&alone, &toy("")).unwrap()), expected);
    let crowded = corpus(&["c", "a", "b"], |_| "one session".to_owned());
    assert_eq!(partners(&split(&crowded, &toy("")).unwrap()), expected);
}

#[test]
fn only_labelled_and_usable_utterances_take_part() {
    let mut utterances = corpus(&["a", "b", "c", "d"], str::to_owned);
    utterances.push(utterance("a_fear", "a", Some("fear")));
    utterances.push(utterance("a_none", "a", None));
    utterances.push(utterance("e_fear", "e", Some("fear")));
    utterances.push(utterance("f_anger", "f", Some("anger")));
    let excluded = BTreeSet::from(["a_anger".to_owned(), "f_anger".to_owned()]);
    let splits = splits(&utterances, &excluded, &settings(&CLASSES), &toy("")).unwrap();
    assert_eq!(splits.utterances.len(), 15);
    assert!(splits.utterances.is_sorted());
    assert!(!splits.utterances.iter().any(|id| ["a_anger", "a_fear"].contains(&id.as_str())));
    let tested: Vec<_> = splits.folds.iter().map(|fold| fold.test.as_str()).collect();
    assert_eq!(tested, ["a", "b", "c", "d"], "e and f have nothing to test");
    assert!(splits.folds.iter().all(|fold| !fold.training.contains(&"e".to_owned())));
}

#[test]
fn ambiguous_are_those_with_votes_for_the_classes_but_another_label_or_none() {
    let mut utterances = corpus(&["a", "b", "c"], str::to_owned);
    let mut add = |id: &str, gold: Option<&str>, votes: &[(&str, u32)]| {
        let mut utterance = utterance(id, &id[..1], gold);
        utterance.votes = votes.iter().map(|&(label, n)| (label.to_owned(), n)).collect();
        utterances.push(utterance);
    };
    add("b_tie", None, &[("anger", 1), ("neutral", 1), ("fear", 1)]);
    add("a_fear", Some("fear"), &[("anger", 1), ("fear", 2)]);
    add("a_clear", Some("anger"), &[("anger", 2), ("fear", 1)]);
    add("a_other", Some("fear"), &[("anger", 0), ("fear", 3)]);
    add("a_broken", None, &[("anger", 1), ("neutral", 1)]);
    add("e_tie", None, &[("anger", 1), ("neutral", 1)]);
    let excluded = BTreeSet::from(["a_broken".to_owned()]);
    let splits = splits(&utterances, &excluded, &settings(&CLASSES), &toy("")).unwrap();
    assert_eq!(splits.ambiguous, ["a_fear", "b_tie"]);
    assert!(splits.utterances.contains(&"a_clear".to_owned()));
    assert!(!splits.utterances.contains(&"b_tie".to_owned()));
}

#[test]
fn a_balanced_split_tests_as_many_of_every_class() {
    let mut utterances = corpus(&["a", "b", "c"], str::to_owned);
    utterances.extend((0..5).map(|n| utterance(&format!("a_more{n}"), "a", Some("neutral"))));
    let balance = Some(BalanceSettings { seed: 3 });
    let settings = SplitSettings { balance, ..settings(&CLASSES) };
    let splits = splits(&utterances, &BTreeSet::new(), &settings, &toy("")).unwrap();
    assert_eq!(splits.utterances.len(), 12);
    assert_eq!(splits.folds.len(), 3);
}

#[test]
fn two_speakers_are_too_few() {
    let error = split(&corpus(&["a", "b"], str::to_owned), &toy("")).unwrap_err();
    insta::assert_snapshot!(error, @r"
    a fold needs three speakers, one each to test, validate and train; utterances labelled happiness, sadness, neutral, anger come from a, b
    hint: the index holds the labels anger, happiness, neutral, sadness
    ");
}

#[test]
fn a_class_without_training_utterance_names_fold_and_class() {
    let mut utterances = corpus(&["a", "b", "c", "d"], str::to_owned);
    utterances.retain(|u| u.gold.as_deref() != Some("anger") || u.speaker == "c");
    let error = split(&utterances, &toy("")).unwrap_err();
    assert_eq!(error.exit_code(), ambivox_settings::exit::DATA);
    insta::assert_snapshot!(error, @r"
    fold b: no training utterance is labelled anger
    hint: the index holds the labels anger, happiness, neutral, sadness; leave anger out of split.classes, or label more speech
    ");
}

#[test]
fn a_class_may_be_missing_in_test_and_validation() {
    let mut utterances = corpus(&["a", "b", "c", "d", "e"], str::to_owned);
    utterances.retain(|u| u.gold.as_deref() != Some("anger") || !["a", "b"].contains(&&*u.speaker));
    assert_eq!(split(&utterances, &toy("")).unwrap().folds.len(), 5);
}

#[test]
fn a_partner_without_utterances_is_an_error() {
    let manifest = toy("[speakers]\na.validation = \"z\"\nb = {}\nc = {}\nz = {}\n");
    let error = split(&corpus(&["a", "b", "c"], str::to_owned), &manifest).unwrap_err();
    insta::assert_snapshot!(error, @r"
    fold a: its validation speaker z has no utterance of any class
    hint: name another as speakers.a.validation in the manifest
    ");
}

/// From Table 1: whoever is tested, the partner validates, so that both folds of a session train on
/// the same eight others.
#[test]
fn iemocap_trains_on_the_sizes_that_table_1_gives() {
    let utterances = table_1();
    let splits = split(&utterances, &manifest("iemocap")).unwrap();
    let size = |fold: &ambivox_settings::Fold| {
        let trains = |u: &&Utterance| fold.training.contains(&u.speaker);
        (fold.name[..5].to_owned(), utterances.iter().filter(trains).count())
    };
    let by_session =
        [("Ses01", 3548), ("Ses02", 3677), ("Ses03", 3490), ("Ses04", 3697), ("Ses05", 3548)];
    let twice = by_session.iter().flat_map(|&(session, n)| [session; 2].map(|s| (s.to_owned(), n)));
    assert_eq!(splits.folds.iter().map(size).collect::<Vec<_>>(), twice.collect::<Vec<_>>());
}

#[test]
fn emodb_has_ten_folds_of_339_utterances() {
    let Some(root) = shared("data/emodb") else { return };
    let manifest = manifest("emodb");
    let utterances = utterances_of(&root, &manifest).unwrap();
    let splits = split(&utterances, &manifest).unwrap();
    assert_eq!(splits.utterances.len(), 339);
    let expected = [
        ("03", "08"),
        ("08", "03"),
        ("09", "10"),
        ("10", "09"),
        ("11", "13"),
        ("12", "14"),
        ("13", "11"),
        ("14", "12"),
        ("15", "16"),
        ("16", "15"),
    ];
    assert_eq!(partners(&splits), expected);
    assert!(splits.folds.iter().all(|fold| fold.training.len() == 8));
}

/// Who learns from votes is told before anything is trained.
#[test]
fn utterances_without_votes_are_listed_where_others_have_some() {
    let mut utterances = corpus(&["a", "b", "c"], str::to_owned);
    assert!(split(&utterances, &toy("")).unwrap().without_votes.is_empty());
    for utterance in &mut utterances[1..] {
        utterance.votes = [(utterance.gold.clone().unwrap(), 2)].into();
    }
    utterances[2].votes = [("no class".to_owned(), 2)].into();
    let mut expected = [&utterances[0], &utterances[2]].map(|u| u.utterance_id.clone());
    expected.sort();
    assert_eq!(split(&utterances, &toy("")).unwrap().without_votes, expected);
}

proptest! {
    #[test]
    fn no_speaker_is_in_two_parts_and_none_is_lost(
        sessions in proptest::collection::vec(0..4u8, 3..12),
        shuffle in any::<prop::sample::Index>(),
    ) {
        let speakers: Vec<String> = (0..sessions.len()).map(|i| format!("s{i:02}")).collect();
        let names: Vec<&str> = speakers.iter().map(String::as_str).collect();
        let session = |speaker: &str| sessions[speaker[1..].parse::<usize>().unwrap()].to_string();
        let mut utterances = corpus(&names, session);
        let splits = split(&utterances, &toy("")).unwrap();
        for fold in &splits.folds {
            let mut all = fold.training.clone();
            all.extend([fold.test.clone(), fold.validation.clone()]);
            all.sort_unstable();
            prop_assert_eq!(&all, &speakers);
        }
        let middle = shuffle.index(utterances.len());
        utterances.rotate_left(middle);
        prop_assert_eq!(split(&utterances, &toy("")).unwrap(), splits);
    }
}
