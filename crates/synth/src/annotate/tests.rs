//! Tests of `annotate`.

use super::*;
use crate::plan::dialogues;
use crate::testing::settings;

#[test]
fn the_consensus_is_the_only_leader() {
    use Emotion::{Anger, Neutral, Sadness};
    let of = |labels: &[&[Emotion]]| {
        let labels: Vec<Vec<Emotion>> = labels.iter().map(|l| l.to_vec()).collect();
        consensus(&votes(&labels))
    };
    assert_eq!(of(&[&[Anger], &[Neutral], &[Anger]]), Some(Anger));
    assert_eq!(of(&[&[Anger], &[Neutral], &[Sadness]]), None);
    // Each label of an annotator who names two counts one, so the second decides or ties.
    assert_eq!(of(&[&[Anger, Neutral], &[Neutral], &[Sadness]]), Some(Neutral));
    assert_eq!(of(&[&[Anger, Neutral], &[Neutral], &[Anger]]), None);
    assert_eq!(of(&[]), None);
}

/// Truth, intensity and the annotators' first labels of many turns.
fn first_labels(settings: &SynthSettings) -> Vec<(Emotion, f64, Vec<Emotion>)> {
    let annotators = Annotator::all(settings);
    let turns = dialogues(settings).into_iter().flat_map(|dialogue| dialogue.turns);
    let judged = turns.map(|turn| {
        let labels = judge(settings, &annotators, &turn, true).labels;
        (turn.truth, turn.intensity, labels.iter().map(|labels| labels[0]).collect())
    });
    judged.collect()
}

/// Share of wrong first labels among the turns for which `keep` holds.
fn error(labels: &[(Emotion, f64, Vec<Emotion>)], keep: impl Fn(Emotion, f64) -> bool) -> f64 {
    let kept = labels.iter().filter(|(truth, intensity, _)| keep(*truth, *intensity));
    let wrong: Vec<bool> = kept
        .flat_map(|(truth, _, labels)| labels.iter().map(move |label| label != truth))
        .collect();
    wrong.iter().filter(|wrong| **wrong).count() as f64 / wrong.len() as f64
}

#[test]
fn annotators_err_at_the_rate_that_is_set() {
    for rate in [0.0, 0.1, 0.25, 0.35] {
        let settings =
            SynthSettings { turns_per_speaker: 400, annotator_error: rate, ..settings() };
        let measured = error(&first_labels(&settings), |_, _| true);
        // 12,000 labels, correlated within a turn: standard error below 0.008.
        assert!((measured - rate).abs() < 0.02, "{measured} for {rate}");
    }
}

#[test]
fn weak_turns_and_happiness_are_mistaken_most() {
    let labels = first_labels(&SynthSettings { turns_per_speaker: 400, ..settings() });
    let weak = error(&labels, |_, intensity| intensity < 0.3);
    let strong = error(&labels, |_, intensity| intensity > 0.7);
    assert!(weak > 1.8 * strong, "{weak} {strong}");
    let of = |emotion| error(&labels, |truth, _| truth == emotion);
    for clearer in [Emotion::Neutral, Emotion::Sadness, Emotion::Anger] {
        assert!(of(Emotion::Happiness) > of(clearer) + 0.05, "{clearer:?}");
    }
}

#[test]
fn annotators_differ_in_how_often_they_err() {
    let labels = first_labels(&SynthSettings { turns_per_speaker: 400, ..settings() });
    let errors = [0, 1, 2].map(|annotator| {
        labels.iter().filter(|(truth, _, labels)| labels[annotator] != *truth).count()
    });
    assert!(errors.is_sorted() && errors[2] > errors[0] * 5 / 4, "{errors:?}");
}

#[test]
fn self_evaluations_are_of_some_improvised_turns_of_six_speakers() {
    let settings = settings();
    let annotators = Annotator::all(&settings);
    let mut with = 0;
    for dialogue in dialogues(&settings) {
        for turn in &dialogue.turns {
            let judgement = judge(&settings, &annotators, turn, dialogue.improvised());
            with += usize::from(judgement.own.is_some());
            let may = dialogue.improvised() && turn.speaker.session <= 3;
            assert!(may || judgement.own.is_none(), "{}", turn.name);
        }
    }
    // Half of the improvised turns (4 of 8 scenes) of 6 speakers with 30 turns: 45 expected.
    assert!((25..65).contains(&with), "{with}");
}
