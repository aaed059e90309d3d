//! Hidden states of an encoder as a pipeline's features, through the real commands, by a tiny model of random
//! weights.

use crate::corpora::tones;
use crate::harness::{DATA, DONE, House, USAGE, root};
use crate::predict::{predict, predict_among};

const PIPELINE: &str = "pipelines/tiny.toml";
const LLD: &str = "[features]\nset = \"ser32\"";
const BLSTM: &str = "kind = \"blstm-attention\"\nlinear = 8\nlstm = 4\ndropout = 0.5\n\
    attention_over = \"blstm\"\n";
const WHISPER: &str = "[frontend]\nkind = \"whisper\"\nmodel = \"encoder\"\npadding = \"none\"\n\
    layer = \"nested\"\n\n[pooling]\nkind = \"statistics\"\nof = [\"mean\"]";
/// Frames of one layer.
const FRAMES: &str = "[frontend]\nkind = \"whisper\"\nmodel = \"encoder\"\npadding = \"none\"\n\
    layer = 1\nprecision = \"f16\"";

fn with_encoder() -> House {
    let house = tones();
    house.edit(PIPELINE, LLD, WHISPER);
    house.edit(PIPELINE, BLSTM, "kind = \"linear\"\nc = 1.0\n");
    fs_err::create_dir_all(house.path("pipelines/encoder")).unwrap();
    for file in ["config.json", "model.safetensors"] {
        let from = root().join("crates/encoders/tests-data/whisper-small").join(file);
        fs_err::copy(from, house.path("pipelines/encoder").join(file)).unwrap();
    }
    house
}

#[test]
fn states_are_learned_from_bundled_and_predicted_from() {
    let house = with_encoder();
    let table = house.run(&["cv"]).ended(DONE).text();
    assert!(table.contains("| baseline ") && table.contains("| lw "), "{table}");
    let summary = house.json("results/tiny/summary.json");
    let ua = summary["methods"]["baseline"]["over_seeds"]["mean"]["ua"].as_f64().unwrap();
    assert!(ua > 0.8, "high tones are unlike low ones, by any weights: {ua}");
    house.run(&["cv"]).ended(DONE).text().find("nothing to do").unwrap();

    let to = house.path("model").display().to_string();
    house.run(&["bundle", "--method", "lw", &to]).ended(DONE);
    assert!(!house.path("model/model.safetensors").exists());
    let sound = house.path("corpus/wav/anna-happy-0.wav").display().to_string();
    let told = ["encoder with", "model.safetensors, BLAKE3", "name its folder with --encoder"];
    predict(&house, &[&sound], b"").ended(USAGE).complained_of(&told);
    let encoder = house.path("pipelines/encoder").display().to_string();
    let named = ["--json", "--encoder", &encoder, &sound];
    let said = predict(&house, &named, b"").ended(DONE).document();
    assert!(said["sounds"][0].to_string().contains("anna-happy-0"), "{said}");
    let among = house.path("pipelines");
    let found = predict_among(&house, Some(&among), &["--json", &sound], b"").ended(DONE);
    assert_eq!(found.document()["sounds"], said["sounds"]);
    let among = house.path("corpus");
    let told = ["there is no encoder in", "corpus, the folder in AMBIVOX_ENCODERS"];
    predict_among(&house, Some(&among), &[&sound], b"").ended(USAGE).complained_of(&told);
}

#[test]
fn frames_in_16_bits_are_learned_from_bundled_and_predicted_from() {
    let house = with_encoder();
    house.edit(PIPELINE, WHISPER, FRAMES);
    house.edit(PIPELINE, "kind = \"linear\"\nc = 1.0\n", BLSTM);
    let table = house.run(&["cv"]).ended(DONE).text();
    assert!(table.contains("| baseline ") && table.contains("| lw "), "{table}");
    let to = house.path("model").display().to_string();
    house.run(&["bundle", "--method", "lw", &to]).ended(DONE);
    let (sound, among) = (house.path("corpus/wav/anna-happy-0.wav"), house.path("pipelines"));
    let sound = sound.display().to_string();
    let said = predict_among(&house, Some(&among), &[&sound], b"").ended(DONE).text();
    assert!(said.contains("anna-happy-0"), "{said}");

    house.edit(PIPELINE, FRAMES, &format!("{FRAMES}\n\n[pooling]\nkind = \"functionals\""));
    house.run(&["plan"]).ended(USAGE).complained_of(&["precision: of frames alone"]);
}

#[test]
fn the_model_is_an_input_of_the_extraction() {
    let house = with_encoder();
    house.run(&["extract"]).ended(DONE);
    house.write("pipelines/encoder/note.txt", "of something");
    let planned = house.run(&["plan", "--why"]).ended(DONE).text();
    assert!(planned.contains("extract") && planned.contains("table"), "{planned}");
    fs_err::remove_dir_all(house.path("pipelines/encoder")).unwrap();
    let told = ["encoder: there is no such file", "hint: frontend.model names it"];
    house.run(&["extract"]).ended(DATA).complained_of(&told);
    fs_err::create_dir_all(house.path("pipelines/encoder")).unwrap();
    house.run(&["extract"]).ended(DATA).complained_of(&["config.json"]);
    house.edit(PIPELINE, "\n[pooling]\nkind = \"statistics\"\nof = [\"mean\"]", "");
    house.run(&["plan"]).ended(USAGE).complained_of(&["layer: all of them", "[pooling]"]);
}
