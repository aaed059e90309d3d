//! The encoder against transformers, on tiny random models that `tests-data/whisper_tiny.py` wrote, and
//! on Whisper itself where its weights and EmoDB are there.

use std::path::PathBuf;

use candle_core::{DType, Device};

use super::*;

/// How far a value may be from PyTorch's, of the largest of its tensor, or of 1.
const TOLERANCE: f32 = 1e-5;

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests-data").join(name)
}

/// The recording of the script.
fn recording(samples: usize) -> Vec<f32> {
    let sample = |n: usize| {
        let x = n as f64;
        let tones = 0.3 * (x * x * 1e-5).sin() * (x * 3e-4).sin() + 0.1 * (x * 0.2).sin();
        let noise = (n * 16807 + 12345) % 2_147_483_647 * 48271 % 2_147_483_647;
        (tones + 0.05 * (noise as f64 / 2_147_483_647.0 - 0.5)) as f32
    };
    (0..samples).map(sample).collect()
}

/// Tensors that the script wrote.
struct Expected(std::collections::BTreeMap<String, Tensor>);

impl Expected {
    fn read(file: &str) -> Self {
        let found = candle_core::safetensors::load(data(file), &Device::Cpu).unwrap();
        Self(found.into_iter().collect())
    }

    fn values(&self, name: &str) -> Vec<f32> {
        let tensor = self.0[name].to_dtype(DType::F32).unwrap();
        tensor.flatten_all().unwrap().to_vec1().unwrap()
    }

    fn numbers(&self, name: &str) -> Vec<usize> {
        let numbers: Vec<i64> = self.0[name].flatten_all().unwrap().to_vec1().unwrap();
        numbers.into_iter().map(|number| number as usize).collect()
    }
}

/// The largest difference, of the largest value or of 1.
fn difference(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(1.0_f32, |top, x| top.max(x.abs()));
    let pairs = found.iter().zip(expected);
    pairs.fold(0.0_f32, |top, (a, b)| top.max((a - b).abs())) / largest
}

fn mean(rows: &[f32], width: usize) -> Vec<f32> {
    let count = (rows.len() / width) as f64;
    let of = |at: usize| rows.iter().skip(at).step_by(width).map(|&x| f64::from(x)).sum::<f64>();
    (0..width).map(|at| (of(at) / count) as f32).collect()
}

/// The largest difference of each hidden state of a model from those expected.
fn worst(model: &str, open: impl Fn(&Path, Padding) -> Whisper) -> Vec<f32> {
    let expected = Expected::read(&format!("{model}/expected.safetensors"));
    let mut worst = Vec::new();
    for (padding, way) in [(Padding::Window, "window"), (Padding::Nothing, "nothing")] {
        let whisper = open(&data(model), padding);
        worst.resize(whisper.layers(), 0.0_f32);
        let suffix = format!("/{way}/count");
        let lengths = expected.0.keys().filter_map(|key| key.strip_suffix(&suffix));
        for length in lengths {
            let states = whisper.states(&recording(length.parse().unwrap())).unwrap();
            assert!(expected.0.contains_key(&format!("{length}/{way}/{}", states.len() - 1)));
            let count = expected.numbers(&format!("{length}{suffix}"))[0];
            let frames = expected.numbers(&format!("{length}/{way}/frames"));
            for (layer, state) in states.iter().enumerate() {
                assert_eq!(state.dims(), [count, whisper.width()], "{model} {length} {way}");
                let found: Vec<f32> = state.flatten_all().unwrap().to_vec1().unwrap();
                let row = |&at: &usize| &found[at * whisper.width()..(at + 1) * whisper.width()];
                let some: Vec<f32> = frames.iter().flat_map(row).copied().collect();
                let name = format!("{length}/{way}/{layer}");
                let means = expected.values(&format!("{name}/mean"));
                worst[layer] = worst[layer]
                    .max(difference(&some, &expected.values(&name)))
                    .max(difference(&mean(&found, whisper.width()), &means));
            }
        }
    }
    worst
}

fn plain(folder: &Path, padding: Padding) -> Whisper {
    Whisper::open(folder, padding).unwrap()
}

#[test]
#[expect(clippy::print_stdout, reason = "the table is asked for by --nocapture")]
fn hidden_states_are_those_of_transformers() {
    for model in ["whisper-small", "whisper-whole"] {
        let worst = worst(model, plain);
        println!("{model:16} {worst:?}");
        assert!(worst.iter().all(|&worst| worst < TOLERANCE), "{model}: {worst:?}");
    }
}

