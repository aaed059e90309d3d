//! Bundles of small random networks, loaded, refused, and asked.

use std::path::Path;

use ambivox_frontends::lld_section;
use ambivox_lld::{Extractor, FeatureSet, Functionals};
use ambivox_models::{
    AttentionOver, Checkpoint, MeanVariance, MinMax, Mlp, MlpSettings, Network, NetworkSettings,
    Rows, Scaling, Shape,
};
use ambivox_settings::{Bundle, BundledNetwork, Features, Section};
use fs_err as fs;
use proptest::prelude::*;

use super::*;

mod encoder;

const CLASSES: [&str; 3] = ["anger", "neutral", "sadness"];

fn checkpoint(seed: u64, classes: &[&str]) -> Checkpoint {
    wide(seed, classes, 6)
}

fn wide(seed: u64, classes: &[&str], linear: usize) -> Checkpoint {
    let attention_over = AttentionOver::Blstm;
    let settings = NetworkSettings::plain([linear, 4], 0.5, attention_over);
    let width = FeatureSet::builtin("ser32").unwrap().columns().len();
    Checkpoint {
        predictor: Box::new(Network::new(&settings, width, classes.len(), seed).unwrap()),
        classes: classes.iter().map(|&class| class.to_owned()).collect(),
        features: features("ser32", "none"),
        scaling: Scaling::MeanVariance(MeanVariance {
            mean: vec![0.5; width],
            sd: vec![3.0; width],
        }),
    }
}

/// A classifier of functionals.
fn of_functionals(set: &str, seed: u64) -> Checkpoint {
    let width = Functionals::new(&FeatureSet::builtin(set).unwrap()).columns().len();
    let settings = MlpSettings { hidden: vec![5], leak: 0.2, dropout: 0.5, mixup: None };
    let scaling = MinMax { lowest: vec![-1.0; width], range: vec![40.0; width] };
    Checkpoint {
        predictor: Box::new(Mlp::new(&settings, Shape::of(width), CLASSES.len(), seed).unwrap()),
        classes: CLASSES.map(str::to_owned).to_vec(),
        features: features(set, "functionals"),
        scaling: Scaling::MinMax(scaling),
    }
}

fn features(set: &str, pooling: &str) -> Features {
    let frontend = lld_section(FeatureSet::builtin(set).unwrap()).unwrap();
    Features::of(frontend, Section::bare(pooling))
}

fn bundled(folder: &Path, seed: u64, classes: &[&str]) -> BundledNetwork {
    let file = format!("lw-{seed}.safetensors");
    checkpoint(seed, classes).save(&folder.join(&file)).unwrap();
    described(folder, seed, file)
}

fn described(folder: &Path, seed: u64, file: String) -> BundledNetwork {
    let digest = blake3::hash(&fs::read(folder.join(&file)).unwrap()).to_string();
    BundledNetwork { file, digest, seed, fold: "03".to_owned() }
}

fn write(folder: &Path, networks: Vec<BundledNetwork>) {
    write_of("lw", folder, networks);
}

fn write_of(method: &str, folder: &Path, networks: Vec<BundledNetwork>) {
    let bundle = Bundle {
        schema: 1,
        pipeline: "toy".to_owned(),
        corpus: "Toy".to_owned(),
        synthetic: false,
        method: method.to_owned(),
        networks,
        encoder: None,
    };
    fs::write(folder.join(Bundle::FILE), serde_json::to_string(&bundle).unwrap()).unwrap();
}

fn ensemble(seeds: &[u64]) -> Ensemble {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), seeds.iter().map(|&s| bundled(folder.path(), s, &CLASSES)).collect());
    Ensemble::load(folder.path(), Encoders::default()).unwrap()
}

/// Networks that read functionals.
fn ensemble_of_functionals(seeds: &[u64]) -> Ensemble {
    let folder = tempfile::tempdir().unwrap();
    let bundled = |&seed: &u64| {
        let file = format!("cyclegan-{seed}.safetensors");
        of_functionals("is09", seed).save(&folder.path().join(&file)).unwrap();
        described(folder.path(), seed, file)
    };
    write_of("cyclegan", folder.path(), seeds.iter().map(bundled).collect());
    Ensemble::load(folder.path(), Encoders::default()).unwrap()
}

fn weights(window: &Window) -> &[f32] {
    &window.attention.as_ref().unwrap().weights
}

