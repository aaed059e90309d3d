//! Audio that cannot be used: stop and list all of it, or leave it out by name.

use std::os::unix::fs::symlink;

use fs_err as fs;

use crate::corpora::{add_row, tone, tones, wav_float, wav16};
use crate::harness::{DATA, DONE, House, root};

/// One broken file of every kind.
const BROKEN: [&str; 8] = [
    "truncated.wav",
    "cut-off.mp3.wav",
    "no-bytes.wav",
    "no-samples.wav",
    "nan.wav",
    "huge.wav",
    "text.wav",
    "short.wav",
];

fn with_broken_audio() -> House {
    let house = tones();
    for name in BROKEN {
        house.write(&format!("corpus/wav/{name}"), broken(name));
        add_row(&house, &format!("wav/{name},anna,happy"));
    }
    house
}

fn broken(name: &str) -> Vec<u8> {
    let whole = wav16(&tone(200.0, 6_400));
    match name {
        "truncated.wav" => whole[..whole.len() / 2].to_vec(),
        "cut-off.mp3.wav" => {
            let whole = fs::read(root().join("crates/audio/tests-data/tone-vbr.mp3")).unwrap();
            whole[..whole.len() / 2].to_vec()
        }
        "no-bytes.wav" => Vec::new(),
        "no-samples.wav" => wav16(&[]),
        "nan.wav" => wav_float(&vec![f64::NAN; 6_400]),
        "huge.wav" => wav_float(&vec![1e20; 6_400]),
        "text.wav" => b"file,speaker,emotion\nthis is no sound\n".to_vec(),
        // A frame is 400 samples long.
        "short.wav" => wav16(&tone(200.0, 399)),
        other => panic!("no such kind: {other}"),
    }
}

#[test]
fn broken_audio_stops_the_run_with_a_list_of_all_of_it() {
    let ran = with_broken_audio().run(&["extract"]).ended(DATA).complained_of(&BROKEN);
    assert!(ran.stderr.contains("on_broken"), "no remedy in\n{}", ran.stderr);
}

#[test]
fn broken_audio_is_left_out_by_name_where_the_pipeline_says_so() {
    let house = with_broken_audio();
    house.edit("pipelines/tiny.toml", "on_broken = \"stop\"", "on_broken = \"skip\"");
    house.run(&["cv", "--method", "baseline"]).ended(DONE);
    house.run(&["report"]).ended(DONE);
    let report = house.read("results/tiny/report.html");
    for name in BROKEN {
        assert!(report.contains(name), "the report does not list {name}");
    }
}

#[test]
fn doubtful_audio_stays_in_with_a_warning() {
    let house = tones();
    let loud: Vec<f64> = tone(200.0, 6_400).iter().map(|sample| sample * 32_768.0).collect();
    house.write("corpus/wav/loud.wav", wav_float(&loud));
    house.write("corpus/wav/silent.wav", wav16(&vec![0.0; 6_400]));
    for name in ["loud", "silent"] {
        add_row(&house, &format!("wav/{name}.wav,anna,happy"));
    }
    let ran = house.run(&["extract"]).ended(DONE);
    let parts = ["wav/loud (wav/loud.wav) is doubtful: its samples reach", "digital silence"];
    let ran = ran.complained_of(&parts);
    assert!(
        ran.stdout.contains("No utterance is excluded.\nDoubtful recordings"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("  wav/silent: all its samples are 0"), "{}", ran.stdout);
    let told = house.run(&["extract", "--json"]).ended(DONE).document();
    let warnings = told["warnings"].as_array().unwrap();
    let names: Vec<&str> = warnings.iter().map(|w| w["path"].as_str().unwrap()).collect();
    assert_eq!(names, ["wav/loud.wav", "wav/silent.wav"]);
    let file = fs::read_to_string(told["outputs"]["exclusions"].as_str().unwrap()).unwrap();
    let file: serde_json::Value = serde_json::from_str(&file).unwrap();
    assert_eq!(file["warnings"], told["warnings"]);
    house.run(&["report", "--method", "baseline"]).ended(DONE);
    let report = house.read("results/tiny/report.html");
    let (_, listed) = report.split_once("Doubtful recordings, which are not excluded.").unwrap();
    assert!(names.iter().all(|name| listed.contains(name)));
}

/// As git-annex leaves what it has not fetched. Other links to nothing, and to folders above, are
/// nobody's business.
#[test]
fn links_to_nothing_matter_where_a_recording_is_needed() {
    let house = tones();
    symlink("/no/such/run", house.path("corpus/latest")).unwrap();
    symlink("..", house.path("corpus/wav/up")).unwrap();
    let ran = house.run(&["extract"]).ended(DONE);
    assert!(!ran.stderr.contains("links to nothing"), "{}", ran.stderr);

    let missing = ["wav/anna-happy-0.wav", "wav/bert-sad-1.wav"];
    for file in missing {
        let link = house.path("corpus").join(file);
        fs::remove_file(&link).unwrap();
        symlink("../.git/annex/objects/0", link).unwrap();
    }
    let ran = house.run(&["extract"]).ended(DATA).complained_of(&missing);
    ran.complained_of(&[
        "links to nothing, taken as missing files: 2",
        "git annex get",
        "on_broken",
    ]);
}
