//! Tests of `plan`.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::testing::settings;

fn turns(settings: &SynthSettings) -> Vec<Turn> {
    dialogues(settings).into_iter().flat_map(|dialogue| dialogue.turns).collect()
}

#[test]
fn every_speaker_has_their_turns_and_every_name_is_one() {
    let turns = turns(&settings());
    let names: BTreeSet<&str> = turns.iter().map(|turn| turn.name.as_str()).collect();
    assert_eq!(names.len(), 10 * settings().turns_per_speaker);
    for speaker in Speaker::all() {
        let own = turns.iter().filter(|turn| turn.speaker == speaker).count();
        assert_eq!(own, settings().turns_per_speaker);
    }
}

#[test]
fn the_letter_of_a_turn_is_its_speaker_and_not_the_dialogues() {
    let turns = turns(&settings());
    let suffix = |turn: &Turn| turn.name.rsplit('_').next().map(|s| s.chars().next());
    assert!(turns.iter().all(|t| suffix(t) == Some(Some(t.speaker.sex.letter()))));
    assert!(turns.iter().any(|t| t.name.starts_with("Ses03F_impro05a_M")));
}

#[test]
fn the_female_speakers_turns_come_first_in_a_dialogue() {
    for dialogue in dialogues(&settings()) {
        let sexes: Vec<u8> = dialogue.turns.iter().map(|turn| turn.speaker.sex as u8).collect();
        assert!(sexes.is_sorted(), "{}", dialogue.name);
        assert!(sexes.contains(&0) && sexes.contains(&1), "{}", dialogue.name);
    }
}

#[test]
fn turns_of_a_dialogue_do_not_overlap_and_interleave() {
    for dialogue in dialogues(&settings()) {
        let mut turns = dialogue.turns.clone();
        let listed: Vec<usize> = turns.iter().map(|turn| turn.start).collect();
        assert!(
            !listed.is_sorted(),
            "{}: all F then all M is not the order in time",
            dialogue.name
        );
        turns.sort_by_key(|turn| turn.start);
        assert!(turns.windows(2).all(|pair| pair[0].start + pair[0].samples < pair[1].start));
    }
}

fn counts(settings: &SynthSettings, speaker: Speaker) -> BTreeMap<Emotion, usize> {
    let mut counts = BTreeMap::new();
    for turn in turns(settings).iter().filter(|turn| turn.speaker == speaker) {
        *counts.entry(turn.truth).or_insert(0) += 1;
    }
    counts
}

#[test]
fn every_speaker_has_each_class_in_its_share() {
    for speaker in Speaker::all() {
        let counts = counts(&settings(), speaker);
        for (emotion, share) in SHARES {
            let expected = share * settings().turns_per_speaker as f64;
            let count = counts.get(&emotion).copied().unwrap_or(0) as f64;
            assert!((count - expected).abs() < 1.0, "{emotion:?}: {count} of {expected}");
        }
    }
}

#[test]
fn nothing_is_its_own_rival() {
    assert!(turns(&settings()).iter().all(|turn| turn.rival != turn.truth));
}

#[test]
fn shares_sum_to_one() {
    assert!((shares().iter().sum::<f64>() - 1.0).abs() < 1e-12);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn lengths_and_class_counts_keep_their_limits(seed: u64, count in 12_usize..60) {
        let settings = SynthSettings { seed, turns_per_speaker: count, ..settings() };
        let limits = to_samples(settings.min_seconds)..=to_samples(settings.max_seconds);
        for turn in turns(&settings) {
            prop_assert!(limits.contains(&turn.samples));
            prop_assert!((0.0..1.0).contains(&turn.intensity));
        }
        for speaker in Speaker::all() {
            let counts = counts(&settings, speaker);
            for (class, _) in &SHARES[..4] {
                prop_assert!(counts.get(class).is_some_and(|count| *count >= 2));
            }
        }
    }
}
