//! Tests of `speak`.

use proptest::prelude::*;

use super::*;
use crate::emotion::Emotion;
use crate::plan::{Sex, dialogues};
use crate::score::F0_LIMITS;
use crate::testing::settings;

fn first_turn() -> Turn {
    dialogues(&settings()).swap_remove(0).turns.swap_remove(0)
}

/// Whoever changes the sound on purpose changes this digest and says so in the commit; anyone else
/// has broken "same settings, same bytes".
#[test]
fn the_sound_of_a_turn_is_what_it_was() {
    let sound = speak(&settings(), &voices(&settings()), &first_turn());
    let bytes: Vec<u8> = quantise(&sound.samples).iter().flat_map(|s| s.to_le_bytes()).collect();
    assert_eq!(
        blake3::hash(&bytes).to_hex().as_str(),
        "443a7260ce026b49c8bda1c5cf5af5620712b1e27bb0ad7d62b5d96347524243"
    );
}

#[test]
fn men_and_women_speak_in_their_ranges() {
    for voice in voices(&settings()) {
        let range = if voice.sex == Sex::F { 160.0..310.0 } else { 95.0..185.0 };
        assert!(range.contains(&voice.f0_hz), "{}", voice.f0_hz);
    }
}

#[test]
fn a_turn_is_speech_and_pauses_over_a_floor_of_noise() {
    let sound = speak(&settings(), &voices(&settings()), &first_turn());
    let levels: Vec<f64> = sound.samples.chunks(400).map(level).collect();
    let loudest = levels.iter().copied().fold(0.0, f64::max);
    let quietest = levels.iter().copied().fold(f64::MAX, f64::min);
    // Speech at some -20 dB over pauses at some -60 dB, and no digital silence.
    assert!(loudest > 0.03 && loudest < 0.6, "{loudest}");
    assert!(quietest > 1e-4 && quietest < loudest / 10.0, "{quietest}");
}

fn level(samples: &[f64]) -> f64 {
    (samples.iter().map(|x| x * x).sum::<f64>() / samples.len() as f64).sqrt()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn samples_are_finite_in_range_and_as_many_as_planned(
        seed: u64,
        samples in 11_200_usize..64_000,
        emotion in 0_usize..10,
        speaker in 0_usize..10,
        intensity in 0.0..1.0_f64,
        expressiveness in 0.0..=2.0_f64,
    ) {
        let settings = SynthSettings { seed, expressiveness, ..settings() };
        let speaker = Speaker::all().nth(speaker).unwrap();
        let truth = Emotion::ALL[emotion];
        let turn = Turn { speaker, truth, intensity, samples, ..first_turn() };
        let sound = speak(&settings, &voices(&settings), &turn);
        prop_assert_eq!(sound.samples.len(), samples);
        prop_assert!(sound.samples.iter().all(|x| x.is_finite() && x.abs() < 1.0));
        prop_assert!((F0_LIMITS.0..=F0_LIMITS.1).contains(&sound.f0_hz), "F0 {}", sound.f0_hz);
        prop_assert!(level(&sound.samples) > 0.004, "no speech in it");
    }
}
