//! Pieces of any size, on any instruction set, give the same bytes.

use proptest::prelude::*;

use super::*;
use crate::Extractor;

fn stream(set: &str) -> Stream {
    Stream::new(&FeatureSet::builtin(set).unwrap()).unwrap()
}

/// A buzz that comes and goes over noise: voiced and unvoiced frames, no two alike.
fn sound(length: usize) -> Vec<f32> {
    let mut state = 1u32;
    let sample = |n: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let noise = (state >> 16) as f32 / 65_536.0 - 0.5;
        let pulse = if n % 97 < 3 && n % 5000 < 3000 { 0.6 } else { 0.0 };
        pulse + 0.05 * noise
    };
    (0..length).map(sample).collect()
}

/// The bits of an utterance's rows, its samples coming in pieces of these sizes over and over.
fn rows(stream: &mut Stream, samples: &[f32], sizes: &[usize]) -> Vec<u32> {
    let (mut out, mut left) = (Vec::new(), samples);
    for &size in sizes.iter().cycle() {
        let (piece, others) = left.split_at(size.min(left.len()));
        let before = out.len() / stream.width() + stream.rows_due(piece.len());
        stream.push(piece, &mut out);
        assert_eq!(out.len() / stream.width(), before);
        left = others;
        if left.is_empty() {
            break;
        }
    }
    let all = out.len() / stream.width() + stream.rows_left();
    assert_eq!(all, stream.rows_of(samples.len()));
    stream.finish(&mut out);
    assert_eq!(out.len() / stream.width(), all);
    out.into_iter().map(f32::to_bits).collect()
}

fn at_once(set: &str, samples: &[f32]) -> Vec<u32> {
    let set = FeatureSet::builtin(set).unwrap();
    let frames = Extractor::new(&set).unwrap().process(samples);
    frames.data().iter().map(|value| value.to_bits()).collect()
}

/// Every instruction set of this machine.
fn instruction_sets() -> Vec<Arch> {
    let mut all = vec![Arch::Scalar, Arch::new()];
    #[cfg(target_arch = "x86_64")]
    all.extend(pulp::x86::V3::try_new().map(Arch::V3));
    all
}

#[test]
fn every_instruction_set_gives_the_same_bits() {
    let samples = sound(30_000);
    for set in FeatureSet::builtin_names() {
        let mut stream = stream(set);
        for length in [400, 560, 4000, 4321, 30_000] {
            let mut tables = instruction_sets().into_iter().map(|arch| {
                stream.arch = arch;
                rows(&mut stream, &samples[..length], &[length])
            });
            let first = tables.next().unwrap();
            assert!(tables.all(|table| table == first), "{set}, {length} samples");
        }
    }
}

#[test]
fn the_test_sound_is_voiced_in_part() {
    let mut out = Vec::new();
    let mut stream = stream("ser32");
    stream.push(&sound(30_000), &mut out);
    let voiced = out.chunks_exact(32).filter(|row| row[13] > 0.0).count();
    assert!(voiced > 20 && voiced < out.len() / 32 - 20, "{voiced}");
}

#[test]
fn sample_by_sample_gives_the_same_bytes() {
    let samples = sound(9_000);
    for set in FeatureSet::builtin_names() {
        let mut stream = stream(set);
        assert_eq!(rows(&mut stream, &samples, &[1]), at_once(set, &samples), "{set}");
    }
}

#[test]
fn memory_stays_as_it_is() {
    let samples = sound(16_000);
    for set in FeatureSet::builtin_names() {
        let mut stream = stream(set);
        let mut out = Vec::with_capacity(stream.rows_of(20 * samples.len()) * stream.width());
        stream.push(&samples, &mut out);
        let held = stream.contour.held();
        for _ in 0..10 {
            stream.push(&samples, &mut out);
        }
        assert_eq!(stream.contour.held(), held, "{set}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn pieces_of_any_size_give_the_same_bytes(
        length in prop_oneof![0usize..1500, 0usize..12_000],
        sizes in prop::collection::vec(1usize..3000, 1..6),
    ) {
        let samples = sound(length);
        for set in FeatureSet::builtin_names() {
            let mut stream = stream(set);
            let expected = at_once(set, &samples);
            prop_assert_eq!(&rows(&mut stream, &samples, &sizes), &expected);
            // Nothing of the utterance is left for the next.
            prop_assert_eq!(&rows(&mut stream, &samples, &[length + 1]), &expected);
        }
    }
}
