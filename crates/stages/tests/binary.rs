//! The binary as `cargo xtask` meets it: exit codes, standard output and standard error.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::Path;
use std::process::{Command, Output};

use ambivox_settings::{Event, Request, StageParams, SynthSettings, exit, role};
use fs_err as fs;

fn ambivox(request: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ambivox"))
        .arg("run")
        .arg("--request")
        .arg(request)
        .output()
        .unwrap()
}

fn synth(folder: &Path, mean_seconds: f64) -> Request {
    let settings = SynthSettings {
        seed: 1,
        turns_per_speaker: 12,
        min_seconds: 0.7,
        mean_seconds,
        max_seconds: 1.0,
        annotators: 3,
        annotator_error: 0.2,
        expressiveness: 1.0,
    };
    let out = folder.join("out");
    fs::create_dir(&out).unwrap();
    Request { work: StageParams::Synth(settings), inputs: [].into(), out, threads: 2 }
}

fn work(folder: &Path, request: &Request) -> Output {
    let file = folder.join("request.json");
    fs::write(&file, serde_json::to_string(request).unwrap()).unwrap();
    ambivox(&file)
}

#[test]
fn a_stage_reports_in_events_and_writes_its_outputs() {
    let folder = tempfile::tempdir().unwrap();
    let request = synth(folder.path(), 0.8);
    let output = work(folder.path(), &request);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), stderr.as_str()), (Some(i32::from(exit::DONE)), ""));
    let stdout = String::from_utf8(output.stdout).unwrap();
    let last: Event = serde_json::from_str(stdout.lines().last().unwrap()).unwrap();
    assert!(matches!(last, Event::Progress { done, total, .. } if done == total), "{last:?}");
    for (_, name) in request.work.outputs() {
        assert!(request.out.join(name).exists(), "{name}");
    }
}

#[test]
fn faults_have_the_exit_code_of_their_kind() {
    let folder = tempfile::tempdir().unwrap();
    let mut request = synth(folder.path(), -1.0);
    let code = |output: &Output| output.status.code().map(|code| code as u8);
    let output = work(folder.path(), &request);
    assert_eq!(code(&output), Some(exit::USAGE));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("error: [synth] "));

    let manifest = include_str!("../../../data-manifests/emodb.toml");
    let manifest = ambivox_settings::Manifest::parse(Path::new("emodb.toml"), manifest).unwrap();
    request.work = StageParams::Index(ambivox_settings::IndexParams { manifest });
    request.inputs.insert(role::CORPUS.to_owned(), folder.path().join("nowhere"));
    let output = work(folder.path(), &request);
    assert_eq!(code(&output), Some(exit::DATA));
    assert!(String::from_utf8_lossy(&output.stderr).contains("EMODB_ROOT"));

    let output = ambivox(&folder.path().join("no-request.json"));
    assert_eq!(code(&output), Some(exit::USAGE));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no-request.json"));
}