/// A tone that rises and falls, of so many samples.
fn tone(samples: usize) -> Vec<f32> {
    let phase = |n: usize| n as f64 * (0.06 + 0.02 * (n as f64 / 9000.0).sin());
    (0..samples).map(|n| (0.4 * phase(n).sin() + 0.2 * (2.0 * phase(n)).sin()) as f32).collect()
}

#[test]
fn probabilities_and_attention_are_means_of_the_networks() {
    let sound = tone(24_000);
    let together = ensemble(&[1, 2]).analyse(&sound, 10.0).unwrap();
    let alone = [1, 2].map(|seed| ensemble(&[seed]).analyse(&sound, 10.0).unwrap());
    for (c, p) in together.probabilities.iter().enumerate() {
        let mean = f64::midpoint(alone[0].probabilities[c], alone[1].probabilities[c]);
        assert!((p - mean).abs() < 1e-12);
    }
    assert!((together.probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    let [window] = together.windows.as_slice() else { panic!("{:?}", together.windows) };
    assert!((weights(window).iter().sum::<f32>() - 1.0).abs() < 1e-4);
    for (t, a) in weights(window).iter().enumerate() {
        let mean =
            f32::midpoint(weights(&alone[0].windows[0])[t], weights(&alone[1].windows[0])[t]);
        assert!((a - mean).abs() < 1e-6);
    }
}

#[test]
fn a_long_recording_is_cut_and_averaged_by_length() {
    let analysis = ensemble(&[1]).analyse(&tone(5 * 16_000), 2.0).unwrap();
    assert_eq!(analysis.windows.len(), 3);
    assert_eq!(analysis.duration_s, 5.0);
    let frames: usize = analysis.windows.iter().map(|w| w.frames).sum();
    assert_eq!(frames, 498);
    let mean: f64 =
        analysis.windows.iter().map(|w| w.frames as f64 / 498.0 * w.probabilities[0]).sum();
    assert!((mean - analysis.probabilities[0]).abs() < 1e-12);
    assert_eq!(analysis.windows[0].start_s, 0.0);
    assert!((analysis.windows[2].end_s - (4.97 + 0.025)).abs() < 1e-9);
    for window in &analysis.windows {
        let peak_s = window.attention.as_ref().unwrap().peak_s;
        assert!(window.start_s < peak_s && peak_s < window.end_s);
    }
}

/// As the training stage computes them: of the whole utterance, scaled, classified.
#[test]
fn functionals_of_a_recording_are_those_of_an_utterance() {
    let sound = tone(24_000);
    let together = ensemble_of_functionals(&[1, 2]);
    assert!(!together.attends());
    let analysis = together.analyse(&sound, 10.0).unwrap();
    let set = FeatureSet::builtin("is09").unwrap();
    let rows = Extractor::new(&set).unwrap().process(&sound);
    let said = [1, 2].map(|seed| {
        let Checkpoint { predictor, scaling, .. } = of_functionals("is09", seed);
        let values = Functionals::new(&set).of(&rows).unwrap();
        let values = Rows::scaled_by(&scaling, &values);
        predictor.predict(&[&values]).unwrap().swap_remove(0).log_probabilities
    });
    for (c, p) in analysis.probabilities.iter().enumerate() {
        let mean = f64::midpoint(said[0][c].exp(), said[1][c].exp());
        assert!((p - mean).abs() < 1e-12, "{p} {mean}");
    }
    assert!(analysis.windows.iter().all(|window| window.attention.is_none()));
    let live = Live::new(&together, 60.0, 60.0).unwrap();
    assert_eq!(all_of(live, &sound), analysis.windows);
}

#[test]
fn functionals_of_a_long_recording_are_those_of_each_window() {
    let analysis = ensemble_of_functionals(&[1]).analyse(&tone(5 * 16_000), 2.0).unwrap();
    let frames: Vec<usize> = analysis.windows.iter().map(|window| window.frames).collect();
    assert_eq!(frames.iter().sum::<usize>(), 499, "smoothing adds a row");
    assert_eq!(frames.len(), 3);
    let mean: f64 =
        analysis.windows.iter().map(|w| w.frames as f64 / 499.0 * w.probabilities[0]).sum();
    assert!((mean - analysis.probabilities[0]).abs() < 1e-12);
}

#[test]
fn networks_of_frames_and_of_functionals_are_no_bundle() {
    let folder = tempfile::tempdir().unwrap();
    let file = "mlp-2.safetensors".to_owned();
    of_functionals("ser32", 2).save(&folder.path().join(&file)).unwrap();
    let both = [bundled(folder.path(), 1, &CLASSES), described(folder.path(), 2, file)];
    for (first, other) in [(0, "mlp-2.safetensors"), (1, "lw-1.safetensors")] {
        write(folder.path(), vec![both[first].clone(), both[1 - first].clone()]);
        let text = Ensemble::load(folder.path(), Encoders::default()).err().unwrap().to_string();
        assert!(text.contains(other) && text.contains("it reads"), "{text}");
    }
}

fn all_of(mut live: Live<'_>, sound: &[f32]) -> Vec<Window> {
    let mut said = live.push(sound).unwrap();
    said.extend(live.finish().unwrap());
    said
}

#[test]
fn less_than_a_frame_is_an_error() {
    let error = ensemble(&[1]).analyse(&tone(399), 10.0).unwrap_err().to_string();
    assert_eq!(error, "0.025 s of sound, which is less than one frame of 0.025 s");
    assert!(ensemble(&[1]).analyse(&[], 10.0).is_err());
}

#[test]
fn a_bundle_at_fault_is_refused_by_file() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |networks: Vec<BundledNetwork>| {
        write(folder.path(), networks);
        Ensemble::load(folder.path(), Encoders::default()).err().unwrap().to_string()
    };
    let [one, two] = [1, 2].map(|seed| bundled(folder.path(), seed, &CLASSES));
    let other = bundled(folder.path(), 3, &["anger", "sadness", "neutral"]);
    let text = refused(vec![one.clone(), other]);
    assert!(text.contains("lw-3.safetensors") && text.contains("classes"), "{text}");
    let changed = BundledNetwork { digest: one.digest.clone(), ..two };
    let text = refused(vec![one.clone(), changed]);
    assert!(text.contains("lw-2.safetensors") && text.contains("copy the bundle again"), "{text}");
    let missing = BundledNetwork { file: "none.safetensors".to_owned(), ..one };
    assert!(refused(vec![missing]).contains("none.safetensors"));
    let text = Ensemble::load(Path::new("nowhere"), Encoders::default()).err().unwrap().to_string();
    assert!(text.contains("nowhere") && text.contains("xtask bundle"), "{text}");
}

#[test]
fn a_network_is_a_file_of_the_bundle_and_of_a_size_that_can_be() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let one = bundled(elsewhere.path(), 1, &CLASSES);
    let file = folder.path().join(&one.file);
    write(folder.path(), vec![one.clone()]);
    let refused = |code: u8| {
        let error = Ensemble::load(folder.path(), Encoders::default()).err().unwrap();
        assert_eq!(error.exit_code(), code, "{error}");
        fs::remove_file(&file).ok();
        error.to_string()
    };
    assert!(refused(3).contains("lw-1.safetensors"), "it is missing");
    for target in [&elsewhere.path().join(&one.file), Path::new("/dev/zero")] {
        std::os::unix::fs::symlink(target, &file).unwrap();
        let text = refused(3);
        assert!(text.contains("lw-1.safetensors: a link that leads out"), "{text}");
    }
    fs::create_dir(&file).unwrap();
    assert!(refused(3).contains("lw-1.safetensors: no regular file"));
    fs::remove_dir(&file).unwrap();
    fs::File::create(&file).unwrap().set_len((4 << 30) + 1).unwrap();
    assert!(refused(3).contains("4294967297 bytes; expected at most 4294967296"));
    wide(1, &CLASSES, 4097).save(&file).unwrap();
    write(folder.path(), vec![described(folder.path(), 1, one.file.clone())]);
    assert!(refused(3).contains("model.linear: 4097; expected from 1 to 4096"));
    let error = Ensemble::load(Path::new("nowhere"), Encoders::default()).err().unwrap();
    assert_eq!(error.exit_code(), 2);
}

