//! Networks put into a folder, and asked about sounds they have not seen.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Stdio;

use fs_err as fs;

use serde_json::Value;

use crate::corpora::{tone, tones, tones_of, wav16};
use crate::harness::{DATA, DONE, House, Ran, USAGE, from_a_shell, root, xtask};
use crate::methods::{CYCLEGAN, add};

/// Bytes before the samples of a file of ours.
const WAV_HEADER: usize = 44;

/// A folder with the networks of two folds and three sounds, the store and the corpus being gone.
pub(crate) fn bundled() -> House {
    let house = tones();
    let to = house.path("model").display().to_string();
    let ran = house.run(&["bundle", "--method", "lw", "--fold", "anna", "--fold", "bert", &to]);
    assert!(ran.ended(DONE).text().contains("2 networks"));
    for (name, seconds) in [("a", 1.0), ("b", 2.5), ("c", 0.4)] {
        let samples = (seconds * 16_000.0) as usize;
        house.write(&format!("sounds/{name}.wav"), wav16(&tone(200.0, samples)));
    }
    for folder in ["store", "corpus", "pipelines"] {
        fs::remove_dir_all(house.path(folder)).unwrap();
    }
    house.moved()
}

/// Runs `cargo xtask predict` with these bytes on its standard input.
pub(crate) fn predict(house: &House, arguments: &[&str], input: &[u8]) -> Ran {
    predict_among(house, None, arguments, input)
}

/// As [`predict`], with a folder of encoders to look in.
pub(crate) fn predict_among(
    house: &House,
    encoders: Option<&Path>,
    arguments: &[&str],
    input: &[u8],
) -> Ran {
    let mut child = from_a_shell(xtask())
        .current_dir(root())
        .args(["predict", "--model"])
        .arg(house.path("model"))
        .args(arguments)
        .env("AMBIVOX_ENCODERS", encoders.unwrap_or(Path::new("")))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that refuses its arguments reads nothing.
    child.stdin.take().unwrap().write_all(input).ok();
    Ran::new(arguments, child.wait_with_output().unwrap())
}

#[test]
fn a_bundle_is_all_that_a_prediction_needs() {
    let house = bundled();
    let sounds = house.path("sounds").display().to_string();
    let ran = predict(&house, &["--json", "--window", "1", &sounds], b"").ended(DONE);
    let document = ran.document();
    assert_eq!(document["model"]["method"], "lw");
    assert_eq!(document["model"]["networks"].as_array().unwrap().len(), 2);
    let found = document["sounds"].as_array().unwrap();
    let windows: Vec<usize> =
        found.iter().map(|sound| sound["windows"].as_array().unwrap().len()).collect();
    assert_eq!(windows, [1, 3, 1]);
    for sound in found {
        let probability = |class: &str| sound["probabilities"][class].as_f64().unwrap();
        let (happy, sad) = (probability("happiness"), probability("sadness"));
        assert!((happy + sad - 1.0).abs() < 1e-6);
        assert_eq!(sound["emotion"], if sad > happy { "sadness" } else { "happiness" });
    }
    assert!(ran.stderr.contains("3.9 s of sound by 2 networks"), "{}", ran.stderr);
    assert!(ran.stderr.contains("× real time"), "{}", ran.stderr);

    let table = predict(&house, &[&sounds], b"").ended(DONE).stdout;
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
    let rows = predict(&house, &["--csv", "--window", "1", &sounds], b"").ended(DONE).stdout;
    assert_eq!(rows.lines().count(), 1 + 1 + 3 + 1);
    assert!(
        rows.starts_with("sound,start_s,end_s,peak_s,emotion,p_happiness,p_sadness\n"),
        "{rows}"
    );
}

