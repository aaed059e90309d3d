//! The program itself: exit codes, and names from strangers on a terminal and in a spreadsheet.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;
use std::process::{Command, Output};

use ambivox_frontends::lld_section;
use ambivox_lld::FeatureSet;
use ambivox_models::{AttentionOver, Checkpoint, MeanVariance, Network, NetworkSettings, Scaling};
use ambivox_settings::{Bundle, BundledNetwork, Features, Section, exit};
use fs_err as fs;

const SET: &str = "ser32-prosody";
const NETWORK: &str = "lw-1.safetensors";

/// A folder with a bundle `model`, whose first class is called so.
fn house(class: &str) -> tempfile::TempDir {
    let house = tempfile::tempdir().unwrap();
    let folder = house.path().join("model");
    fs::create_dir(&folder).unwrap();
    let settings = NetworkSettings::plain([2, 2], 0.5, AttentionOver::Blstm);
    let width = FeatureSet::builtin(SET).unwrap().columns().len();
    let checkpoint = Checkpoint {
        predictor: Box::new(Network::new(&settings, width, 2, 1).unwrap()),
        classes: [class, class].map(str::to_owned).to_vec(),
        features: Features::of(
            lld_section(FeatureSet::builtin(SET).unwrap()).unwrap(),
            Section::bare(Features::NO_POOLING),
        ),
        scaling: Scaling::MeanVariance(MeanVariance {
            mean: vec![0.0; width],
            sd: vec![1.0; width],
        }),
    };
    checkpoint.save(&folder.join(NETWORK)).unwrap();
    let digest = blake3::hash(&fs::read(folder.join(NETWORK)).unwrap()).to_string();
    let network =
        BundledNetwork { file: NETWORK.to_owned(), digest, seed: 1, fold: "03".to_owned() };
    let bundle = Bundle {
        schema: 1,
        pipeline: "toy".to_owned(),
        corpus: "Toy".to_owned(),
        synthetic: false,
        method: "lw".to_owned(),
        encoder: None,
        networks: vec![network],
    };
    fs::write(folder.join(Bundle::FILE), serde_json::to_string(&bundle).unwrap()).unwrap();
    house
}

fn wav(file: &Path) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 16_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(file, spec).unwrap();
    (0..8000).for_each(|n| writer.write_sample((n * 37 % 2000) as i16).unwrap());
    writer.finalize().unwrap();
}

fn predict(house: &tempfile::TempDir, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ambivox-predict"));
    command.current_dir(house.path()).args(["--threads", "1", "--model"]).args(arguments);
    command.output().unwrap()
}

fn code(output: &Output) -> u8 {
    output.status.code().unwrap() as u8
}

/// Standard output and error as text, in which a terminal finds nothing to obey.
fn printed(output: &Output) -> [String; 2] {
    [&output.stdout, &output.stderr].map(|bytes| {
        let text = String::from_utf8(bytes.clone()).unwrap();
        assert!(!text.contains(|c: char| c != '\n' && c.is_control()), "{text:?}");
        assert!(!text.contains('\u{202e}'), "{text:?}");
        text
    })
}

#[test]
fn names_from_strangers_are_shown_and_not_obeyed() {
    let house = house("an\u{1b}[2Jger");
    let sounds = house.path().join("sounds");
    fs::create_dir(&sounds).unwrap();
    wav(&sounds.join("red\u{1b}[31m\nhint: b.wav"));
    fs::write(sounds.join("x\u{7}\u{202e}\nerror: y.wav"), "RIFF").unwrap();
    let output = predict(&house, &["model", "sounds"]);
    assert_eq!(code(&output), exit::DATA);
    let [table, said] = printed(&output);
    assert!(table.contains(r"an\u{1b}[2Jger"), "{table}");
    assert!(said.starts_with(r"sounds/x\u{7}\u{202e}\u{a}error: y.wav: "), "{said}");
    assert!(!table.contains("\nhint") && !said.contains("\nerror: y"), "{table}{said}");
    // A document has the names as they are.
    let output = predict(&house, &["model", "--json", "sounds"]);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["sounds"][0]["sound"], "sounds/red\u{1b}[31m\nhint: b.wav");
    assert_eq!(document["broken"][0]["sound"], "sounds/x\u{7}\u{202e}\nerror: y.wav");
}

#[test]
fn a_spreadsheet_computes_neither_names_nor_classes() {
    let house = house("@SUM(1)");
    for name in ["=1+1.wav", "'=2.wav", "plain.wav"] {
        wav(&house.path().join(name));
    }
    let output = predict(&house, &["model", "--csv", "=1+1.wav", "'=2.wav", "plain.wav"]);
    assert_eq!(code(&output), exit::DONE);
    let [rows, _] = printed(&output);
    let starts: Vec<&str> =
        rows.lines().skip(1).map(|row| row.split(",0.000,").next().unwrap()).collect();
    assert_eq!(starts, ["'=1+1.wav", "''=2.wav", "plain.wav"]);
    assert_eq!(rows.matches(",'@SUM(1),0.").count(), 3, "{rows}");
}

#[test]
fn every_way_to_end_has_its_code() {
    let house = house("anger");
    wav(&house.path().join("a.wav"));
    fs::write(house.path().join("broken.wav"), "RIFF").unwrap();
    fs::create_dir(house.path().join("empty")).unwrap();
    for (arguments, expected, part) in [
        (&["model", "a.wav"][..], exit::DONE, "real time"),
        (&["nowhere", "a.wav"], exit::USAGE, "nowhere: no such folder"),
        (&["a.wav", "a.wav"], exit::USAGE, "a.wav: no such folder"),
        (&["model"], exit::USAGE, "required"),
        (&["empty", "a.wav"], exit::DATA, "bundle.json"),
        (&["model", "empty"], exit::DATA, "no sound in this folder"),
        (&["model", "a.wav", "broken.wav"], exit::DATA, "1 of 2 sounds"),
        (&["model", "none.wav"], exit::DATA, "none.wav: cannot be read"),
    ] {
        let output = predict(&house, arguments);
        let [_, said] = printed(&output);
        assert_eq!(code(&output), expected, "{arguments:?}: {said}");
        assert!(said.contains(part), "{arguments:?}: {said}");
    }
    fs::write(house.path().join("model").join(NETWORK), "changed").unwrap();
    let output = predict(&house, &["model", "a.wav"]);
    assert_eq!(code(&output), exit::DATA, "{:?}", printed(&output));
}

#[test]
fn a_full_disk_is_the_machines_fault() {
    let house = house("anger");
    wav(&house.path().join("a.wav"));
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_ambivox-predict"));
    command.current_dir(house.path()).args(["--model", "model", "a.wav"]).stdout(full);
    let output = command.output().unwrap();
    assert_eq!(code(&output), exit::FAILED, "{:?}", printed(&output));
}
