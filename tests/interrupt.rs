//! What a signal to the command ends, and what it leaves behind; and paths and numbers that no command
//! can work with.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use fs_err as fs;

use crate::corpora::tones;
use crate::harness::{DONE, Ran, USAGE, from_a_shell, root, xtask};
use crate::predict::bundled;

const SIGTERM: i32 = 15;

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < Duration::from_mins(10), "never: {what}");
        sleep(Duration::from_millis(5));
    }
}

fn terminate(child: &Child) {
    let killed = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
}

/// Command lines of all processes that name this folder.
fn at_work_in(folder: &Path) -> Vec<String> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let lines = processes.filter_map(|process| fs::read(process.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    lines.filter(|line| line.contains(folder.to_str().unwrap())).collect()
}

#[test]
fn a_prediction_ends_with_the_command_that_asked_for_it() {
    let house = bundled();
    let model = house.path("model").display().to_string();
    let mut command = from_a_shell(xtask());
    command.current_dir(root()).args(["predict", "--model", &model, "--stream"]);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let program = Path::new("/proc").join(child.id().to_string()).join("exe");
    // Whoever has the number of the command is the program that predicts: a signal has no other to hit.
    wait_until("the program is in the command's place", || {
        fs::read_link(&program).is_ok_and(|exe| exe.ends_with("ambivox-predict"))
    });
    terminate(&child);
    assert_eq!(child.wait().unwrap().signal(), Some(SIGTERM));
    assert_eq!(at_work_in(&house.path("")), [""; 0]);
}

#[test]
fn a_comparison_that_is_ended_leaves_nothing_behind() {
    let house = tones();
    // Long enough to be met at work.
    for key in ["max_epochs", "patience"] {
        house.edit("pipelines/tiny.toml", &format!("{key} = 2"), &format!("{key} = 100000"));
    }
    let temporary = house.path("temporary");
    fs::create_dir_all(&temporary).unwrap();
    let mut command = house.command(&["repro"]);
    command.env("TMPDIR", &temporary).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let is_training = || at_work_in(&temporary).iter().any(|line| line.contains("request.json"));
    wait_until("a stage is at work", || {
        let ended = child.try_wait().unwrap();
        assert_eq!(ended, None, "it ended by itself");
        is_training()
    });
    terminate(&child);
    assert_eq!(child.wait().unwrap().signal(), Some(SIGTERM));
    assert_eq!(fs::read_dir(&temporary).unwrap().count(), 0);
    wait_until("its stages are gone", || at_work_in(&temporary).is_empty());
}

#[test]
fn a_comparison_takes_a_relative_root() {
    let house = tones();
    house.edit("pipelines/tiny.toml", "root = \"../corpus\"\n", "");
    let mut command = house.command(&["repro", "--threads", "2"]);
    let output = command.current_dir(house.path("")).env("TINY_ROOT", "corpus").output().unwrap();
    Ran::new(&["repro"], output).ended(DONE);
}

#[test]
fn results_of_a_name_that_is_no_text_are_refused_before_anything_runs() {
    let house = tones();
    let results = house.path("").join(OsStr::from_bytes(b"r\xe9sultats"));
    for flag in ["--results", "--store"] {
        let mut command = from_a_shell(xtask());
        let pipeline = house.path("pipelines/tiny.toml");
        command.current_dir(root()).args(["index", "--json", "--pipeline"]).arg(pipeline);
        if flag == "--results" {
            command.arg("--store").arg(house.path("store"));
        }
        let output = command.arg(flag).arg(&results).output().unwrap();
        Ran::new(&["index"], output).ended(USAGE).complained_of(&[flag, "UTF-8"]);
    }
    assert!(!results.exists() && !house.path("store/records").exists());
}

#[test]
fn numbers_of_threads_that_no_machine_has_are_refused() {
    let house = tones();
    for flags in [["--threads", "8000"], ["--threads", "0"], ["--jobs", "8000"]] {
        let ran = house.run(&[&["cv"], &flags[..]].concat()).ended(USAGE);
        ran.complained_of(&[flags[0], "1024"]);
    }
}
