//! The commands that a program of their own does, built when one is asked for.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::binary::{self, FETCH, MEASURE, PREDICT};

/// A command line to be handed on as it is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Handed {
    program: &'static str,
    arguments: Vec<OsString>,
}

/// What another program is asked for; `None` where the command is one of this program.
pub(crate) fn asked(arguments: impl IntoIterator<Item = OsString>) -> Option<Handed> {
    let mut arguments: Vec<_> = arguments.into_iter().skip(1).collect();
    match arguments.first()?.to_str()? {
        // The planner times itself.
        "bench" if arguments.get(1).is_some_and(|second| second == "plan") => None,
        "conform" | "bench" => Some(Handed { program: MEASURE, arguments }),
        // Those programs have one command each, and are of use without this one.
        "predict" => Some(Handed { program: PREDICT, arguments: arguments.split_off(1) }),
        "fetch" => Some(Handed { program: FETCH, arguments: arguments.split_off(1) }),
        _ => None,
    }
}

/// Builds the program and lets it take this one's place: signals reach it, and its exit code is the
/// command's.
pub(crate) fn run(root: &Path, handed: &Handed) -> Result<u8> {
    let program = binary::build(root, handed.program)?;
    let mut command = Command::new(&program);
    if handed.program == FETCH {
        command.arg("--manifests").arg(root.join("data-manifests"));
    }
    become_program(command.args(&handed.arguments))
        .with_context(|| format!("failed to run {}", program.display()))
}

/// Returns where the program could not be run.
#[cfg(unix)]
fn become_program(command: &mut Command) -> std::io::Result<u8> {
    use std::os::unix::process::CommandExt as _;
    Err(command.exec())
}

/// Returns the program's exit code, since it cannot take this one's place here.
#[cfg(not(unix))]
fn become_program(command: &mut Command) -> std::io::Result<u8> {
    let code = command.status()?.code();
    Ok(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(ambivox_settings::exit::FAILED))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked_by(line: &str) -> Option<Handed> {
        asked(line.split_whitespace().map(OsString::from))
    }

    fn handed(program: &'static str, line: &str) -> Handed {
        Handed { program, arguments: line.split_whitespace().map(OsString::from).collect() }
    }

    #[test]
    fn commands_of_other_programs_keep_all_of_their_flags() {
        let bench = "bench extract --threads 1,2 --json";
        assert_eq!(asked_by(&format!("xtask {bench}")), Some(handed(MEASURE, bench)));
        let flags = "--model m --json a.wav";
        assert_eq!(asked_by(&format!("xtask predict {flags}")), Some(handed(PREDICT, flags)));
        assert_eq!(asked_by("xtask fetch emodb --to x"), Some(handed(FETCH, "emodb --to x")));
        for line in
            ["xtask", "xtask cv", "xtask --json bench", "xtask help bench", "xtask bench plan"]
        {
            assert_eq!(asked_by(line), None, "{line}");
        }
    }
}
