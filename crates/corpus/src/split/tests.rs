//! Folds of made-up speakers, of IEMOCAP's and of EmoDB's.

use ambivox_settings::{BalanceSettings, Exclusion, Section};
use proptest::prelude::*;

use super::*;
use crate::testing::{manifest, manifest_of, shared, strings, table_1, utterance, utterances_of};

const CLASSES_OF_B: [&str; 4] = ["b_anger", "b_happiness", "b_neutral", "b_sadness"];

const CLASSES: [&str; 4] = ["happiness", "sadness", "neutral", "anger"];

fn settings(classes: &[&str]) -> SplitSettings {
    split_by("kind = \"leave-one-speaker-out\"", classes)
}

fn split_by(section: &str, classes: &[&str]) -> SplitSettings {
    let section: Section = toml::from_str(section).unwrap();
    SplitSettings { section, classes: strings(classes), balance: None }
}

fn without(excluded: &[&str]) -> Exclusions {
    let reason = String::new;
    let excluded = excluded.iter().map(|id| Exclusion {
        utterance_id: (*id).to_owned(),
        path: String::new(),
        reason: reason(),
    });
    Exclusions { schema: 1, excluded: excluded.collect(), ..Exclusions::default() }
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

/// The folds of kinds that read no list of parts.
fn divided(
    utterances: &[Utterance],
    excluded: &[&str],
    settings: &SplitSettings,
    manifest: &Manifest,
) -> Result<Splits, CorpusError> {
    let splits = splits(utterances, &without(excluded), settings, manifest, None)?;
    assert!(splits.notes.is_empty() && !splits.listed);
    Ok(splits)
}

fn split(utterances: &[Utterance], manifest: &Manifest) -> Result<Splits, CorpusError> {
    divided(utterances, &[], &settings(&CLASSES), manifest)
}

/// Who is tested and who validates, where each part of a fold is one speaker.
fn partners(splits: &Splits) -> Vec<(&str, &str)> {
    let only = |groups: &'_ [String]| assert_eq!(groups.len(), 1);
    let pair = |fold: &'_ Fold| {
        only(&fold.tested);
        only(&fold.validating);
    };
    splits.folds.iter().for_each(pair);
    splits.folds.iter().map(|fold| (&*fold.tested[0], &*fold.validating[0])).collect()
}

/// Ids of the utterances that train in a fold.
fn training<'a>(splits: &'a Splits, fold: &Fold) -> Vec<&'a str> {
    let ids = splits.utterances.iter().filter(|id| !fold.test.contains(id));
    ids.filter(|id| !fold.validation.contains(id)).map(String::as_str).collect()
}