/// What can easily be done otherwise is seen by the test above.
#[test]
fn a_small_change_is_no_longer_within_the_tolerance() {
    let model = "whisper-small";
    let changes: [fn(&mut Whisper); 4] = [
        |whisper| whisper.positions.rotate_left(whisper.width),
        |whisper| whisper.layers.swap(0, 1),
        |whisper| whisper.last = LayerNorm::of_ones(whisper.width),
        |whisper| whisper.padding = Padding::Window,
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let open = |folder: &Path, padding| {
            let mut whisper = plain(folder, padding);
            change(&mut whisper);
            whisper
        };
        let found = worst(model, open);
        assert!(found.iter().any(|&found| found > 10.0 * TOLERANCE), "{number}: {found:?}");
    }
}

#[test]
fn bits_do_not_depend_on_the_number_of_threads() {
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let whisper = plain(&data("whisper-small"), Padding::Window);
        let states = pool.install(|| whisper.states(&recording(48_000))).unwrap();
        let values = |state: &Tensor| state.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        states.iter().map(values).collect::<Vec<_>>()
    };
    let one = with(1);
    assert!([2, 3].iter().all(|&threads| with(threads) == one));
}

#[test]
fn the_spectrogram_is_that_of_the_feature_extractor() {
    let expected = Expected::read("whisper-mel.safetensors");
    for bands in [80, 128] {
        for length in [400, 48_123, 480_000] {
            let name = format!("{bands}/{length}");
            let found = Mel::new(bands).of(&recording(length), 3000);
            let row = |at: usize| found[at * bands..(at + 1) * bands].to_vec();
            let frames = expected.numbers(&format!("{name}/frames"));
            let some: Vec<f32> = frames.into_iter().flat_map(row).collect();
            let difference = difference(&some, &expected.values(&name));
            assert!(difference < TOLERANCE, "{name}: {difference}");
        }
    }
}

#[test]
fn what_cannot_be_described_is_refused() {
    let whisper = plain(&data("whisper-small"), Padding::Nothing);
    let refused = |samples: &[f32]| whisper.states(samples).unwrap_err().to_string();
    assert_eq!(refused(&[]), "there is no sample");
    assert_eq!(refused(&[0.0, f32::NAN]), "sample 1 is NaN");
    for state in whisper.states(&[f32::MAX]).unwrap() {
        assert_eq!(state.dims(), [1, 16]);
    }
}

#[test]
fn a_folder_that_is_none_is_refused_by_file() {
    let folder = tempfile::tempdir().unwrap();
    let refused = || Whisper::open(folder.path(), Padding::Window).unwrap_err().to_string();
    assert!(refused().contains("config.json"), "{}", refused());
    let config = fs_err::read_to_string(data("whisper-small/config.json")).unwrap();
    for (from, to, part) in [
        ("\"whisper\"", "\"hubert\"", "model_type is \"hubert\""),
        ("\"gelu\"", "\"gelu_new\"", "activation_function is \"gelu_new\""),
        ("\"encoder_attention_heads\": 2", "\"encoder_attention_heads\": 3", "does not divide"),
        ("\"d_model\": 16", "\"d_model\": 0", "d_model: 0; expected from 1"),
        ("\"d_model\"", "\"width\"", "missing field `d_model`"),
        ("", "", "model.safetensors"),
    ] {
        assert!(config.contains(from), "{from}");
        fs_err::write(folder.path().join("config.json"), config.replacen(from, to, 1)).unwrap();
        assert!(refused().contains(part), "{}", refused());
    }
    let weights = data("whisper-small/model.safetensors");
    fs_err::copy(weights, folder.path().join("model.safetensors")).unwrap();
    Whisper::open(folder.path(), Padding::Window).unwrap();
    let deeper = config.replace("\"encoder_layers\": 3", "\"encoder_layers\": 4");
    fs_err::write(folder.path().join("config.json"), deeper).unwrap();
    assert!(refused().contains("no tensor \"encoder.layers.3."), "{}", refused());
    fs_err::write(folder.path().join("model.safetensors"), "no such file").unwrap();
    assert!(refused().contains("model.safetensors: "), "{}", refused());
}
