//! The examples that commands show below their help, run as they stand there.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Stdio;

use fs_err as fs;

use crate::corpora::{tone, wav16};
use crate::harness::{DONE, House, Ran, from_a_shell, root, xtask};

/// Commands with examples, in an order in which those of the small demonstration can be run.
const COMMANDS: [&str; 9] =
    ["plan", "extract", "cv", "demo", "report", "audit", "bundle", "predict", "repro"];
/// Run by CI, twice.
const TAKES_LONG: &str = "cargo xtask repro ";

/// Runs a command line as a user at the root of the workspace would, but that results stay here.
fn run(house: &House, line: &str) -> Ran {
    let words: Vec<&str> = line.split_whitespace().skip(2).collect();
    let mut command = from_a_shell(xtask());
    command.current_dir(house.path(".")).args(&words).stdin(Stdio::null());
    command.env("AMBIVOX_STORE", house.path("store"));
    if words[0] != "predict" {
        command.arg("--results").arg(house.path("results"));
    }
    Ran::new(&words, command.output().unwrap())
}

/// Lines of the help that are commands.
fn examples(house: &House, command: &str) -> Vec<String> {
    let ran = Ran::new(
        &[command],
        from_a_shell(xtask())
            .current_dir(house.path("."))
            .args([command, "--help"])
            .output()
            .unwrap(),
    );
    let help = ran.ended(DONE).stdout;
    let below = help.split_once("\nExamples").unwrap_or_else(|| panic!("{command}: {help}")).1;
    let lines = below.lines().map(str::trim).filter(|line| line.starts_with("cargo xtask "));
    lines.map(str::to_owned).collect()
}

/// Whether an example needs nothing but a fresh clone and two sounds.
fn needs_nothing(line: &str) -> bool {
    let is_small = line.contains("pipelines/demo-small.toml") || line.contains(" predict ");
    is_small && !line.contains('|') && !line.starts_with(TAKES_LONG)
}

fn copy(folder: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(&from, &to).unwrap();
        }
    }
}

#[test]
fn the_examples_of_the_help_run() {
    let house = House::new();
    for folder in ["pipelines", "data-manifests"] {
        copy(&root().join(folder), &house.path(folder));
    }
    for sound in ["speech.wav", "recordings/one.wav", "recordings/two.wav"] {
        house.write(sound, wav16(&tone(200.0, 16_000)));
    }
    let mut done = BTreeSet::new();
    for command in COMMANDS {
        let lines = examples(&house, command);
        assert!(!lines.is_empty(), "{command} has no example");
        for line in lines.into_iter().filter(|line| needs_nothing(line)) {
            // A command may show what comes after it, which another shows too.
            if done.insert(line.clone()) {
                run(&house, &line).ended(DONE);
            }
        }
    }
    assert!(done.len() > 10, "{done:?}");
    assert!(house.path("results/demo-small/audit.html").is_file());
}
