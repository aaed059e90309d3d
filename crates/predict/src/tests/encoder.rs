//! Bundles whose networks read hidden states of an encoder.

use std::path::PathBuf;

use ambivox_frontends::{ENCODER_FILES, FRONTENDS, Utterance, pooling};
use ambivox_settings::{BundledEncoder, exit};

use super::*;

fn tiny() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../encoders/tests-data/whisper-small")
}

fn features_of(layer: usize) -> Features {
    let settings = serde_json::json!({ "padding": "none", "layer": layer });
    let frontend = Section::new("whisper", &settings).unwrap();
    let pooling = Section::new("statistics", &serde_json::json!({ "of": ["mean"] })).unwrap();
    Features::of(frontend, pooling)
}

/// A classifier of the mean of a layer.
fn of_layer(layer: usize) -> Checkpoint {
    let settings = MlpSettings { hidden: vec![5], leak: 0.2, dropout: 0.5, mixup: None };
    let scaling = MinMax { lowest: vec![-1.0; 16], range: vec![2.0; 16] };
    Checkpoint {
        predictor: Box::new(
            Mlp::new(&settings, Shape::of(16), CLASSES.len(), layer as u64).unwrap(),
        ),
        classes: CLASSES.map(str::to_owned).to_vec(),
        features: features_of(layer),
        scaling: Scaling::MinMax(scaling),
    }
}

fn bundle_of(folder: &Path, layers: &[usize]) {
    let bundled = |&layer: &usize| {
        let file = format!("baseline-{layer}.safetensors");
        of_layer(layer).save(&folder.join(&file)).unwrap();
        described(folder, layer as u64, file)
    };
    write_of("baseline", folder, layers.iter().map(bundled).collect());
    let mut bundle = Bundle::read(folder).unwrap();
    let digest = |name: &str| {
        let digest = blake3::hash(&fs::read(tiny().join(name)).unwrap()).to_string();
        (name.to_owned(), digest)
    };
    let there = ENCODER_FILES.into_iter().filter(|name| tiny().join(name).exists());
    let files = there.map(digest).collect();
    bundle.encoder = Some(BundledEncoder { name: "whisper-small".to_owned(), files });
    fs::write(folder.join(Bundle::FILE), serde_json::to_string(&bundle).unwrap()).unwrap();
}

/// What one network says of all samples, by hand.
fn alone(layer: usize, samples: &[f32]) -> Vec<f64> {
    let Features { frontend, pooling: pool, .. } = features_of(layer);
    let frontend = (FRONTENDS.of(&frontend).unwrap().open)(&frontend, Some(&tiny())).unwrap();
    let rows = frontend.session().describe(&Utterance { id: "", samples }).unwrap();
    let pooled = pooling(&pool, frontend.as_ref()).unwrap().unwrap().pool(&rows);
    let network = of_layer(layer);
    let scaled = Rows::scaled_by(&network.scaling, &pooled);
    network.predictor.predict(&[&scaled]).unwrap()[0].probabilities()
}

#[test]
fn every_network_reads_its_own_layer() {
    let samples = tone(9000);
    for layers in [&[1][..], &[2, 0, 3]] {
        let folder = tempfile::tempdir().unwrap();
        bundle_of(folder.path(), layers);
        let ensemble = Ensemble::load(folder.path(), named(&tiny())).unwrap();
        let found = ensemble.analyse(&samples, 10.0).unwrap();
        assert_eq!((found.windows.len(), found.windows[0].frames), (1, 29));
        for (class, found) in found.probabilities.iter().enumerate() {
            let sum: f64 = layers.iter().map(|&layer| alone(layer, &samples)[class]).sum();
            assert!((found - sum / layers.len() as f64).abs() < 1e-6, "{layers:?}");
        }
        // Each window is encoded by itself.
        let cut = ensemble.analyse(&samples, 0.3).unwrap();
        assert_eq!(cut.windows.iter().map(|window| window.frames).collect::<Vec<_>>(), [14, 15]);
        let first: f64 = layers.iter().map(|&layer| alone(layer, &samples[..14 * 320])[0]).sum();
        let found = cut.windows[0].probabilities[0];
        assert!((found - first / layers.len() as f64).abs() < 1e-6);
    }
}