/// Names that are no names of files, that are alike once they are made so, or too long in bytes.
#[test]
fn speakers_by_any_names_are_trained_published_and_bundled() {
    let long = "話".repeat(30);
    let speakers = ["a b", "a_b", "a-b", &long];
    let house = tones_of(speakers);
    house.run(&["cv", "--method", "lw"]).ended(DONE);
    house.run(&["report", "--method", "lw"]).ended(DONE);
    let page = house.read("results/tiny/report.html");
    assert!(speakers.iter().all(|speaker| page.contains(speaker)));
    let folder = house.path("results/tiny/tensorboard/lw/seed-0");
    assert_eq!(fs::read_dir(folder).unwrap().count(), 4);

    let to = house.path("model").display().to_string();
    house.run(&["bundle", "--method", "lw", &to]).ended(DONE);
    let networks = house.json("model/bundle.json")["networks"].as_array().unwrap().clone();
    let names = |key: &str| -> BTreeSet<String> {
        networks.iter().map(|network| network[key].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names("fold"), speakers.map(str::to_owned).into());
    assert_eq!((names("file").len(), names("digest").len()), (4, 4));
    let sound = house.path("corpus/wav/anna-happy-0.wav").display().to_string();
    let document = predict(&house, &["--json", &sound], b"").ended(DONE).document();
    assert_eq!(document["model"]["networks"].as_array().unwrap().len(), 4);
}

#[test]
fn sound_on_standard_input_is_a_file_or_a_stream() {
    let house = bundled();
    let samples = tone(200.0, 40_000);
    let wav = wav16(&samples);
    let file = predict(&house, &["--csv", "-"], &wav).ended(DONE).stdout;
    let raw = &wav[WAV_HEADER..];
    let live = predict(&house, &["--csv", "--stream"], raw).ended(DONE).stdout;
    let ends = |text: &str| {
        let ends = text.lines().skip(1).map(|line| line.split(',').nth(2).unwrap().to_owned());
        ends.collect::<Vec<_>>()
    };
    assert_eq!(ends(&file), ["2.495"]);
    assert_eq!(ends(&live), ["1.015", "2.015", "2.495"]);
    // The last window of the stream is the whole sound, as that of the file is.
    assert_eq!(live.lines().last().unwrap(), file.lines().last().unwrap());
    let half = predict(&house, &["--stream"], &raw[..4001]).ended(DATA);
    half.complained_of(&["within a sample"]);
}

#[test]
fn what_cannot_be_heard_is_named_and_the_rest_is_said() {
    let house = bundled();
    house.write("sounds/broken.wav", b"RIFF....");
    house.write("sounds/silent.wav", wav16(&[]));
    house.write("sounds/short.wav", wav16(&tone(200.0, 100)));
    let sounds = house.path("sounds").display().to_string();
    let ran = predict(&house, &["--json", &sounds, "/no/such.wav"], b"").ended(DATA);
    let document = ran.document();
    assert_eq!(document["sounds"].as_array().unwrap().len(), 3);
    assert_eq!(document["broken"].as_array().unwrap().len(), 4);
    let parts =
        ["broken.wav: ", "silent.wav: ", "short.wav: 0.006 s", "/no/such.wav: cannot be read"];
    ran.complained_of(&parts).complained_of(&["4 of 7 sounds"]);
    house.write("sounds/zeros.wav", wav16(&vec![0.0; 6_400]));
    let zeros = house.path("sounds/zeros.wav").display().to_string();
    let ran = predict(&house, &["--json", &zeros], b"").ended(DONE);
    let reason = ran.document()["sounds"][0]["warnings"][0].as_str().unwrap().to_owned();
    assert!(reason.starts_with("all its samples are 0"), "{reason}");
    ran.complained_of(&[&format!("warning: {zeros}: {reason}")]);
}

#[test]
fn links_that_lead_nowhere_are_named_and_the_others_predicted() {
    let house = bundled();
    symlink("/no/such/file", house.path("sounds/0.wav")).unwrap();
    symlink(".", house.path("sounds/here")).unwrap();
    let sounds = house.path("sounds").display().to_string();
    let ran = predict(&house, &["--json", &sounds], b"").ended(DONE);
    assert_eq!(ran.document()["sounds"].as_array().unwrap().len(), 3);
    ran.complained_of(&[
        "0.wav: a link to nothing; passed over",
        "links and folders that cannot be followed: 1",
    ]);
}

/// A name may hold what clears a screen or turns a line around; programs get it as it is.
#[test]
fn names_of_files_move_no_cursor() {
    let house = bundled();
    fs::rename(house.path("sounds/a.wav"), house.path("sounds/\u{1b}[2Ja\u{202e}.wav")).unwrap();
    house.write("sounds/\u{1b}]0;b.wav", b"RIFF....");
    let sounds = house.path("sounds").display().to_string();
    let ran = predict(&house, &[&sounds], b"").ended(DATA);
    assert!(ran.stdout.contains("\\u{1b}[2J"), "{}", ran.stdout);
    assert!(!ran.text().contains(['\u{1b}', '\u{202e}']));
    ran.complained_of(&["\\u{1b}]0;b.wav: holds audio that cannot be decoded"]);
    let document = predict(&house, &["--json", &sounds], b"").ended(DATA).document();
    let names = document["sounds"].as_array().unwrap().iter().map(|sound| &sound["sound"]);
    assert!(names.filter_map(Value::as_str).any(|name| name.ends_with("\u{1b}[2Ja\u{202e}.wav")));
}

#[test]
fn exit_codes_tell_whose_fault_it_is() {
    let house = bundled();
    let sounds = house.path("sounds").display().to_string();
    predict(&house, &["--csv", "/no/such.wav"], b"").ended(DATA);
    predict(&house, &["--window", "0", &sounds], b"").ended(USAGE);
    fs::remove_dir_all(house.path("model")).unwrap();
    predict(&house, &[&sounds], b"").ended(USAGE).complained_of(&["no such folder", "--model"]);
    fs::create_dir(house.path("model")).unwrap();
    predict(&house, &[&sounds], b"").ended(DATA).complained_of(&["bundle.json"]);
}

#[test]
fn where_nothing_can_be_heard_every_sound_is_named() {
    let house = bundled();
    fs::remove_dir_all(house.path("sounds")).unwrap();
    house.write("sounds/broken.wav", b"RIFF....");
    house.write("sounds/silent.wav", wav16(&[]));
    let sounds = house.path("sounds").display().to_string();
    let ran = predict(&house, &[&sounds], b"").ended(DATA);
    assert_eq!(ran.stdout, "", "an empty table says nothing");
    assert!(!ran.stderr.contains("real time"), "{}", ran.stderr);
    ran.complained_of(&["broken.wav: ", "silent.wav: ", "error: none of 2 sounds could be used"]);
    let one = house.path("sounds/broken.wav").display().to_string();
    predict(&house, &[&one], b"")
        .ended(DATA)
        .complained_of(&["error: the sound could not be used"]);
    let ran = predict(&house, &["--json", &sounds], b"").ended(DATA);
    assert_eq!(ran.document()["broken"].as_array().unwrap().len(), 2);
    predict(&house, &["--stream"], &[0; 200]).ended(DATA).complained_of(&["no sound came in"]);
}

/// What reads functionals hears a window as a whole.
#[test]
fn networks_of_functionals_predict_without_attention() {
    let house = tones();
    house.edit("pipelines/tiny.toml", "set = \"ser32\"", "set = \"ser32\"\nfunctionals = true");
    add(&house, CYCLEGAN);
    let to = house.path("model").display().to_string();
    house.run(&["bundle", "--method", "cyclegan", "--fold", "anna", &to]).ended(DONE);
    for (name, seconds) in [("a", 1.0), ("b", 2.5)] {
        let samples = (seconds * 16_000.0) as usize;
        house.write(&format!("sounds/{name}.wav"), wav16(&tone(200.0, samples)));
    }
    let sounds = house.path("sounds").display().to_string();
    let table = predict(&house, &["--window", "1", &sounds], b"").ended(DONE).stdout;
    assert!(!table.contains("peak") && table.contains("attend to no moment"), "{table}");
    let rows = predict(&house, &["--csv", "--window", "1", &sounds], b"").ended(DONE).stdout;
    let peaks: Vec<&str> = rows.lines().skip(1).map(|row| row.split(',').nth(3).unwrap()).collect();
    assert_eq!(peaks, [""; 4], "{rows}");
    let document = predict(&house, &["--json", &sounds], b"").ended(DONE).document();
    assert_eq!(document["model"]["method"], "cyclegan");
    let window = &document["sounds"][0]["windows"][0];
    assert!(window["peak_s"].is_null() && window.get("attention").is_none(), "{window}");
    let all: f64 =
        window["probabilities"].as_object().unwrap().values().filter_map(Value::as_f64).sum();
    assert!((all - 1.0).abs() < 1e-6);
    predict(&house, &["--json", "--attention", &sounds], b"")
        .ended(USAGE)
        .complained_of(&["leave --attention out"]);
    let raw = &wav16(&tone(200.0, 40_000))[WAV_HEADER..];
    let live = predict(&house, &["--csv", "--stream"], raw).ended(DONE).stdout;
    assert_eq!(live.lines().count(), 1 + 3, "{live}");
}

#[test]
fn wrong_bundles_are_refused() {
    let house = tones();
    let to = house.path("model").display().to_string();
    house.run(&["bundle", &to]).ended(USAGE).complained_of(&["--method", "baseline, lw"]);
    let file = house.path("pipelines/tiny.toml").display().to_string();
    house.run(&["bundle", "--method", "lw", &file]).ended(USAGE).complained_of(&["there already"]);

    let house = bundled();
    let network = house.json("model/bundle.json")["networks"][0]["file"].clone();
    let network = house.path("model").join(network.as_str().unwrap());
    let mut bytes = fs::read(&network).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&network, bytes).unwrap();
    let sounds = house.path("sounds").display().to_string();
    predict(&house, &[&sounds], b"").ended(DATA).complained_of(&["copy the bundle again"]);
    fs::remove_file(house.path("model/bundle.json")).unwrap();
    predict(&house, &[&sounds], b"").ended(DATA).complained_of(&["bundle.json", "xtask bundle"]);
}
