//! The binary as `cargo xtask` meets it: exit codes, standard output and standard error.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::Path;
use std::process::{Command, Output, Stdio};

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
    Request {
        work: StageParams::Synth(settings),
        inputs: [].into(),
        out,
        threads: 2,
        interim: None,
        live: None,
        shard: None,
    }
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
    let mut events = stdout.lines().rev().map(|line| serde_json::from_str::<Event>(line).unwrap());
    if cfg!(target_os = "linux") {
        let memory = events.next().unwrap();
        assert!(
            matches!(memory, Event::Memory { peak_bytes } if peak_bytes > 1 << 20),
            "{memory:?}"
        );
    }
    let last = events.next().unwrap();
    assert!(matches!(last, Event::Progress { done, total, .. } if done == total), "{last:?}");
    for (_, name) in request.work.outputs() {
        assert!(request.out.join(name).exists(), "{name}");
    }
}

/// The caller of a stage that would take minutes goes away at once.
#[test]
fn a_stage_ends_with_its_caller() {
    let folder = tempfile::tempdir().unwrap();
    let mut request = synth(folder.path(), 0.8);
    let StageParams::Synth(settings) = &mut request.work else { panic!("another stage") };
    settings.turns_per_speaker = 4_000;
    let file = folder.path().join("request.json");
    fs::write(&file, serde_json::to_string(&request).unwrap()).unwrap();
    let mut stage = Command::new(env!("CARGO_BIN_EXE_ambivox"));
    stage.arg("run").arg("--request").arg(file).arg("--with-caller");
    let mut stage = stage.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    drop(stage.stdin.take());
    assert_eq!(stage.wait().unwrap().code(), Some(i32::from(exit::FAILED)));
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
    request.work = StageParams::Index(Box::new(ambivox_settings::IndexParams { manifest }));
    request.inputs.insert(role::CORPUS.to_owned(), folder.path().join("nowhere"));
    let output = work(folder.path(), &request);
    assert_eq!(code(&output), Some(exit::DATA));
    assert!(String::from_utf8_lossy(&output.stderr).contains("EMODB_ROOT"));

    let output = ambivox(&folder.path().join("no-request.json"));
    assert_eq!(code(&output), Some(exit::USAGE));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no-request.json"));
}
