//! Tables stay within 80 columns and say what they are.

use std::collections::BTreeMap;

use ambivox_eval::{EpochRecord, RunHistory, SummaryBuilder, Tested};

use super::*;

fn classes() -> Vec<String> {
    ["happiness", "sadness"].map(str::to_owned).to_vec()
}

fn summary(folds: usize, synthetic: bool) -> Summary {
    summary_of(&["baseline", "lw"], folds, synthetic)
}

fn summary_of(methods: &[&str], folds: usize, synthetic: bool) -> Summary {
    let mut builder = SummaryBuilder::new("toy", &classes(), synthetic);
    for &method in methods {
        for fold in 0..folds {
            let right = if method == "lw" { 9 } else { 8 };
            let predicted = |i| if i < right { i % 2 } else { (i + fold) % 2 };
            let p: [&[f32]; 2] = [&[0.75, 0.25], &[0.25, 0.75]];
            let pairs = (0..10).map(|i| (i % 2, p[predicted(i)]));
            let tested = Tested::from_probabilities(2, pairs).unwrap();
            builder.add_run(tested, &history(method, fold)).unwrap();
        }
    }
    builder.finish().unwrap()
}

fn history(method: &str, fold: usize) -> RunHistory {
    let epoch = EpochRecord {
        epoch: 1,
        train_loss: 1.0,
        validation_loss: Some(1.0),
        ..EpochRecord::default()
    };
    RunHistory {
        schema: 1,
        method: method.to_owned(),
        seed: 0,
        fold: format!("Ses{fold:02}F"),
        classes: classes(),
        train_utterances: 10,
        validation_utterances: 10,
        test_utterances: 10,
        parameters: 1,
        best_epoch: 1,
        chosen: BTreeMap::new(),
        initial_mean_weight: None,
        epochs: vec![epoch],
    }
}

#[test]
fn rates_per_method_and_fold() {
    let text = rates(&summary(3, true));
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn nine_methods_are_told_apart_within_the_width() {
    let ids = "baseline oversampling undersampling soft-target cyclegan l w lw-pretrained lw";
    let ids: Vec<&str> = ids.split(' ').collect();
    let text = rates(&summary_of(&ids, 10, false));
    assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
    let heads: Vec<&str> = text.lines().filter(|line| line.starts_with("| fold")).collect();
    assert_eq!(heads.len(), 2, "{text}");
    let named = heads.iter().flat_map(|head| head.trim_matches('|').split_whitespace());
    let named: Vec<&str> = named.filter(|name| *name != "fold").collect();
    assert_eq!(named, ids, "{text}");
}

/// As many runs as there are, not as many as seeds and folds call for.
#[test]
fn a_cross_validation_cut_short_counts_its_runs() {
    let mut summary = summary(10, false);
    let seeds = &mut summary.methods.get_mut("lw").unwrap().seeds;
    let whole = seeds[&0].clone();
    seeds.extend([(1, whole.clone()), (2, whole)]);
    assert!(rates(&summary).contains(" 3 × 10 "), "{}", rates(&summary));
    let seeds = &mut summary.methods.get_mut("lw").unwrap().seeds;
    let folds = &mut seeds.get_mut(&2).unwrap().folds;
    folds.retain(|name, _| name != "Ses00F" && name != "Ses07F");
    let text = rates(&summary);
    assert!(text.contains(" 28 of 30 ") && text.contains(" 1 × 10 "), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
}

#[test]
fn test_sets_stand_apart() {
    let mut summary = summary(3, true);
    summary.test_sets = true;
    let text = rates(&summary);
    assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn columns_are_divided_by_the_room_there_is() {
    assert_eq!(fitting(&[5, 5, 5], 16), [0..2, 2..3]);
    assert_eq!(fitting(&[5, 5, 5], 24), vec![0..3]);
    assert_eq!(fitting(&[50, 5], 16), [0..1, 1..2]);
    assert!(fitting(&[], 16).is_empty());
}

#[test]
fn many_folds_are_summed_up() {
    let text = rates(&summary(FOLDS_SHOWN + 1, false));
    assert!(!text.contains("each fold"), "{text}");
    assert!(!text.contains("synthetic"), "{text}");
    assert!(text.contains("baseline") && text.contains("lw"), "{text}");
}

#[test]
fn many_labels_are_cut_to_three_letters() {
    let labels = BTreeSet::from(["anger", "excitement", "fear", "other", "sadness", "ärger"]);
    let head = ["speaker", "all", "ang", "exc", "fea", "oth", "sad", "ärg"];
    assert_eq!(index_head(&labels), head);
}

#[test]
fn the_index_by_speaker_and_label() {
    let speaker = |name: &str, gold: &[(&str, u64)]| SpeakerSummary {
        speaker: name.to_owned(),
        session: "1".to_owned(),
        sex: None,
        utterances: 5,
        seconds: 9.0,
        gold: gold.iter().map(|(label, n)| ((*label).to_owned(), *n)).collect::<BTreeMap<_, _>>(),
    };
    let summary = IndexSummary {
        schema: 1,
        corpus: "toy".to_owned(),
        utterances: 10,
        seconds: 1800.0,
        votes: false,
        annotators: Some(AnnotatorsSummary {
            ratings: 24,
            rated: [9, 8],
            fleiss_kappa: Some(0.414),
            krippendorff_alpha: None,
            annotators: Vec::new(),
        }),
        speakers: vec![
            speaker("s1", &[("anger", 2), ("sadness", 3)]),
            speaker("s2", &[("anger", 1)]),
        ],
        files: 10,
        blake3: "00ff".repeat(16),
        release_differences: vec!["10 files where the release has 12".to_owned()],
        corrections: None,
        warnings: Vec::new(),
    };
    insta::assert_snapshot!(index(&summary));
}
