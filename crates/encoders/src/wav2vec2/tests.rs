//! Against `transformers` (`tests-data/make_wav2vec2.py`), and what must be refused.

use std::path::{Path, PathBuf};

use super::*;
use crate::{describe, open};

const MODELS: [&str; 6] = [
    "wav2vec2-group",
    "wav2vec2-stable",
    "wav2vec2-layer",
    "hubert",
    "wavlm-group",
    "wavlm-stable",
];

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests-data/wav2vec2").join(name)
}

/// The input of so many samples, by the formula of the script.
fn samples(count: usize) -> Vec<f32> {
    let sample = |i: usize| {
        let n = i as f64;
        let noise = (i * 7919 % 2003) as f64 / 1001.5 - 1.0;
        let tones = 0.3 * (0.05 * n + 2e-6 * n * n).sin() + 0.2 * (0.31 * n).sin();
        (0.1 + tones + 0.05 * noise) as f32
    };
    (0..count).map(sample).collect()
}

fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

/// The largest difference from a reference state, over the largest value there or 1.
fn difference(state: &Tensor, reference: &Tensor) -> f32 {
    let (frames, width) = state.dims2().unwrap();
    let kept: std::collections::BTreeSet<usize> = (0..5).map(|i| i * (frames - 1) / 4).collect();
    let all = values(state);
    let found = kept.iter().flat_map(|frame| &all[frame * width..][..width]);
    let expected = values(reference);
    assert_eq!(expected.len(), kept.len() * width);
    let top = expected.iter().fold(1.0, |top: f32, x| top.max(x.abs()));
    found.zip(&expected).fold(0.0, |worst: f32, (a, b)| worst.max((a - b).abs())) / top
}

/// The largest difference of each state over all lengths of a model.
fn worst(name: &str) -> Vec<f32> {
    let encoder = open(&folder(name)).unwrap();
    let file = folder(name).join("states.safetensors");
    let known = candle_core::safetensors::load(file, &Device::Cpu).unwrap();
    assert_eq!(known.len(), 6);
    let mut worst = vec![0.0_f32; encoder.layers()];
    for (length, references) in &known {
        let states = encoder.states(&samples(length.parse().unwrap())).unwrap();
        assert_eq!(
            (states.len(), references.dim(0).unwrap()),
            (encoder.layers(), encoder.layers())
        );
        for (layer, state) in states.iter().enumerate() {
            let found = difference(state, &references.get(layer).unwrap());
            worst[layer] = worst[layer].max(found);
        }
    }
    worst
}

/// With `-- --nocapture` a row for each model and a figure for each state, beside those of Whisper.
#[test]
#[expect(clippy::print_stdout, reason = "the table is asked for by --nocapture")]
fn every_hidden_state_is_that_of_transformers() {
    for name in MODELS {
        let worst = worst(name);
        println!("{name:16} {worst:?}");
        assert!(worst.iter().all(|&worst| worst < 1e-5), "{name}: {worst:?}");
    }
}

#[test]
fn bits_do_not_depend_on_the_number_of_threads() {
    let with = |threads: usize, name: &str| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let states = pool.install(|| open(&folder(name)).unwrap().states(&samples(200_000)));
        states.unwrap().iter().map(values).collect::<Vec<_>>()
    };
    for name in ["wav2vec2-group", "wavlm-stable"] {
        let one = with(1, name);
        assert!([2, 3].iter().all(|&threads| with(threads, name) == one), "{name}");
    }
}

#[test]
fn a_description_needs_no_weights() {
    let folder_of_one = tempfile::tempdir().unwrap();
    let copy = |name: &str| {
        fs_err::copy(folder("wavlm-stable").join(name), folder_of_one.path().join(name)).unwrap();
    };
    copy("config.json");
    let expected =
        Description { model_type: "wavlm", layers: 3, width: 16, step: 320, length: 400 };
    assert_eq!(describe(folder_of_one.path()).unwrap(), expected);
    let refused = || open(folder_of_one.path()).unwrap_err().to_string();
    let text = refused();
    assert!(text.contains("preprocessor_config.json") && text.contains("WavLM differ"), "{text}");
    copy("preprocessor_config.json");
    assert!(refused().contains("model.safetensors"));
}

#[test]
fn too_few_samples_and_samples_that_are_no_numbers_are_faults_of_the_utterance() {
    let encoder = open(&folder("hubert")).unwrap();
    let message = |samples: &[f32]| match encoder.states(samples) {
        Err(EncoderError::Utterance(message)) => message,
        other => panic!("{other:?}"),
    };
    assert_eq!(message(&[0.0; 399]), "399 samples are too few: one frame takes 400 at 16 kHz");
    let mut bad = samples(500);
    bad[7] = f32::NAN;
    assert_eq!(message(&bad), "a sample of the audio is not a finite number");
    // Silence is described like all else.
    assert_eq!(encoder.states(&[0.0; 400]).unwrap()[0].dims(), [1, 16]);
}

/// What opening says of a folder as `hubert` with some text of a file replaced.
fn refusal(file: &str, from: &str, to: &str) -> String {
    let changed = tempfile::tempdir().unwrap();
    for name in ["config.json", "model.safetensors", "preprocessor_config.json"] {
        if let Ok(bytes) = fs_err::read(folder("wavlm-stable").join(name)) {
            fs_err::write(changed.path().join(name), bytes).unwrap();
        }
    }
    let file = changed.path().join(file);
    let text = fs_err::read_to_string(&file).unwrap();
    assert!(text.contains(from), "{from}");
    fs_err::write(&file, text.replace(from, to)).unwrap();
    let message = open(changed.path()).unwrap_err().to_string();
    message.replace(&changed.path().display().to_string(), "DIR")
}

#[test]
fn what_is_not_computed_is_refused_by_its_key() {
    let cases = [
        (r#""hidden_act": "gelu""#, r#""hidden_act": "gelu_new""#, "`hidden_act` is \"gelu_new\""),
        (r#""add_adapter": false"#, r#""add_adapter": true"#, "`add_adapter` is true"),
        (r#""conv_bias": true"#, r#""conv_pos_batch_norm": true"#, "`conv_pos_batch_norm` is true"),
        (r#""num_attention_heads": 2"#, r#""num_attention_heads": 3"#, "must divide hidden_size"),
        (r#""num_attention_heads": 2"#, r#""num_attention_heads": 0"#, "must divide hidden_size"),
        (r#""conv_kernel": ["#, r#""conv_kernel": [3,"#, "one value per layer"),
        (r#""num_buckets": 32"#, r#""num_buckets": 2"#, "`num_buckets` is 2"),
        (r#""hidden_size": 16"#, r#""hidden_size": 20"#, "as config.json has it"),
        (r#""num_hidden_layers": 2"#, r#""num_hidden_layers": 4"#, "there is no tensor"),
        (r#""layer_norm_eps": 1e-05"#, r#""layer_norm_eps": "x""#, "invalid type"),
    ];
    for (from, to, expected) in cases {
        let message = refusal("config.json", from, to);
        assert!(message.contains(expected) && message.contains("DIR/"), "{to}: {message}");
    }
    let message = refusal("config.json", r#""model_type": "wavlm""#, r#""model_type": "data2vec""#);
    assert_eq!(
        message,
        "DIR/config.json: `model_type` is \"data2vec\": encoders can be of wav2vec2, hubert, wavlm; \
         choose one of those"
    );
    let message = refusal("preprocessor_config.json", "16000", "8000");
    assert!(message.contains("`sampling_rate` is 8000"), "{message}");
}