#[test]
fn the_manifests_partner_validates() {
    let utterances = corpus(&["a", "b", "c"], str::to_owned);
    let manifest = toy("[speakers]\na.validation = \"c\"\nb = {}\nc = {}\n");
    let splits = split(&utterances, &manifest).unwrap();
    assert_eq!(partners(&splits), [("a", "c"), ("b", "c"), ("c", "a")]);
    assert_eq!(training(&splits, &splits.folds[0]), CLASSES_OF_B);
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
    let splits =
        divided(&utterances, &["a_anger", "f_anger"], &settings(&CLASSES), &toy("")).unwrap();
    assert_eq!(splits.utterances.len(), 15);
    assert!(splits.utterances.is_sorted());
    assert!(!splits.utterances.iter().any(|id| ["a_anger", "a_fear"].contains(&id.as_str())));
    let tested: Vec<&str> = partners(&splits).into_iter().map(|(test, _)| test).collect();
    assert_eq!(tested, ["a", "b", "c", "d"], "e and f have nothing to test");
    let ids = splits.folds.iter().flat_map(|fold| fold.test.iter().chain(&fold.validation));
    assert!(ids.into_iter().all(|id| splits.utterances.contains(id)));
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
    let splits = divided(&utterances, &["a_broken"], &settings(&CLASSES), &toy("")).unwrap();
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
    let splits = divided(&utterances, &[], &settings, &toy("")).unwrap();
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
    let size = |fold: &Fold| (fold.name[..5].to_owned(), training(&splits, fold).len());
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
    let tested: usize = splits.folds.iter().map(|fold| fold.test.len()).sum();
    assert_eq!(tested, 339);
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

/// Who validates is a setting: the next speaker, whole speakers that are drawn, or nobody.
#[test]
fn who_validates_is_a_setting() {
    let speakers = ["Ses01F", "Ses01M", "Ses02F", "Ses02M"];
    let utterances = corpus(&speakers, |speaker| speaker[..5].to_owned());
    let divided = |kind: &str, validation: &str| {
        let settings = split_by(&format!("{kind}\nvalidation = {validation}"), &CLASSES);
        divided(&utterances, &[], &settings, &toy("")).unwrap()
    };
    let loso = "kind = \"leave-one-speaker-out\"";
    let next = divided(loso, "\"next-group\"");
    assert_eq!(partners(&next)[1], ("Ses01M", "Ses02F"));
    assert_eq!(partners(&divided(loso, "\"partner\""))[1], ("Ses01M", "Ses01F"));
    let k_fold = "kind = \"group-k-fold\"\ngroup = \"speaker\"\nfolds = 3\nseed = 1";
    for kind in [loso, k_fold] {
        let none = divided(kind, "\"none\"");
        for fold in &none.folds {
            assert!(fold.validating.is_empty() && fold.validation.is_empty());
            assert_eq!(training(&none, fold).len() + fold.test.len(), 16);
        }
        let drawn = divided(kind, "{ share = 0.4, seed = 1 }");
        for fold in &drawn.folds {
            assert_eq!(fold.validation.len(), 4 * fold.validating.len());
            assert!(fold.validating.iter().all(|name| !fold.tested.contains(name)));
            assert!(!fold.validating.is_empty() && !training(&drawn, fold).is_empty());
        }
    }
    let two = &utterances[..8];
    let settings = split_by(&format!("{loso}\nvalidation = \"none\""), &CLASSES);
    assert_eq!(
        super::splits(two, &without(&[]), &settings, &toy(""), None).unwrap().folds.len(),
        2
    );
    let one = super::splits(&two[..4], &without(&[]), &settings, &toy(""), None).unwrap_err();
    assert!(one.to_string().contains("needs two speakers, one each to test and train"), "{one}");
}

/// What is in two parts of a fold is told, whatever is divided.
#[test]
fn leaks_are_told() {
    let mut utterances = corpus(&["a", "b", "c"], str::to_owned);
    let splits = split(&utterances, &toy("")).unwrap();
    assert!(splits.folds.iter().all(|fold| fold.in_two_parts.is_empty()));
    for (number, utterance) in utterances.iter_mut().enumerate() {
        utterance.sentence = Some(["yes", "no"][number % 2].to_owned());
    }
    // Nobody else says this.
    utterances[0].sentence = Some("well".to_owned());
    let identical = [["a_anger", "b_anger"], ["c_anger", "c_neutral"]].map(|ids| strings(&ids));
    let exclusions = Exclusions { identical: identical.to_vec(), ..without(&[]) };
    let found = |text: &str| {
        let settings = split_by(text, &CLASSES);
        super::splits(&utterances, &exclusions, &settings, &toy(""), None).unwrap().folds
    };
    let folds = found("kind = \"leave-one-speaker-out\"");
    let twins: Vec<Vec<String>> = folds.iter().map(|fold| fold.same_recordings.clone()).collect();
    // Of a's fold, b validates; c's own recordings are in one part.
    let expected = [&["a_anger", "b_anger"][..], &["b_anger"], &["a_anger"]].map(strings);
    assert_eq!(twins, expected);
    assert!(folds.iter().all(|fold| fold.sentences_in_two_parts == Some(2)));
    let by_sentence = "kind = \"group-k-fold\"\ngroup = \"sentence\"\nfolds = 3\nseed = 1";
    let settings = split_by(by_sentence, &CLASSES);
    let mut utterances = corpus(&["a", "b", "c", "d"], str::to_owned);
    for (number, utterance) in utterances.iter_mut().enumerate() {
        let says = ["yes", "yes", "no", "well"][number / 4];
        utterance.sentence = Some(says.to_owned());
    }
    utterances[0].sentence = Some("no".to_owned());
    let split_by_sentence = |utterances: &[Utterance]| {
        super::splits(utterances, &without(&[]), &settings, &toy(""), None)
    };
    let folds = split_by_sentence(&utterances).unwrap().folds;
    let told: Vec<(&str, usize, &[String])> = folds
        .iter()
        .map(|fold| (&*fold.name, fold.sentences_in_two_parts.unwrap(), &fold.in_two_parts[..]))
        .collect();
    // Wherever yes and no are in two parts, so is a, who says both.
    let of_a = strings(&["a"]);
    assert_eq!(told, [("no", 0, &of_a[..]), ("well", 0, &of_a), ("yes", 0, &of_a)]);
    utterances[0].sentence = None;
    let error = split_by_sentence(&utterances).unwrap_err();
    assert!(error.to_string().contains("1 utterances of the classes have no sentence"), "{error}");
}

/// Who is heard in training says something else, and what is said, somebody else.
#[test]
fn a_sentence_is_left_out_with_its_speaker() {
    let text = "kind = \"leave-one-speaker-out\"\nvalidation = \"none\"\nand_sentence = true";
    let settings = split_by(text, &CLASSES);
    let mut utterances = corpus(&["a", "b", "c", "d"], str::to_owned);
    let split = |utterances: &[Utterance]| {
        super::splits(utterances, &without(&[]), &settings, &toy(""), None)
    };
    let error = split(&utterances).unwrap_err().to_string();
    assert!(error.contains("16 utterances of the classes have no sentence"), "{error}");
    for (number, utterance) in utterances.iter_mut().enumerate() {
        utterance.sentence = Some(["yes", "no", "well"][(number + number / 4) % 3].to_owned());
    }
    let Splits { folds, notes, .. } = split(&utterances).unwrap();
    assert!(notes[0].contains("rates over all folds"), "{notes:?}");
    assert_eq!(folds.iter().map(|fold| fold.test.len()).sum::<usize>(), utterances.len());
    assert_eq!(folds.len(), 12);
    for fold in &folds {
        let (speaker, sentence) = fold.name.split_once(' ').unwrap();
        let says = |u: &&Utterance| u.sentence.as_deref() == Some(sentence);
        let (elsewhere, test) = (fold.elsewhere(), &fold.test);
        assert_eq!(
            (&fold.tested[..], fold.sentences_in_two_parts),
            (&strings(&[speaker])[..], Some(0))
        );
        for utterance in &utterances {
            let trains = !elsewhere.contains(utterance.utterance_id.as_str());
            let (own, said) = (utterance.speaker == speaker, says(&utterance));
            assert_eq!(trains, !own && !said, "{}: {utterance:?}", fold.name);
            assert_eq!(test.contains(&utterance.utterance_id), own && said);
        }
    }
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
            let rest = training(&splits, fold);
            let trains: BTreeSet<&str> = rest.iter().map(|id| &id[..3]).collect();
            let others = [&*fold.tested[0], &*fold.validating[0]];
            prop_assert!(others.iter().all(|name| !trains.contains(name)));
            prop_assert_eq!(trains.len() + others.len(), speakers.len());
            prop_assert_eq!(rest.len() + fold.test.len() + fold.validation.len(), utterances.len());
        }
        let middle = shuffle.index(utterances.len());
        utterances.rotate_left(middle);
        prop_assert_eq!(split(&utterances, &toy("")).unwrap(), splits);
    }
}