#[test]
fn numbers_of_a_feature_set_are_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let mut set = FeatureSet::builtin("ser32").unwrap();
    set.step_ms = 4_000_000_000;
    let mut absurd = checkpoint(1, &CLASSES);
    absurd.features.frontend = lld_section(set).unwrap();
    let file = "lw-1.safetensors".to_owned();
    absurd.save(&folder.path().join(&file)).unwrap();
    write(folder.path(), vec![described(folder.path(), 1, file)]);
    let error = Ensemble::load(folder.path(), Encoders::default()).err().unwrap();
    assert_eq!(error.exit_code(), 3);
    assert!(error.to_string().contains("`step_ms = 4000000000`: expected 1 to 1000"), "{error}");
}

/// A bundle has its feature set in it: what is built in under that set's name is another matter.
#[test]
fn a_bundle_reads_by_its_own_feature_set() {
    let folder = tempfile::tempdir().unwrap();
    let mut set = FeatureSet::builtin("ser32").unwrap();
    set.step_ms = 20;
    let mut own = checkpoint(1, &CLASSES);
    own.features.frontend = lld_section(set).unwrap();
    let file = "lw-1.safetensors".to_owned();
    own.save(&folder.path().join(&file)).unwrap();
    write(folder.path(), vec![described(folder.path(), 1, file)]);
    let read = Ensemble::load(folder.path(), Encoders::default()).unwrap();
    let frames =
        |ensemble: &Ensemble| ensemble.analyse(&tone(16_000), 60.0).unwrap().windows[0].frames;
    assert_eq!((frames(&read), frames(&ensemble(&[1]))), (49, 98));
}

