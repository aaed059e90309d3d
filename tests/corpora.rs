//! Tiny corpora: tones with a table of labels, and a handful of synthetic turns.

use std::f64::consts::TAU;
use std::io::Cursor;

use hound::{SampleFormat, WavSpec, WavWriter};

use crate::harness::House;

/// The speakers of the corpus of tones, who are its folds.
pub(crate) const SPEAKERS: [&str; 4] = ["anna", "bert", "carl", "dora"];
const TAKES: usize = 3;
const RATE: u32 = 16_000;

const SETTINGS: &str = r#"
[features]
set = "ser32"

[model]
kind = "blstm-attention"
linear = 8
lstm = 4
dropout = 0.5
attention_over = "blstm"

[training]
seeds = [0]
batch_size = 8
learning_rate = 0.01
gradient_clip = 0.0
max_epochs = 2
patience = 2

[methods.baseline]
fixed_target = "one-hot"
label_scale = 1.0

[methods.lw]
label_scale = 1.0
label_rate = 0.2
weight_rate = 0.05
rescale_initial_weights = false
"#;

const TONES: &str = r#"schema = 1
name = "tiny"
title = "Tones"

[corpus]
manifest = "../data-manifests/tiny.toml"
root = "../corpus"
on_broken = "stop"

[split]
kind = "leave-one-speaker-out"
classes = ["happiness", "sadness"]
"#;

const MANIFEST: &str = r#"schema = 1
name = "tiny"
title = "Tones with labels"
synthetic = false
licence = "CC0-1.0"
source = "https://example.org"
citation = "none"
root_env = "TINY_ROOT"
adapter = "csv"
files = ["labels.csv", "wav/*.wav"]

[labels]
happy = "happiness"
sad = "sadness"
unsure = ""

[csv]
table = "labels.csv"
delimiter = ","

[csv.columns]
file = "file"
speaker = "speaker"
emotion = "emotion"
"#;

const SYNTH: &str = r#"schema = 1
name = "tiny"
title = "A handful of turns"

[corpus]
manifest = "MANIFEST"
on_broken = "stop"

[split]
kind = "leave-one-speaker-out"
classes = ["happiness", "sadness", "neutral", "anger"]

[synth]
seed = 7
turns_per_speaker = 16
min_seconds = 0.7
mean_seconds = 1.0
max_seconds = 1.5
annotators = 3
annotator_error = 0.2
expressiveness = 2.0
"#;

/// Four speakers, two emotions, three takes each: high quick tones are happy, low slow ones sad.
pub(crate) fn tones() -> House {
    let house = House::new();
    house.write("pipelines/tiny.toml", format!("{TONES}{SETTINGS}"));
    house.write("data-manifests/tiny.toml", MANIFEST);
    house.write("corpus/labels.csv", "file,speaker,emotion\n");
    for (number, speaker) in SPEAKERS.into_iter().enumerate() {
        for take in 0..TAKES {
            let detune = (7 * number + 3 * take) as f64;
            utter(&house, speaker, "happy", take, 220.0 + detune);
            utter(&house, speaker, "sad", take, 110.0 + detune);
        }
    }
    house
}

/// As [`tones`], of speakers by other names, which the table quotes where they need it.
pub(crate) fn tones_of(speakers: [&str; 4]) -> House {
    let house = tones();
    let mut table = house.read("corpus/labels.csv");
    for (old, new) in SPEAKERS.into_iter().zip(speakers) {
        table = table.replace(&format!(",{old},"), &format!(",{new},"));
    }
    house.write("corpus/labels.csv", table);
    house
}

/// Ten speakers of the synthetic corpus, in IEMOCAP's layout.
pub(crate) fn synthetic() -> House {
    let house = House::new();
    let manifest = crate::harness::root().join("data-manifests/synth.toml");
    let pipeline = SYNTH.replace("MANIFEST", manifest.to_str().unwrap());
    house.write("pipelines/tiny.toml", format!("{pipeline}{SETTINGS}"));
    house
}

fn utter(house: &House, speaker: &str, emotion: &str, take: usize, hertz: f64) {
    let file = format!("wav/{speaker}-{emotion}-{take}.wav");
    let samples = tone(hertz, 6_400 + 320 * take);
    house.write(&format!("corpus/{file}"), wav16(&samples));
    add_row(house, &format!("{file},{speaker},{emotion}"));
}

/// Adds a row to the table of labels.
pub(crate) fn add_row(house: &House, row: &str) {
    let table = house.read("corpus/labels.csv");
    house.write("corpus/labels.csv", format!("{table}{row}\n"));
}

/// So many samples of a voice-like tone: five harmonics that swell and fade.
pub(crate) fn tone(hertz: f64, samples: usize) -> Vec<f64> {
    let sample = |n: usize| {
        let time = n as f64 / f64::from(RATE);
        let envelope = (std::f64::consts::PI * n as f64 / samples as f64).sin();
        let harmonics = (1..=5).map(|k| (TAU * f64::from(k) * hertz * time).sin() / f64::from(k));
        0.2 * envelope * harmonics.sum::<f64>()
    };
    (0..samples).map(sample).collect()
}

/// A 16-bit file.
pub(crate) fn wav16(samples: &[f64]) -> Vec<u8> {
    wav(16, SampleFormat::Int, samples, |sample| (sample * 32_767.0) as i16)
}

/// A file of 32-bit floats.
pub(crate) fn wav_float(samples: &[f64]) -> Vec<u8> {
    wav(32, SampleFormat::Float, samples, |sample| sample as f32)
}

fn wav<S: hound::Sample>(
    bits_per_sample: u16,
    sample_format: SampleFormat,
    samples: &[f64],
    convert: impl Fn(f64) -> S,
) -> Vec<u8> {
    let spec = WavSpec { channels: 1, sample_rate: RATE, bits_per_sample, sample_format };
    let mut bytes = Cursor::new(Vec::new());
    let mut writer = WavWriter::new(&mut bytes, spec).unwrap();
    for &sample in samples {
        writer.write_sample(convert(sample)).unwrap();
    }
    writer.finalize().unwrap();
    bytes.into_inner()
}
