//! What the annotators make of the truth.

use std::collections::BTreeSet;

use ambivox_settings::SynthSettings;

use crate::support::{CLASSES, Made, Row, settings};

fn rows(annotator_error: f64) -> Vec<Row> {
    Made::new(&SynthSettings { annotator_error, ..settings() }).rows()
}

fn share(rows: &[Row], holds: impl Fn(&Row) -> bool) -> f64 {
    rows.iter().filter(|row| holds(row)).count() as f64 / rows.len() as f64
}

#[test]
fn most_turns_have_a_class_for_consensus_and_some_none() {
    let rows = rows(0.25);
    let in_four = share(&rows, |row| row.gold().is_some());
    let unresolved = share(&rows, |row| row.consensus.is_none());
    assert!(in_four > 0.7, "{in_four}");
    assert!((0.02..0.2).contains(&unresolved), "{unresolved}");
}

/// Share of the turns with a class for consensus where the consensus is wrong.
fn wrong(rows: &[Row]) -> f64 {
    let gold: Vec<Row> = rows.iter().filter(|row| row.gold().is_some()).cloned().collect();
    share(&gold, |row| row.gold() != Some(row.truth.as_str()))
}

#[test]
fn some_consensus_labels_are_wrong_and_more_as_annotators_err_more() {
    let rates = [0.1, 0.25, 0.35].map(|error| wrong(&rows(error)));
    assert!(rates.is_sorted(), "{rates:?}");
    assert!((0.03..0.15).contains(&rates[1]), "{rates:?}");
}

#[test]
fn annotators_who_never_err_agree_on_the_truth() {
    let rows = rows(0.0);
    // A second label may still tie one annotator's vote, but never outvote three.
    assert!(rows.iter().all(|row| row.consensus.as_ref() == Some(&row.truth)));
    assert!(rows.iter().all(|row| row.votes_for_truth == 3));
}

#[test]
fn votes_are_counted_by_labels() {
    let rows = rows(0.25);
    assert!(rows.iter().all(|row| row.votes >= 3 && row.votes_for_truth <= row.votes));
    assert!(rows.iter().any(|row| row.votes > 3), "nobody named two emotions");
}

#[test]
fn every_class_is_left_for_training_in_every_fold() {
    let rows = rows(0.25);
    for session in ["Ses01", "Ses02", "Ses03", "Ses04", "Ses05"] {
        for class in CLASSES {
            let training = rows.iter().filter(|row| !row.speaker.starts_with(session));
            let count = training.filter(|row| row.gold() == Some(class)).count();
            assert!(count >= 20, "{class} without {session}: {count}");
        }
    }
}

#[test]
fn rows_are_sorted_and_unique() {
    let ids: Vec<String> = rows(0.25).into_iter().map(|row| row.id).collect();
    assert!(ids.is_sorted());
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
}