fn k_fold(group: Grouping, folds: usize, seed: u64) -> SplitSettings {
    let group = group.as_str();
    let text =
        format!("kind = \"group-k-fold\"\ngroup = {group:?}\nfolds = {folds}\nseed = {seed}");
    split_by(&text, &CLASSES)
}

/// IEMOCAP as most of its papers divide it: five folds, a session each.
#[test]
fn sessions_are_tested_one_after_the_other() {
    let utterances = table_1();
    let settings = k_fold(Grouping::Session, 5, 0);
    let splits = divided(&utterances, &[], &settings, &manifest("iemocap")).unwrap();
    let expected = [
        ("Ses01", "Ses02"),
        ("Ses02", "Ses03"),
        ("Ses03", "Ses04"),
        ("Ses04", "Ses05"),
        ("Ses05", "Ses01"),
    ];
    assert_eq!(partners(&splits), expected);
    assert!(splits.folds.iter().all(|fold| fold.name == fold.tested[0]));
    let tested: usize = splits.folds.iter().map(|fold| fold.test.len()).sum();
    assert_eq!(tested, utterances.len());
}

/// Single utterances are dealt out label by label, whoever speaks.
#[test]
fn utterances_are_divided_with_like_shares_of_all_labels() {
    let class = |n: usize| CLASSES[if n < 20 { 0 } else { n % 4 }];
    let one = |n| utterance(&format!("u{n:02}"), "s", Some(class(n)));
    let utterances: Vec<Utterance> = (0..40).map(one).collect();
    let settings = k_fold(Grouping::Utterance, 5, 7);
    let splits = divided(&utterances, &[], &settings, &toy("")).unwrap();
    let tested: BTreeSet<&String> = splits.folds.iter().flat_map(|fold| &fold.test).collect();
    assert_eq!((splits.folds.len(), tested.len()), (5, 40));
    for fold in &splits.folds {
        let first = fold.test.iter().filter(|id| class(id[1..].parse().unwrap()) == CLASSES[0]);
        assert_eq!((fold.test.len(), first.count()), (8, 5), "{fold:?}");
        assert_eq!(fold.in_two_parts, ["s"], "who speaks in two parts is told");
    }
}

