//! Hidden states of Whisper: pooled as they come, and those that PyTorch made of EmoDB where Whisper and EmoDB
//! are there.

use std::path::PathBuf;

use ambivox_audio::Cut;
use ambivox_frontends::{Layers, Precision, Utterance as Heard};

use super::*;
use crate::{frontend_kind, map_vectors};

fn section(kind: &str, settings: &str) -> Section {
    Section::new(kind, &settings.parse::<toml::Table>().unwrap()).unwrap()
}

fn means() -> Section {
    section("statistics", "of = [\"mean\"]")
}

/// The tiny model of the crate of encoders.
fn tiny(layer: &str) -> Section {
    let model = concat!(env!("CARGO_MANIFEST_DIR"), "/../encoders/tests-data/whisper-small");
    section("whisper", &format!("model = '{model}'\npadding = \"none\"\nlayer = {layer}"))
}

#[test]
fn pooled_states_are_kept_alone_with_every_layer_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let utterances = good(folder.path(), 3);
    let planned = plan(&tiny("\"nested\""), &means(), Path::new("")).unwrap();
    assert!(planned.layers == Layers::Chosen && !planned.gives_frames());
    let features = Features::of(planned.section, means());
    let recipe = Recipe::open(&features, false, planned.table.as_deref()).unwrap();
    let index = index(&folder, &utterances);
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let outputs = Outputs { features: None, ..outputs(&folder) };
        let run = || extract(&index, folder.path(), &recipe, OnBroken::Stop, &outputs, &|_, _| {});
        pool.install(run).unwrap();
        fs::read(folder.path().join("vectors.parquet")).unwrap()
    };
    assert!(run(1) == run(3), "bytes depend on the number of threads");
    let rows = folder.path().join("rows");
    map_vectors(&folder.path().join("vectors.parquet"), &rows).unwrap();
    let table = FeatureTable::open(&rows).unwrap();
    assert_eq!((table.width(), table.columns()[16].as_str()), (64, "layer1_value_0_mean"));
    let layers = table.layers();
    assert_eq!(layers.iter().map(FeatureTable::width).collect::<Vec<_>>(), [16; 4]);
    assert!(layers[3].get("u02").is_some_and(|vector| vector.iter().any(|&x| x != 0.0)));
}

#[test]
fn frames_are_of_one_layer() {
    let none = Section::bare("none");
    let planned = plan(&tiny("2"), &none, Path::new("")).unwrap();
    assert_eq!(planned.frame_times_s, Some([0.02, 0.02]));
    for all in ["\"nested\"", "\"learned\""] {
        let text = plan(&tiny(all), &none, Path::new("")).unwrap_err().to_string();
        assert!(text.contains("[frontend]: layer: all of them go with one vector"), "{text}");
    }
}

#[test]
fn frames_in_16_bits_take_half_and_are_those_of_32_bits_rounded() {
    let folder = tempfile::tempdir().unwrap();
    let utterances = good(folder.path(), 2);
    let index = index(&folder, &utterances);
    let extracted = |precision: &str| {
        let mut section = tiny("2");
        section.settings.insert("precision".to_owned(), precision.into());
        let none = Section::bare("none");
        let planned = plan(&section, &none, Path::new("")).unwrap();
        let features = Features::of(planned.section, none);
        let recipe = Recipe::open(&features, true, planned.table.as_deref()).unwrap();
        let outputs = Outputs { vectors: None, ..outputs(&folder) };
        extract(&index, folder.path(), &recipe, OnBroken::Stop, &outputs, &|_, _| {}).unwrap();
        (table(&folder).get("u01").unwrap().into_owned(), recipe.bytes(10.0).unwrap())
    };
    let (mut whole, bytes) = extracted("f32");
    let (halves, half) = extracted("f16");
    assert_ne!(halves, whole);
    Precision::F16.round(&mut whole);
    assert_eq!((halves, half), (whole, bytes / 2));
}

#[test]
fn pooled_vectors_have_no_precision() {
    let mut section = tiny("2");
    section.settings.insert("precision".to_owned(), "f16".into());
    let text = plan(&section, &means(), Path::new("")).unwrap_err().to_string();
    assert!(text.contains("[frontend]: precision: of frames alone"), "{text}");
    section.settings.insert("precision".to_owned(), "f32".into());
    assert!(plan(&section, &means(), Path::new("")).is_ok());
}

/// The vectors of EmoDB as PyTorch made them, in half precision.
fn vectors(shared: &Path, name: &str) -> Box<dyn ambivox_frontends::Frontend> {
    let section = section("table", "rows = \"utterance\"\nvalues = \"mean\"\nlayer = \"nested\"");
    let file = shared.join(format!("frontends/emodb-whisper-{name}.npz"));
    (frontend_kind(&section).unwrap().open)(&section, Some(&file)).unwrap()
}

fn whisper(folder: &Path, padding: &str) -> Recipe {
    let settings = format!("padding = \"{padding}\"\nlayer = \"nested\"");
    let features = Features::of(section("whisper", &settings), means());
    Recipe::open(&features, false, Some(folder)).unwrap()
}

#[test]
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn emodb_is_as_pytorch_describes_it() {
    let Some(shared) = std::env::var_os("AMBIVOX_SHARED").map(PathBuf::from) else {
        return eprintln!("skipped: AMBIVOX_SHARED is not set");
    };
    for (model, name, padding) in
        [("whisper-tiny.en", "tiny-pad", "30s"), ("whisper-base", "base-nopad", "none")]
    {
        let folder = shared.join("frontends").join(model);
        if !folder.is_dir() {
            eprintln!(
                "skipped: {}: no such folder; whisper_from_wheels.py makes it",
                folder.display()
            );
            continue;
        }
        let (expected, recipe) = (vectors(&shared, name), whisper(&folder, padding));
        for id in ["03a01Fa", "03a02Wc", "09b02Wc", "13a05Tc", "16b09Wb"] {
            let file = shared.join(format!("data/emodb/wav/{id}.wav"));
            let samples = Audio::load(&file, Cut::default()).unwrap().samples;
            let rows =
                recipe.frontend.session().describe(&Heard { id, samples: &samples }).unwrap();
            let found = recipe.parts(rows).unwrap().1.unwrap();
            let expected = expected.session().describe(&Heard { id, samples: &[] }).unwrap();
            assert_eq!(found.len(), expected.len());
            for (at, (found, expected)) in found.iter().zip(&expected).enumerate() {
                // Half a unit in the last place of half precision, and what PyTorch rounds otherwise.
                let tolerance = expected.abs() / 2048.0 + 1e-4;
                assert!(
                    (found - expected).abs() <= tolerance,
                    "{model} {id} {at}: {found} {expected}"
                );
            }
        }
    }
}