fn named(folder: &Path) -> Encoders<'_> {
    Encoders { named: Some(folder), cache: None }
}

fn below(folder: &Path) -> Encoders<'_> {
    Encoders { named: None, cache: Some(folder) }
}

#[test]
fn the_encoder_is_asked_for_by_name_and_digest() {
    let folder = tempfile::tempdir().unwrap();
    bundle_of(folder.path(), &[1]);
    let refused = |encoders| Ensemble::load(folder.path(), encoders).err().unwrap();
    let error = refused(Encoders::default());
    let text = error.to_string();
    assert!(text.contains("whisper-small with\n  config.json, BLAKE3 "), "{text}");
    assert!(text.contains("--encoder") && text.contains("AMBIVOX_ENCODERS"), "{text}");
    assert_eq!(error.exit_code(), exit::USAGE);
    let text = refused(named(Path::new("nowhere"))).to_string();
    assert!(text.contains("nowhere/config.json"), "{text}");
    let error = refused(named(&tiny().with_file_name("whisper-whole")));
    assert!(error.to_string().contains("config.json: its digest is"), "{error}");
    assert_eq!(error.exit_code(), exit::DATA);
    let ensemble = Ensemble::load(folder.path(), named(&tiny())).unwrap();
    assert!(Live::new(&ensemble, 10.0, 1.0).err().unwrap().to_string().contains("--stream"));
}

/// The tiny encoder in a folder of encoders.
fn copy_to(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    for name in ENCODER_FILES.into_iter().filter(|name| tiny().join(name).exists()) {
        fs::copy(tiny().join(name), folder.join(name)).unwrap();
    }
}

#[test]
fn an_encoder_is_found_by_its_digests_in_a_folder_of_encoders() {
    let (folder, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    bundle_of(folder.path(), &[1]);
    let load = || Ensemble::load(folder.path(), below(cache.path()));
    let text = load().err().unwrap().to_string();
    assert!(text.contains("there is no encoder in ") && text.contains("--encoder"), "{text}");
    // Others: of other settings, of other weights, and with one file more.
    for (other, file) in
        [("a", "config.json"), ("b", "model.safetensors"), ("c", "preprocessor_config.json")]
    {
        copy_to(&cache.path().join(other));
        fs::write(cache.path().join(other).join(file), other).unwrap();
        let text = load().err().unwrap().to_string();
        let told = format!("{other}/{file}: its digest is ");
        assert!(text.contains("has others alone:") && text.contains(&told), "{text}");
    }
    // As Hugging Face's cache has it; one level further down it is not looked for.
    let snapshot = cache.path().join("models--openai--whisper-small/snapshots/0f1e");
    copy_to(&snapshot.join("deeper"));
    assert!(load().is_err());
    copy_to(&snapshot);
    load().unwrap();
    Ensemble::load(folder.path(), below(&snapshot)).unwrap();
    // What is named is taken, whatever else there is.
    let both = Encoders { named: Some(&cache.path().join("a")), cache: Some(cache.path()) };
    assert!(Ensemble::load(folder.path(), both).is_err());
}

#[test]
fn an_encoder_that_nobody_needs_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    bundle_of(folder.path(), &[1]);
    let mut bundle = Bundle::read(folder.path()).unwrap();
    bundle.encoder = None;
    fs::write(folder.path().join(Bundle::FILE), serde_json::to_string(&bundle).unwrap()).unwrap();
    let error = Ensemble::load(folder.path(), named(&tiny())).err().unwrap();
    assert!(error.to_string().contains("leave --encoder out"), "{error}");
    assert_eq!(error.exit_code(), exit::USAGE);
}
