//! The program as it is installed: alone, in an empty environment and an empty folder.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use fs_err as fs;
use tempfile::TempDir;

use crate::harness::{DONE, Ran, USAGE, xtask};

/// An empty folder with nothing but the program in reach.
struct Elsewhere {
    folder: TempDir,
    program: PathBuf,
}

impl Elsewhere {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let program = folder.path().join("bin/ambivox");
        fs::create_dir_all(program.parent().unwrap()).unwrap();
        fs::create_dir_all(folder.path().join("work")).unwrap();
        // As cargo xtask builds it; nobody has asked for it yet.
        Ran::new(&["plan"], Command::new(xtask()).arg("plan").output().unwrap()).ended(DONE);
        fs::copy(xtask().with_file_name("ambivox"), &program).unwrap();
        Self { folder, program }
    }

    fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    /// Runs a command line; none says a word of the checkout's.
    fn run(&self, line: &str) -> Ran {
        let words: Vec<&str> = line.split_whitespace().collect();
        let mut command = Command::new(&self.program);
        command.args(&words).env_clear().env("HOME", self.folder.path()).env("PATH", "/nowhere");
        let ran = command.current_dir(self.work()).stdin(Stdio::null()).output().unwrap();
        let ran = Ran::new(&words, ran);
        assert!(!ran.text().contains("cargo xtask"), "{line}:\n{}", ran.text());
        ran
    }
}

#[test]
fn an_installed_program_needs_nothing_else() {
    let elsewhere = Elsewhere::new();
    let small = "--pipeline pipelines/demo-small.toml";
    let ran = elsewhere.run(&format!("demo {small}")).ended(DONE);
    assert!(ran.stdout.contains("The report, made in "), "{}", ran.stdout);
    let ran = elsewhere.run(&format!("cv {small}")).ended(DONE);
    assert!(ran.text().contains("nothing to do"), "{}", ran.text());
    for command in ["report", "audit", "bundle networks --method lw"] {
        elsewhere.run(&format!("{command} {small}")).ended(DONE);
    }
    for page in ["report.html", "audit.html"] {
        assert!(elsewhere.work().join("results/demo-small").join(page).is_file(), "{page}");
    }
    let sounds = elsewhere.work().join(".ambivox/store/objects/synth");
    let sounds = fs::read_dir(sounds).unwrap().next().unwrap().unwrap().path();
    let ran = elsewhere.run(&format!("predict --model networks --csv {}", sounds.display()));
    assert!(ran.ended(DONE).stdout.lines().count() > 20);
    elsewhere.run("verify").ended(DONE);
    elsewhere.run("gc --keep-days 0").ended(DONE);
    let ran = elsewhere.run(&format!("plan {small}")).ended(DONE);
    assert!(ran.stdout.contains(" 0 stale"), "the house's pipelines are kept:\n{}", ran.stdout);
}

#[test]
fn what_is_not_in_the_program_is_told() {
    let elsewhere = Elsewhere::new();
    elsewhere.run("plan --pipeline pipelines/none.toml").ended(USAGE).complained_of(&["none.toml"]);
    let emodb = elsewhere.run("plan --pipeline pipelines/emodb.toml");
    emodb.complained_of(&["EMODB_ROOT=/path/to/corpus ambivox"]);
    let help = elsewhere.run("help").ended(DONE).stdout;
    assert!(help.contains("Usage: ambivox ") && !help.contains("  tidy"), "{help}");
    let command = Command::new(&elsewhere.program).arg("tidy").output().unwrap();
    Ran::new(&["tidy"], command).ended(USAGE).complained_of(&["checkout"]);
}