/// What was computed elsewhere is not to be had of a sound.
#[test]
fn a_bundle_over_a_table_of_features_cannot_hear() {
    let folder = tempfile::tempdir().unwrap();
    let mut given = checkpoint(1, &CLASSES);
    given.features.frontend = Section::bare("table");
    let file = "lw-1.safetensors".to_owned();
    given.save(&folder.path().join(&file)).unwrap();
    write(folder.path(), vec![described(folder.path(), 1, file)]);
    let error = Ensemble::load(folder.path(), Encoders::default()).err().unwrap();
    assert_eq!(error.exit_code(), 3);
    assert!(error.to_string().contains("that hear recordings there is no \"table\""), "{error}");
}

#[test]
fn all_of_a_sound_that_fits_is_said_alike_live_and_whole() {
    let ensemble = ensemble(&[1, 2]);
    let sound = tone(30_000);
    let mut live = Live::new(&ensemble, 60.0, 60.0).unwrap();
    assert!(live.push(&sound).unwrap().is_empty());
    assert_eq!(live.finish().unwrap(), ensemble.analyse(&sound, 60.0).unwrap().windows);
}

#[test]
fn live_windows_slide_and_end_soon_before_the_newest_sample() {
    let ensemble = ensemble(&[1]);
    let mut live = Live::new(&ensemble, 1.0, 0.5).unwrap();
    let mut ends = Vec::new();
    for (n, chunk) in tone(4 * 16_000).chunks(160).enumerate() {
        let now_s = (n + 1) as f64 * 0.01;
        for window in live.push(chunk).unwrap() {
            assert!(now_s - window.end_s < 0.3, "{now_s} {}", window.end_s);
            ends.push((window.start_s, window.end_s));
        }
        assert!(live.rows.len() <= (100 + 50) * 32, "no more than span and hop are kept");
    }
    let starts: Vec<f64> = ends.iter().map(|(start, _)| *start).collect();
    assert_eq!(starts, [0.0, 0.0, 0.5, 1.0, 1.5, 2.0, 2.5]);
    assert_eq!(live.finish().unwrap().len(), 1);
}

#[test]
fn no_sound_gives_no_window() {
    let ensemble = ensemble(&[1]);
    assert!(Live::new(&ensemble, 1.0, 0.5).unwrap().finish().unwrap().is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn live_windows_do_not_depend_on_the_chunks(cuts in prop::collection::vec(1_usize..9_000, 1..12)) {
        let ensemble = ensemble(&[1]);
        let sound = tone(40_000);
        let said = |chunks: &[usize]| {
            let mut live = Live::new(&ensemble, 0.8, 0.3).unwrap();
            let mut said = Vec::new();
            let mut rest = sound.as_slice();
            for &chunk in chunks.iter().cycle() {
                let (now, later) = rest.split_at(chunk.min(rest.len()));
                said.extend(live.push(now).unwrap());
                rest = later;
                if rest.is_empty() {
                    break;
                }
            }
            said.extend(live.finish().unwrap());
            said
        };
        prop_assert_eq!(said(&cuts), said(&[40_000]));
    }
}