#[test]
fn more_folds_than_groups_are_refused() {
    let utterances = corpus(&["a", "b", "c"], |_| "one".to_owned());
    let refused = |group, folds| {
        let settings = k_fold(group, folds, 0);
        let error = divided(&utterances, &[], &settings, &toy("")).unwrap_err();
        assert_eq!(error.exit_code(), ambivox_settings::exit::DATA);
        error.to_string()
    };
    insta::assert_snapshot!(refused(Grouping::Speaker, 4), @r"
    split.folds = 4, and 3 speakers have utterances of the classes
    hint: a fold tests one speaker at least; lower split.folds, or choose another split.group
    ");
    assert!(refused(Grouping::Session, 3).contains("three sessions"));
}

proptest! {
    /// Each utterance is tested once and validates once, and no speaker is in two parts of a fold.
    #[test]
    fn parts_are_of_like_size_and_divide_nobody(
        sizes in prop::collection::vec(1_usize..9, 4..30),
        folds in 3_usize..6,
        seed in 0_u64..100,
    ) {
        let folds = folds.min(sizes.len());
        let mut utterances = Vec::new();
        for (speaker, size) in sizes.iter().enumerate() {
            for (n, class) in (0..4 * size).zip(CLASSES.iter().cycle()) {
                let (id, name) = (format!("{speaker:02}_{n:02}"), format!("{speaker:02}"));
                utterances.push(utterance(&id, &name, Some(class)));
            }
        }
        let settings = k_fold(Grouping::Speaker, folds, seed);
        let splits = divided(&utterances, &[], &settings, &toy("")).unwrap();
        prop_assert_eq!(splits.folds.len(), folds);
        prop_assert!(splits.folds.is_sorted_by_key(|fold| fold.name.clone()));
        for pick in [|fold: &Fold| fold.test.clone(), |fold: &Fold| fold.validation.clone()] {
            let mut ids: Vec<String> = splits.folds.iter().flat_map(pick).collect();
            ids.sort_unstable();
            prop_assert_eq!(&ids, &splits.utterances);
        }
        let largest = 4 * sizes.iter().max().unwrap();
        let of_test = splits.folds.iter().map(|fold| fold.test.len());
        let (least, most) = (of_test.clone().min().unwrap(), of_test.max().unwrap());
        prop_assert!(most - least <= largest, "{} {}", least, most);
        for fold in &splits.folds {
            let speakers = |ids: &[String]| ids.iter().map(|id| id[..2].to_owned()).collect();
            let (test, validation): (BTreeSet<String>, BTreeSet<String>) =
                (speakers(&fold.test), speakers(&fold.validation));
            prop_assert!(test.is_disjoint(&validation));
            prop_assert!(test.iter().eq(&fold.tested) && validation.iter().eq(&fold.validating));
        }
    }
}
