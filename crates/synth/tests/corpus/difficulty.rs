//! How hard the corpus is: a few plain measurements and the nearest class mean, over unseen
//! speakers.
//!
//! This is a weak classifier on purpose: what it finds together must beat chance and every single
//! measurement, and no single one may come near to solving the task.

use ambivox_settings::SynthSettings;

use crate::support::{CLASSES, Made, Row, settings};

/// Names of the measurements.
const NAMES: [&str; 6] = ["level", "crossings", "brightness", "swing", "f0", "length"];

/// Level in dB, zero crossings per sample, level of the first difference relative to the level,
/// standard deviation of the level over 25 ms blocks in dB, F0 in octaves, length in samples.
fn measure(samples: &[f64], f0_hz: f64) -> [f64; 6] {
    let differences: Vec<f64> = samples.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let crossings = samples.windows(2).filter(|pair| pair[0] * pair[1] < 0.0).count();
    let blocks: Vec<f64> = samples.chunks_exact(400).map(decibels).collect();
    let level = decibels(samples);
    [
        level,
        crossings as f64 / samples.len() as f64,
        decibels(&differences) - level,
        deviation(&blocks),
        f0_hz.log2(),
        samples.len() as f64,
    ]
}

fn decibels(samples: &[f64]) -> f64 {
    let power = samples.iter().map(|x| x * x).sum::<f64>() / samples.len() as f64;
    10.0 * (power + 1e-12).log10()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn deviation(values: &[f64]) -> f64 {
    let centre = mean(values);
    (values.iter().map(|x| (x - centre) * (x - centre)).sum::<f64>() / values.len() as f64).sqrt()
}

/// Turns of the four classes: true class, speaker, measurements.
struct Turn {
    class: usize,
    row: Row,
    values: [f64; 6],
}

fn turns(expressiveness: f64) -> Vec<Turn> {
    let made = Made::new(&SynthSettings { expressiveness, ..settings() });
    let rows = made.rows().into_iter().filter(Row::is_of_a_class);
    rows.map(|row| Turn {
        class: CLASSES.iter().position(|class| *class == row.truth).unwrap(),
        values: measure(&made.audio(&row.id), row.f0_hz),
        row,
    })
    .collect()
}

/// Unweighted mean recall of the nearest class mean in the chosen measurements, each scaled by its
/// standard deviation; the speaker who is classified is unseen.
fn recall(turns: &[Turn], chosen: &[usize]) -> f64 {
    let mut right = [0.0; 4];
    let mut all = [0.0; 4];
    for turn in turns {
        let training: Vec<&Turn> =
            turns.iter().filter(|other| other.row.speaker != turn.row.speaker).collect();
        all[turn.class] += 1.0;
        right[turn.class] += f64::from(u8::from(nearest(&training, turn, chosen) == turn.class));
    }
    mean(&[0, 1, 2, 3].map(|class| right[class] / all[class]))
}

fn nearest(training: &[&Turn], turn: &Turn, chosen: &[usize]) -> usize {
    let distance = |class: usize| -> f64 {
        chosen.iter().map(|&i| term(training, turn.values[i], class, i)).sum()
    };
    (0..4).min_by(|a, b| distance(*a).total_cmp(&distance(*b))).unwrap()
}

/// Squared distance from a class's mean in one measurement.
fn term(training: &[&Turn], value: f64, class: usize, i: usize) -> f64 {
    let all: Vec<f64> = training.iter().map(|turn| turn.values[i]).collect();
    let own = training.iter().filter(|turn| turn.class == class);
    let own: Vec<f64> = own.map(|turn| turn.values[i]).collect();
    let distance = (value - mean(&own)) / deviation(&all);
    distance * distance
}

#[test]
fn no_single_measurement_tells_the_classes_but_together_they_help() {
    let turns = turns(1.0);
    let single: Vec<f64> = (0..NAMES.len()).map(|i| recall(&turns, &[i])).collect();
    for (name, recall) in NAMES.iter().zip(&single) {
        assert!(*recall < 0.55, "{name} alone has {recall}");
    }
    let together = recall(&turns, &[0, 1, 2, 3, 4]);
    // Chance is 0.25; its standard error over some 260 turns is below 0.03.
    assert!(together > 0.40 && together < 0.75, "together {together}, single {single:?}");
    let length = single[5];
    assert!(length < 0.36, "length alone must be no use: {length}");
}

#[test]
fn without_expressiveness_there_is_nothing_to_learn() {
    let recall = recall(&turns(0.0), &[0, 1, 2, 3, 4]);
    assert!(recall < 0.36, "{recall}");
}
